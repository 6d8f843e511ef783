// A request for the people's pages that came by HTTP/2: asked again as HTTP/1, inside of this process, of the server that has them.
import { duplexPair, type Duplex } from "node:stream"
import { endToEndFields, ResponseReader } from "@restante/protocol"
import type { RequestHead, ResponseHead, ResponseSink } from "@restante/protocol"
import type { Client, RequestHandler } from "../../exchange/client.ts"

export class PageRequest implements RequestHandler, ResponseSink {
  readonly #client: Client
  readonly #socket: Duplex
  readonly #reader = new ResponseReader(this)
  #over = false

  /** `take` gets what an HTTP/1 server takes for a connection. */
  constructor(head: RequestHead, client: Client, take: (socket: Duplex) => void) {
    this.#client = client
    const [near, far] = duplexPair()
    this.#socket = near
    this.#reader.begin(head.method)
    near.on("data", (bytes: Buffer) => this.#read(() => this.#reader.read(bytes)))
    near.on("end", () => this.#read(() => this.#reader.eof()))
    // Whoever destroys one half of the pair does not tell the other.
    far.once("close", () => setImmediate(() => this.#lost()))
    take(Object.assign(far, { remoteAddress: client.remoteAddress }))
    // The pages read no body, so none is announced.
    const fields = endToEndFields(head.fields, bodyFields)
    near.write(`${head.method} ${head.target} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`, "latin1")
  }

  onBody(): void {}

  onBodyEnd(): void {}

  onReadPaused(): void {}

  onClientDrain(): void {}

  onClientGone(): void {
    this.#over = true
    this.#socket.destroy()
  }

  onInformational(): void {}

  onHead(head: ResponseHead): void {
    this.#client.begin(head, endToEndFields(head.fields))
  }

  onData(bytes: Buffer): void {
    this.#client.data(bytes)
  }

  onEnd(): void {
    this.#over = true
    this.#client.end("")
    this.#socket.destroy()
  }

  #read(step: () => void): void {
    try {
      step()
    } catch {
      this.#lost()
    }
  }

  #lost(): void {
    if (this.#over) return
    this.#over = true
    this.#socket.destroy()
    this.#client.reset()
  }
}

const bodyFields: ReadonlySet<string> = new Set(["content-length", "expect"])
