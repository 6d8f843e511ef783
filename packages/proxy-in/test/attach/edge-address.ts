// What listens at an edge's address, edge or not, and a client that takes it for one.
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import type { RequestListener } from "node:http"
import net from "node:net"
import type { AddressInfo } from "node:net"
import { Secret } from "@restante/protocol"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import type { Hello, Welcome } from "../../src/attach/edge-client.ts"
import type { LinkError } from "../../src/attach/link-error.ts"

export class EdgeAddress implements AsyncDisposable {
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  client: EdgeClient

  private constructor(server: net.Server, client: EdgeClient) {
    this.#server = server
    this.client = client
  }

  static async listen(
    server: net.Server,
    options: { scheme?: string; path?: string; ca?: string } = {},
  ): Promise<EdgeAddress> {
    const sockets = new Set<net.Socket>()
    server.on("connection", (socket: net.Socket) => sockets.add(socket))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const { scheme = "http", path = "", ca } = options
    const external = new URL(`${scheme}://localhost:${port}${path}`)
    const there = new EdgeAddress(server, new EdgeClient({ external, ca, token: new Secret("the token") }))
    for (const socket of sockets) there.#sockets.add(socket)
    server.on("connection", (socket: net.Socket) => there.#sockets.add(socket))
    return there
  }

  static http(listener: RequestListener, options?: { path?: string }): Promise<EdgeAddress> {
    return EdgeAddress.listen(createHttpServer(listener), options)
  }

  /** Says this, byte for byte, to whatever is asked. */
  static saying(answer: string): Promise<EdgeAddress> {
    return EdgeAddress.listen(
      net.createServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => socket.end(answer, "latin1"))
      }),
    )
  }

  async attach(): Promise<Welcome> {
    return this.client.attach(hello, new AbortController().signal)
  }

  /** The code of the error that attaching ends with; "attached" when there is none. */
  async attachError(): Promise<string> {
    return this.attach().then(
      () => "attached",
      (error: LinkError) => error.code,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

export const hello: Hello = { tunnel: "default", instance: "here", concurrency: 4, software: "test/1" }

/** What a captive portal answers. */
export const loginPage = "<!DOCTYPE html><html><body>Please log in to the Wi-Fi</body></html>"
