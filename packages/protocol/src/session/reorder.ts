// Messages that overtook a missing one wait here, bounded by what a conforming sender may have in flight.
import { messageHeaderBytes, WireError, type WireLimits } from "../wire/index.ts"

export class ReorderBuffer {
  readonly #limits: WireLimits
  readonly #waiting = new Map<number, Buffer>()
  #bytes = 0

  constructor(limits: WireLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Keeps an early message. Throws WireError("number_beyond_window" | "reorder_overflow"). */
  add(number: number, message: Buffer, received: number): void {
    if (this.#waiting.has(number)) return
    const { maxUnacknowledgedMessages, maxUnacknowledgedBytes, maxMessageBytes } = this.#limits
    if (number > received + maxUnacknowledgedMessages)
      throw new WireError("number_beyond_window", `${number} after ${received}`)
    // The sender may begin its last message just below the limit, so one message's size comes on top.
    if (this.#bytes + message.length > maxUnacknowledgedBytes + maxMessageBytes)
      throw new WireError("reorder_overflow")
    // A small part of a large read would hold all of it.
    const kept =
      message.buffer.byteLength > 2 * message.length + messageHeaderBytes ? Buffer.from(message) : message
    this.#waiting.set(number, kept)
    this.#bytes += message.length
  }

  /** Removes and returns that message, if it is here. */
  take(number: number): Buffer | undefined {
    const message = this.#waiting.get(number)
    if (message === undefined) return undefined
    this.#waiting.delete(number)
    this.#bytes -= message.length
    return message
  }
}
