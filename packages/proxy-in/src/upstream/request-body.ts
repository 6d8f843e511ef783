// A request body on its way from the session to the upstream: framed as the head said, and no faster than the upstream
// takes it. Credit goes back to the edge only for bytes that the system has taken.
import { chunkHeader, endToEndTrailers, lastChunk, ReceiveCredit, wireLimits } from "@restante/protocol"
import type { WindowBudget } from "@restante/protocol"
import type { ReplyStream } from "./reply-stream.ts"
import type { UpstreamRequest } from "./request-head.ts"
import type { UpstreamLink } from "./upstreams.ts"

export class RequestBody {
  readonly #reply: ReplyStream
  readonly #credit: ReceiveCredit
  readonly #chunked: boolean
  /** Still to come by Content-Length; infinite without. */
  #missingBytes: number
  /** What arrived before the connection stood; bounded by the credit. */
  #early: Buffer[] = []
  /** "lost": the upstream is gone or takes no more; what still comes is thrown away. */
  #sink: UpstreamLink | "awaited" | "lost" = "awaited"
  #trailers: string | undefined
  #unsentBytes = 0
  #onProgress: () => void = () => undefined

  constructor(
    framing: NonNullable<UpstreamRequest["bodyFollows"]>,
    reply: ReplyStream,
    windows: WindowBudget,
  ) {
    this.#reply = reply
    this.#credit = new ReceiveCredit(wireLimits.initialWindowBytes, wireLimits.maxWindowBytes, windows)
    this.#chunked = framing.kind === "chunked"
    this.#missingBytes = framing.kind === "length" ? framing.length : Number.POSITIVE_INFINITY
  }

  /** The edge has sent everything. */
  get ended(): boolean {
    return this.#trailers !== undefined
  }

  /** The upstream has bytes before it that it has not taken yet. */
  get blocked(): boolean {
    return this.#unsentBytes > 0
  }

  /** The connection stands. `onProgress` is called whenever the upstream has taken something. */
  attach(connection: UpstreamLink, onProgress: () => void): void {
    this.#sink = connection
    this.#onProgress = onProgress
    for (const bytes of this.#early.splice(0)) this.#send(connection, bytes)
    if (this.#trailers !== undefined) this.#finish(connection, this.#trailers)
  }

  /** Nobody takes the body any more: the edge may send the rest, it goes nowhere. */
  discard(): void {
    this.#sink = "lost"
    const dropped = this.#unsentBytes + this.#early.reduce((sum, bytes) => sum + bytes.length, 0)
    this.#early = []
    this.#unsentBytes = 0
    this.#consumed(dropped)
  }

  /** False when it is more than Content-Length said. Throws WireError when the edge overdraws its credit. */
  data(bytes: Buffer): boolean {
    this.#credit.received(bytes.length)
    this.#missingBytes -= bytes.length
    if (this.#missingBytes < 0 || this.ended) return false
    if (this.#sink === "awaited") this.#early.push(bytes)
    else if (this.#sink === "lost") this.#consumed(bytes.length)
    else this.#send(this.#sink, bytes)
    return true
  }

  /** False when it is less than Content-Length said. Throws Http1Error when the trailers are no field lines. */
  end(trailers: string): boolean {
    if (this.ended || (!this.#chunked && this.#missingBytes > 0)) return false
    this.#trailers = endToEndTrailers(trailers)
    if (typeof this.#sink !== "string") this.#finish(this.#sink, this.#trailers)
    return true
  }

  /** The exchange is over: the window's growth goes back to the budget. */
  release(): void {
    this.#sink = "lost"
    this.#early = []
    this.#credit.release()
  }

  #send(connection: UpstreamLink, bytes: Buffer): void {
    const { length } = bytes
    this.#unsentBytes += length
    const taken = (): void => {
      if (this.#sink !== connection) return
      this.#unsentBytes -= length
      this.#consumed(length)
      this.#onProgress()
    }
    if (!this.#chunked) return connection.write(bytes, taken)
    connection.together(() => {
      connection.write(chunkHeader(length))
      connection.write(bytes)
      connection.write("\r\n", taken)
    })
  }

  #finish(connection: UpstreamLink, trailers: string): void {
    if (this.#chunked) connection.write(lastChunk(trailers))
  }

  #consumed(bytes: number): void {
    const credit = this.#credit.consumed(bytes)
    if (credit > 0 && !this.ended) this.#reply.window(credit)
  }
}
