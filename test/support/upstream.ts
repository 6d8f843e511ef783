// Private servers for the tests: Node's own HTTP server with the test's handler, and a bare socket that may say anything.
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import net, { type AddressInfo } from "node:net"
import type { Readable } from "node:stream"

export interface Upstream extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

export interface HttpUpstream extends Upstream {
  /** Method and target of every request, in the order they came. */
  readonly seen: string[]
}

/** A handler that fails breaks its connection. */
export async function httpUpstream(
  handler: (incoming: IncomingMessage, response: ServerResponse) => unknown,
): Promise<HttpUpstream> {
  const seen: string[] = []
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    seen.push(`${incoming.method} ${incoming.url}`)
    try {
      await handler(incoming, response)
    } catch {
      response.destroy()
    }
  }
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (incoming, response) => {
    void serve(incoming, response)
  })
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    seen,
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export interface RawUpstream extends Upstream {
  /** Every connection that came, in order. */
  readonly sockets: net.Socket[]
}

/** `onHead` is called with the text of a connection whenever a request's head is whole. */
export async function rawUpstream(onHead: (socket: net.Socket, text: string) => void): Promise<RawUpstream> {
  const sockets: net.Socket[] = []
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.push(socket)
    let text = ""
    socket.on("error", () => undefined)
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1")
      const end = text.indexOf("\r\n\r\n")
      if (end < 0) return
      const head = text.slice(0, end + 4)
      text = text.slice(end + 4)
      onHead(socket, head)
    })
  })
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    sockets,
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A loopback port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

export async function bodyOf(message: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
