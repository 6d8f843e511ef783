// Asks a forward proxy for a connection of our own to the edge: CONNECT (RFC 9110 section 9.3.6).
import { request } from "node:http"
import type { Socket } from "node:net"
import type { ForwardProxy } from "./forward-proxy.ts"
import { LinkError } from "./link-error.ts"
import type { Place } from "./place.ts"

/** `socket` leads to the proxy; afterwards it leads to `edge`. Rejects with LinkError or the socket's error; it is closed then. */
export async function openTunnel(
  socket: Socket,
  proxy: ForwardProxy,
  edge: Place,
  signal: AbortSignal,
): Promise<Socket> {
  const host = `${edge.host.includes(":") ? `[${edge.host}]` : edge.host}:${edge.port}`
  const asked = request({
    method: "CONNECT",
    path: host,
    headers: { host, ...proxyAuthorization(proxy) },
    createConnection: () => socket,
    signal,
  })
  const { status, early } = await new Promise<{ status: number; early: Buffer }>((resolve, reject) => {
    asked.on("error", reject)
    asked.on("connect", ({ statusCode = 0 }, _socket, head) => resolve({ status: statusCode, early: head }))
    asked.end()
  })
  if (status >= 200 && status < 300 && early.length === 0) return socket
  socket.destroy()
  throw early.length > 0 && status < 300
    ? new LinkError("proxy_refuses", "it spoke before the edge was asked")
    : proxyRefusal(status)
}

/** What a proxy's own answer means. */
export function proxyRefusal(status: number): LinkError {
  const code = status === 407 ? "proxy_credentials" : status >= 500 ? "proxy_cannot_reach" : "proxy_refuses"
  return new LinkError(code, `status ${status}`)
}

/** RFC 7617: Basic, in UTF-8. */
export function proxyAuthorization({ credentials }: ForwardProxy): Readonly<Record<string, string>> {
  if (credentials === undefined) return {}
  return { "proxy-authorization": `Basic ${Buffer.from(credentials.reveal(), "utf8").toString("base64")}` }
}
