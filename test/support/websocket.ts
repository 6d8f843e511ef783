// WebSocket servers and clients for the tests.
import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws"
import type { Upstream } from "./upstream.ts"

export async function webSocketUpstream(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
  options: ServerOptions = {},
): Promise<Upstream> {
  const server = createServer((_, response) => response.end("ordinary"))
  const sockets = new WebSocketServer({ server, ...options })
  sockets.on("connection", onSocket)
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
