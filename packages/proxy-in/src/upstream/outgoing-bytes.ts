// Bytes of one direction on their way from the upstream to the session, as far as the edge's credit goes.
import { SendCredit, wireLimits } from "@restante/protocol"
import type { ReplyStream } from "./reply-stream.ts"

export class OutgoingBytes {
  readonly #reply: ReplyStream
  readonly #credit = new SendCredit(wireLimits.initialWindowBytes)
  /** What waits for credit; at most what one read brings. */
  #waiting: Buffer[] = []

  constructor(reply: ReplyStream) {
    this.#reply = reply
  }

  /** Everything has been handed to the session. */
  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** Nothing more may be read: the edge has not given the credit for it, or the session is full. */
  get full(): boolean {
    return this.#waiting.length > 0 || this.#credit.available === 0 || this.#reply.congested
  }

  /** Not to be changed any more until the edge has it. */
  push(bytes: Buffer): void {
    this.#waiting.push(bytes)
  }

  /** Throws WireError when the edge grants more than a window may be. */
  grant(creditBytes: number): void {
    this.#credit.grant(creditBytes)
  }

  /** Sends what waits, as far as credit goes. */
  pump(): void {
    const credit = this.#credit
    while (credit.available > 0 && !this.#reply.congested) {
      const bytes = this.#waiting.shift()
      if (bytes === undefined) return
      const fits = Math.min(bytes.length, credit.available)
      if (fits < bytes.length) this.#waiting.unshift(bytes.subarray(fits))
      credit.take(fits)
      this.#reply.data(fits < bytes.length ? bytes.subarray(0, fits) : bytes)
    }
  }
}
