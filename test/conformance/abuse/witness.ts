// The private server of the abuse corpus: answers every whole request that it sees with what it understood, and writes down
// every byte of every connection, for other readers to judge.
import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import type { Asked } from "./abuse-case.ts"
import { readLines } from "./readers.ts"

export class Witness implements AsyncDisposable {
  /** What a request is answered with, latin-1, instead of with what was understood. */
  answer: (request: Asked, socket: Socket) => string = answerTo
  readonly #server: Server
  readonly #connections: Connection[] = []

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#connections.push(new Connection(socket, (request) => this.answer(request, socket)))
    })
  }

  /** Resolves with the port. */
  async start(): Promise<number> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return (this.#server.address() as AddressInfo).port
  }

  /** What came on each connection since the last call; connections without any are left out. */
  take(): Testimony[] {
    const all = this.#connections
      .map((connection) => connection.take())
      .filter(({ bytes }) => bytes.length > 0)
    for (const connection of this.#connections.filter(({ ended }) => ended))
      this.#connections.splice(this.#connections.indexOf(connection), 1)
    return all
  }

  /** Whether every connection that holds the beginning of a request has ended. */
  get settled(): boolean {
    return this.#connections.every(({ ended, between }) => ended || between)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    for (const { socket } of this.#connections) socket.destroy()
    await closed
  }
}

export interface Testimony {
  readonly bytes: Buffer
  readonly ended: boolean
}

/** What it understood, so that an answer that goes to somebody else is seen there. */
export const answerTo = ({ method, target, body }: Asked): string => {
  const text = textOf({ method, target, body })
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${method === "HEAD" ? "" : text}`
}

export const textOf = ({ method, target, body }: Asked): string => `${method} ${target} ${body.length}`

class Connection {
  readonly socket: Socket
  ended = false
  #pieces: Buffer[] = []
  #unread = ""

  constructor(socket: Socket, answer: (request: Asked) => string) {
    this.socket = socket
    socket.on("data", (bytes: Buffer) => {
      this.#pieces.push(bytes)
      this.#unread += bytes.toString("latin1")
      const { whole, rest } = readLines(this.#unread)
      this.#unread = rest === 0 ? "" : this.#unread.slice(-rest)
      for (const request of whole) socket.write(answer(request), "latin1")
    })
    socket.on("error", () => (this.ended = true))
    socket.on("end", () => (this.ended = true))
    socket.on("close", () => (this.ended = true))
  }

  /** No request is begun on it. */
  get between(): boolean {
    return this.#unread === ""
  }

  take(): Testimony {
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    return { bytes, ended: this.ended }
  }
}
