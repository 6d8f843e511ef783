// A real forward proxy (proxy-chain) on loopback, with the habits that the ones of companies have.
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { RequestError, Server } from "proxy-chain"
import { serverCertificate, serverKey } from "./certificates.ts"

export interface ForwardProxyOptions {
  /** Lets in only who shows these. */
  readonly credentials?: { readonly username: string; readonly password: string }
  /** Answers every CONNECT with this status. */
  readonly refusesConnect?: number
  /** Breaks every connection off when it is this old. */
  readonly cutAfterMs?: number
  /** Wants TLS, with the tests' certificate. */
  readonly tls?: boolean
}

export interface ForwardProxy extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Method and target of everything that was asked, in order, also of what was refused. */
  readonly asked: string[]
  /** How many connections were broken off. */
  readonly cuts: number
}

export async function forwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const { credentials, refusesConnect, cutAfterMs, tls = false } = options
  const asked: string[] = []
  let cuts = 0
  const prepareRequestFunction = (opts: {
    readonly request: IncomingMessage
    readonly username: string
    readonly password: string
  }): { requestAuthentication: boolean } => {
    const { request, username, password } = opts
    asked.push(`${request.method} ${request.url}`)
    if (request.method === "CONNECT" && refusesConnect !== undefined)
      throw new RequestError("not allowed here", refusesConnect)
    const known =
      credentials === undefined || (username === credentials.username && password === credentials.password)
    return { requestAuthentication: !known }
  }
  const common = { port: 0, host: "127.0.0.1", prepareRequestFunction }
  const server = new Server(
    tls
      ? { ...common, serverType: "https", httpsOptions: { cert: serverCertificate, key: serverKey } }
      : common,
  )
  if (cutAfterMs !== undefined) {
    server.server.on("connection", (socket: Socket) => {
      const timer = setTimeout(() => {
        cuts++
        socket.resetAndDestroy()
      }, cutAfterMs)
      socket.on("close", () => clearTimeout(timer))
    })
  }
  await server.listen()
  return {
    port: server.port,
    url: `${tls ? "https://localhost" : "http://127.0.0.1"}:${server.port}`,
    asked,
    get cuts() {
      return cuts
    },
    [Symbol.asyncDispose]: () => server.close(true),
  }
}
