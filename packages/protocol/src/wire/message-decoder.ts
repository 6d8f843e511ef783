// Cuts a byte stream (an HTTP body that carries a preamble and messages) into whole messages.
// Holds at most one incomplete message, whose size was checked against the limit before it was allocated.
import { WireError } from "./errors.ts"
import { type WireLimits, wireLimits } from "./limits.ts"
import { checkPreamble, messageBytesAt, messageHeaderBytes, preambleBytes } from "./message.ts"

export interface MessageDecoderOptions {
  /** Whether the stream opens with the preamble, as every HTTP body does. Default true. */
  readonly preamble?: boolean
  readonly limits?: WireLimits
}

/** One per body. After a WireError it must not be used again. */
export class MessageDecoder {
  readonly #limits: WireLimits
  /** The start of what is not complete yet: the preamble, a header, or a message. */
  #partial: Buffer
  #have = 0
  #state: "preamble" | "header" | "message"

  constructor(options: MessageDecoderOptions = {}) {
    this.#limits = options.limits ?? wireLimits
    this.#state = options.preamble === false ? "header" : "preamble"
    this.#partial = Buffer.allocUnsafe(messageHeaderBytes)
  }

  /**
   * Takes the next bytes, returns the messages that they complete. Messages that lie whole in `bytes` are parts of
   * it, not copies. Throws only WireError.
   */
  push(bytes: Buffer): Buffer[] {
    const messages: Buffer[] = []
    let offset = 0
    while (offset < bytes.length) {
      if (this.#have === 0 && this.#state === "header" && bytes.length - offset >= messageHeaderBytes) {
        const end = offset + messageBytesAt(bytes, offset, this.#limits)
        if (end <= bytes.length) {
          messages.push(bytes.subarray(offset, end))
          offset = end
          continue
        }
      }
      offset = this.#collect(bytes, offset, messages)
    }
    return messages
  }

  /** The body has ended. Throws WireError("message_truncated") when that is in the middle of something. */
  end(): void {
    if (this.#state === "preamble" || this.#have > 0)
      throw new WireError("message_truncated", `${this.#have} bytes of a ${this.#state}`)
  }

  /** Adds to what is incomplete; returns how far it read. */
  #collect(bytes: Buffer, offset: number, messages: Buffer[]): number {
    const wanted = this.#wantedBytes()
    const end = Math.min(bytes.length, offset + wanted - this.#have)
    bytes.copy(this.#partial, this.#have, offset, end)
    this.#have += end - offset
    if (this.#state === "preamble") checkPreamble(this.#partial.subarray(0, this.#have))
    if (this.#have === wanted) this.#complete(messages)
    return end
  }

  #wantedBytes(): number {
    if (this.#state === "message") return this.#partial.length
    return this.#state === "header" ? messageHeaderBytes : preambleBytes
  }

  #complete(messages: Buffer[]): void {
    switch (this.#state) {
      case "preamble":
        break
      case "header": {
        const total = messageBytesAt(this.#partial, 0, this.#limits)
        if (total > messageHeaderBytes) {
          // One allocation of exactly the announced size, so that a large message is copied once.
          const whole = Buffer.allocUnsafe(total)
          this.#partial.copy(whole, 0, 0, messageHeaderBytes)
          this.#partial = whole
          this.#state = "message"
          return
        }
        messages.push(this.#partial)
        break
      }
      case "message":
        messages.push(this.#partial)
        break
    }
    this.#state = "header"
    this.#have = 0
    this.#partial = Buffer.allocUnsafe(messageHeaderBytes)
  }
}
