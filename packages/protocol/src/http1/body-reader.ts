// Reads the body of one message, however it is framed (RFC 9112 section 6), and gives the bytes out without a copy.

import { ChunkedDecoder } from "./chunked.ts"
import type { ChunkedBody, CloseBody, LengthBody, NoBody } from "./framing.ts"
import type { Http1Limits } from "./limits.ts"

export type Body = NoBody | LengthBody | ChunkedBody | CloseBody

export class BodyReader {
  /** Trailer lines as they came, "" when the framing has none; undefined until the body is complete. */
  trailers: string | undefined = ""
  readonly #limits: Http1Limits
  /** Made for the first chunked body and used again for the next ones. */
  #decoder: ChunkedDecoder | undefined
  #chunked: ChunkedDecoder | undefined
  /** Bytes still to come; infinite when the connection's end is the body's end. */
  #remaining = 0

  constructor(limits: Http1Limits) {
    this.#limits = limits
  }

  begin(body: Body): void {
    this.#chunked = undefined
    this.trailers = undefined
    switch (body.kind) {
      case "none":
        this.trailers = ""
        break
      case "length":
        this.#remaining = body.length
        if (body.length === 0) this.trailers = ""
        break
      case "chunked":
        this.#chunked = this.#decoder ??= new ChunkedDecoder(this.#limits)
        this.#chunked.begin()
        break
      case "close":
        this.#remaining = Number.POSITIVE_INFINITY
        break
    }
  }

  /** Takes bytes from index `from`, at most one onData; returns the index after the last one it took. */
  take(bytes: Buffer, from: number, sink: { onData(bytes: Buffer): void }): number {
    if (this.#chunked !== undefined) {
      const next = this.#chunked.take(bytes, from, sink)
      this.trailers = this.#chunked.trailers
      return next
    }
    const end = Math.min(from + this.#remaining, bytes.length)
    this.#remaining -= end - from
    if (this.#remaining === 0) this.trailers = ""
    sink.onData(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end))
    return end
  }

  /** End of input: completes a body that the connection's end delimits. False when bytes are missing. */
  eof(): boolean {
    if (
      this.trailers === undefined &&
      this.#chunked === undefined &&
      this.#remaining === Number.POSITIVE_INFINITY
    )
      this.trailers = ""
    return this.trailers !== undefined
  }
}
