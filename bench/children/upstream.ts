// The private server of every contender: a small body, a large one, and a place that swallows what is sent to it. Straight on
// sockets, because what it costs is taken from what is measured. Prints its port as its first line.
//   GET /small     GET /large/BYTES     POST /swallow
import { createServer, type Socket } from "node:net"
import { smallBody } from "./small-body.ts"

const smallAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: ${smallBody.length}\r\nConnection: keep-alive\r\n\r\n${smallBody}`,
)
const swallowed = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nswallowed\n",
)
const piece = Buffer.alloc(1024 * 1024, "restante")
/** Enough on its way that the system never waits for us. */
const aheadBytes = 4 * 1024 * 1024
const maxHeadBytes = 16 * 1024

const server = createServer({ noDelay: true }, (socket) => {
  const connection = new Connection(socket)
  socket.on("data", (bytes) => connection.read(bytes))
  socket.on("error", () => socket.destroy())
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) console.log(address.port)
})
process.on("disconnect", () => process.exit())

/** One request after the other; none is sent before the last one's answer. */
class Connection {
  readonly #socket: Socket
  #head: Buffer | undefined
  #bodyLeft = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  read(bytes: Buffer): void {
    if (this.#bodyLeft > 0) return this.#swallow(bytes.length)
    const all = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes])
    const end = all.indexOf("\r\n\r\n")
    this.#head = end < 0 ? all : undefined
    if (end >= 0) this.#answer(all, end + 4)
    else if (all.length > maxHeadBytes) this.#socket.destroy()
  }

  #answer(all: Buffer, headBytes: number): void {
    const head = all.toString("latin1", 0, headBytes)
    if (head.startsWith("GET /small ")) {
      this.#socket.write(smallAnswer)
      return
    }
    const large = /^GET \/large\/(\d+) /.exec(head)?.[1]
    if (large !== undefined) return this.#sendLarge(Number(large))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (!head.startsWith("POST /swallow ") || length === undefined) {
      this.#socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
      return
    }
    this.#bodyLeft = Number(length)
    this.#swallow(all.length - headBytes)
  }

  #swallow(bytes: number): void {
    this.#bodyLeft -= bytes
    if (this.#bodyLeft === 0) this.#socket.write(swallowed)
    else if (this.#bodyLeft < 0) this.#socket.destroy()
  }

  #sendLarge(bytes: number): void {
    this.#socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`,
    )
    let left = bytes
    const more = (): void => {
      while (left > 0 && this.#socket.writableLength < aheadBytes && !this.#socket.destroyed) {
        const next = left < piece.length ? piece.subarray(0, left) : piece
        left -= next.length
        this.#socket.write(next, more)
      }
    }
    more()
  }
}
