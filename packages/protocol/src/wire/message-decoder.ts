// Cuts a byte stream (an HTTP body that carries a preamble and messages) into whole messages.
// Holds at most one incomplete message, whose size was checked against the limit before a byte of it was kept.
import { WireError } from "./errors.ts"
import { type WireLimits, wireLimits } from "./limits.ts"
import { checkPreamble, messageBytesAt, messageHeaderBytes, preambleBytes } from "./message.ts"

/** One whole message: in one buffer, or in several in order, of which the first holds at least the header. */
export type Message = Buffer | readonly Buffer[]

export interface MessageDecoderOptions {
  /** Whether the stream opens with the preamble, as every HTTP body does. Default true. */
  readonly preamble?: boolean
  readonly limits?: WireLimits
}

/** One per body. After a WireError it must not be used again. */
export class MessageDecoder {
  readonly #limits: WireLimits
  /** The start of a preamble or header that is not complete yet. */
  #start: Buffer
  #startBytes = 0
  #state: "preamble" | "header" | "message"
  /** What has come of an incomplete message, and how much is still to come. */
  #parts: Buffer[] = []
  #missingBytes = 0
  /** Small parts are gathered here: a peer that sends byte by byte must not make a buffer object of each. */
  #gathered = 0

  constructor(options: MessageDecoderOptions = {}) {
    this.#limits = options.limits ?? wireLimits
    this.#state = options.preamble === false ? "header" : "preamble"
    this.#start = Buffer.allocUnsafe(messageHeaderBytes)
  }

  /**
   * Takes the next bytes, returns the messages that they complete. Messages are made of parts of what was pushed, which
   * must not be changed afterwards; only what is small is copied. Throws only WireError.
   */
  push(bytes: Buffer): Message[] {
    const messages: Message[] = []
    let offset = 0
    while (offset < bytes.length) {
      if (this.#state === "message") {
        offset = this.#continue(bytes, offset, messages)
      } else if (
        this.#state === "header" &&
        this.#startBytes === 0 &&
        bytes.length - offset >= messageHeaderBytes
      ) {
        offset = this.#begin(bytes, offset, messages)
      } else {
        offset = this.#collectStart(bytes, offset, messages)
      }
    }
    return messages
  }

  /** What has come so far ends in the middle of something, be it the preamble. */
  get incomplete(): boolean {
    return this.#state !== "header" || this.#startBytes > 0
  }

  /** The body has ended. Throws WireError("message_truncated") when that is in the middle of something. */
  end(): void {
    if (this.incomplete) throw new WireError("message_truncated", `in a ${this.#state}`)
  }

  /** A header stands whole at `offset`. */
  #begin(bytes: Buffer, offset: number, messages: Message[]): number {
    const end = offset + messageBytesAt(bytes, offset, this.#limits)
    if (end <= bytes.length) {
      messages.push(bytes.subarray(offset, end))
      return end
    }
    this.#parts = [bytes.subarray(offset)]
    this.#missingBytes = end - bytes.length
    this.#gathered = 0
    this.#state = "message"
    return bytes.length
  }

  #continue(bytes: Buffer, offset: number, messages: Message[]): number {
    const end = Math.min(bytes.length, offset + this.#missingBytes)
    this.#missingBytes -= end - offset
    this.#keep(bytes.subarray(offset, end))
    if (this.#missingBytes === 0) this.#complete(messages)
    return end
  }

  #keep(part: Buffer): void {
    if (part.length >= gatherBelowBytes) {
      this.#parts.push(part)
      this.#gathered = 0
      return
    }
    const last = this.#gathered === 0 ? undefined : this.#parts.at(-1)
    if (last !== undefined && this.#gathered + part.length <= gatherBytes) {
      // The slab behind the last part has room for this one as well.
      const slab = Buffer.from(last.buffer, last.byteOffset, gatherBytes)
      part.copy(slab, this.#gathered)
      this.#gathered += part.length
      this.#parts[this.#parts.length - 1] = slab.subarray(0, this.#gathered)
      return
    }
    const slab = Buffer.allocUnsafeSlow(gatherBytes)
    part.copy(slab, 0)
    this.#gathered = part.length
    this.#parts.push(slab.subarray(0, part.length))
  }

  #complete(messages: Message[]): void {
    const [only] = this.#parts
    messages.push(this.#parts.length === 1 && only !== undefined ? only : this.#parts)
    this.#parts = []
    this.#state = "header"
  }

  /** Adds to a preamble or header that comes in pieces; returns how far it read. */
  #collectStart(bytes: Buffer, offset: number, messages: Message[]): number {
    const wanted = this.#state === "preamble" ? preambleBytes : messageHeaderBytes
    const end = Math.min(bytes.length, offset + wanted - this.#startBytes)
    bytes.copy(this.#start, this.#startBytes, offset, end)
    this.#startBytes += end - offset
    if (this.#state === "preamble") checkPreamble(this.#start.subarray(0, this.#startBytes))
    if (this.#startBytes < wanted) return end
    const start = this.#start
    this.#start = Buffer.allocUnsafe(messageHeaderBytes)
    this.#startBytes = 0
    if (this.#state === "preamble") {
      this.#state = "header"
      return end
    }
    this.#missingBytes = messageBytesAt(start, 0, this.#limits) - messageHeaderBytes
    this.#parts = [start]
    this.#gathered = 0
    if (this.#missingBytes === 0) this.#complete(messages)
    else this.#state = "message"
    return end
  }
}

const gatherBelowBytes = 4 * 1024
const gatherBytes = 16 * 1024
