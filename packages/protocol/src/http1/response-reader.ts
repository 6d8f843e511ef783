// Reads the responses of one upstream connection, one per request, from bytes in any pieces. No I/O: bytes in, callbacks out.

import { BodyReader } from "./body-reader.ts"
import { Http1Error } from "./errors.ts"
import { HeadBuffer } from "./head-buffer.ts"
import { defaultHttp1Limits, type Http1Limits } from "./limits.ts"
import type { MessageSink } from "./request-reader.ts"
import { parseResponseHead, type ResponseHead } from "./response-head.ts"

/** Receives any number of onInformational, then onHead, any number of onData, onEnd. */
export interface ResponseSink extends MessageSink<ResponseHead> {
  /** An interim response (RFC 9110 section 15.2): 1xx, but never 101, which is final. */
  onInformational(head: ResponseHead): void
}

export class ResponseReader {
  readonly #sink: ResponseSink
  readonly #limits: Http1Limits
  readonly #head: HeadBuffer
  readonly #body: BodyReader
  /** silent: no response is expected. stopped: the connection has become another protocol. */
  #phase: "silent" | "head" | "body" | "stopped" | "dead" = "silent"
  #method = ""
  #informational = 0
  #paused = false
  #failure: unknown

  constructor(sink: ResponseSink, limits: Http1Limits = defaultHttp1Limits) {
    this.#sink = sink
    this.#limits = limits
    this.#body = new BodyReader(limits)
    this.#head = new HeadBuffer("keep", limits.maxHeadBytes, () => "head_too_large")
  }

  /** No response is expected or under way. */
  get idle(): boolean {
    return this.#phase === "silent"
  }

  /** The next response answers a request with this method, which decides about its body (RFC 9112 section 6.3). */
  begin(requestMethod: string): void {
    if (this.#phase !== "silent") throw new Error("begin: the response before is not complete")
    this.#method = requestMethod
    this.#informational = 0
    this.#phase = "head"
  }

  /**
   * Consumes bytes up to the end of one final response at most and returns how many it took. After a 101 or a 2xx to CONNECT
   * (onHead, no onEnd) it takes nothing more: the rest is the new protocol. Throws Http1Error, and again at every later call.
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

  /** End of input: completes a body that the connection's end delimits, throws Http1Error("incomplete") in mid message. */
  eof(): void {
    if (this.#phase === "dead") throw this.#failure
    if (this.#phase === "silent" || this.#phase === "stopped") return
    if (this.#phase === "body" && this.#body.eof()) {
      this.#phase = "silent"
      this.#sink.onEnd("")
      return
    }
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
        if (!this.#beginBody(parseResponseHead(this.#head.text, this.#method, this.#limits))) continue
      } else if (this.#phase === "body") at = this.#body.take(bytes, at, this.#sink)
      else if (this.#phase === "stopped") return at
      else throw new Http1Error("unsolicited")
      if (this.#body.trailers !== undefined) {
        this.#phase = "silent"
        this.#sink.onEnd(this.#body.trailers)
        return at
      }
    }
    return at
  }

  /** False when no body follows at once: an interim response, or another protocol. */
  #beginBody(head: ResponseHead): boolean {
    if (head.status < 200 && head.status !== 101) {
      this.#informational += 1
      if (this.#informational > this.#limits.maxInformational) throw new Http1Error("too_many_informational")
      this.#sink.onInformational(head)
      return false
    }
    if (head.status === 101 || (this.#method === "CONNECT" && head.status < 300)) {
      this.#phase = "stopped"
      this.#sink.onHead(head)
      return false
    }
    this.#body.begin(head.body)
    this.#phase = "body"
    this.#sink.onHead(head)
    return true
  }
}
