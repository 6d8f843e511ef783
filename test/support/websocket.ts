// WebSocket servers and clients for the tests: those of `ws`, the clients with everything that came kept in order.
import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from "ws"
import { until } from "./until.ts"
import type { Upstream } from "./upstream.ts"

export interface WebSocketUpstream extends Upstream {
  readonly sockets: ReadonlySet<WebSocket>
}

export async function webSocketUpstream(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
  options: ServerOptions = {},
): Promise<WebSocketUpstream> {
  const server = createServer((_, response) => response.end("ordinary"))
  const sockets = new WebSocketServer({ server, ...options })
  sockets.on("connection", (socket, request) => {
    socket.on("error", () => undefined)
    onSocket(socket, request)
  })
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    sockets: sockets.clients,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Sends every message back as what it was. */
export function echo(socket: WebSocket): void {
  socket.on("message", (message, binary) => socket.send(message, { binary }))
}

export interface Closing {
  readonly code: number
  readonly reason: string
}

/** A client; leaves without a word when the test is over. */
export class WebSocketClient implements Disposable {
  readonly socket: WebSocket
  /** What came, in order; binary messages as buffers. */
  readonly messages: (string | Buffer)[] = []
  closing: Closing | undefined

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(url.replace(/^http/, "ws"), protocols, options)
    this.socket.on("message", (message: Buffer, binary) =>
      this.messages.push(binary ? message : message.toString()),
    )
    this.socket.on("close", (code, reason) => (this.closing = { code, reason: reason.toString() }))
    this.socket.on("error", () => undefined)
  }

  static async to(url: string, protocols?: string[], options?: ClientOptions): Promise<WebSocketClient> {
    const client = new WebSocketClient(url, protocols, options)
    await client.opened()
    return client
  }

  async opened(withinMs?: number): Promise<this> {
    await until("the WebSocket to open", () => this.socket.readyState === WebSocket.OPEN, withinMs)
    return this
  }

  /** Resolves with the first so many messages once they are here. */
  async receives(count: number, withinMs?: number): Promise<readonly (string | Buffer)[]> {
    const what = (): string =>
      `${count} messages; have ${this.messages.length}, closed: ${JSON.stringify(this.closing)}`
    await until(what, () => this.messages.length >= count, withinMs)
    return this.messages.slice(0, count)
  }

  closed(withinMs?: number): Promise<Closing> {
    return until("the WebSocket to close", () => this.closing, withinMs)
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }
}
