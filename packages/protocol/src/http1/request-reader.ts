// Reads the requests of one client connection, one after the other, from bytes in any pieces. No I/O: bytes in, callbacks out.

import { BodyReader } from "./body-reader.ts"
import { Http1Error } from "./errors.ts"
import { HeadBuffer } from "./head-buffer.ts"
import { defaultHttp1Limits, type Http1Limits } from "./limits.ts"
import { parseRequestHead, type RequestHead } from "./request-head.ts"

/** Receives one message after the other: onHead, any number of onData, onEnd. */
export interface MessageSink<H> {
  onHead(head: H): void
  /** Body bytes with the transfer coding removed: a view of what was read, valid as long as that buffer is left alone. Never empty. */
  onData(bytes: Buffer): void
  /** The message is complete. `trailers`: raw field lines, "" when there are none. */
  onEnd(trailers: string): void
}

export class RequestReader {
  readonly #sink: MessageSink<RequestHead>
  readonly #limits: Http1Limits
  readonly #head: HeadBuffer
  readonly #body: BodyReader
  #phase: "head" | "body" | "stopped" | "dead" = "head"
  #stopAsked = false
  #paused = false
  #failure: unknown

  constructor(sink: MessageSink<RequestHead>, limits: Http1Limits = defaultHttp1Limits) {
    this.#sink = sink
    this.#limits = limits
    this.#body = new BodyReader(limits)
    this.#head = new HeadBuffer("skip", limits.maxHeadBytes, (head) =>
      head.includes("\r\n") ? "head_too_large" : "target_too_long",
    )
  }

  /** Nothing of a message has been read. */
  get idle(): boolean {
    return this.#phase === "head" && this.#head.empty
  }

  /**
   * Consumes bytes up to the end of one message at most and returns how many it took. Fewer than given: a message ended,
   * pause() or stopAfterHead() was called; call again with the rest. Throws Http1Error, and again at every later call.
   */
  read(bytes: Buffer): number {
    if (this.#phase === "dead") throw this.#failure
    this.#paused = false
    try {
      return this.#read(bytes)
    } catch (error) {
      this.#phase = "dead"
      this.#failure = error
      throw error
    }
  }

  /**
   * Called in a callback: read() returns after it, and goes on when it is called again with the rest. A message that is complete
   * with it still ends at once.
   */
  pause(): void {
    this.#paused = true
  }

  /** Called in onHead: the rest of the connection is not HTTP (RFC 9110 sections 7.8 and 9.3.6). There is no onEnd; later read()s take nothing. */
  stopAfterHead(): void {
    this.#stopAsked = true
  }

  /** End of input. Throws Http1Error("incomplete") in mid message. */
  eof(): void {
    if (this.#phase === "dead") throw this.#failure
    if (this.idle || this.#phase === "stopped") return
    this.#phase = "dead"
    this.#failure = new Http1Error("incomplete")
    throw this.#failure
  }

  #read(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && !this.#paused) {
      if (this.#phase === "head") {
        at = this.#head.take(bytes, at)
        if (this.#head.text === undefined) return at
        const head = parseRequestHead(this.#head.text, this.#limits)
        this.#body.begin(head.body)
        this.#phase = "body"
        this.#sink.onHead(head)
        if (this.#stopAsked) {
          this.#phase = "stopped"
          return at
        }
      } else if (this.#phase === "body") at = this.#body.take(bytes, at, this.#sink)
      else return at
      if (this.#body.trailers !== undefined) {
        this.#phase = "head"
        this.#sink.onEnd(this.#body.trailers)
        return at
      }
    }
    return at
  }
}
