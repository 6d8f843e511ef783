// The sender's half of a session's reliability: numbered messages are kept, with the carrier they went out on, until the
// peer acknowledges them, and are given out again when that carrier is lost.
import { putMessageAck, WireError } from "../wire/index.ts"
import { Piecewise } from "./piecewise.ts"
import { pieceWithAcknowledgement } from "./unnumbered.ts"

/** Names one carrier (a connection, a poll, a push) within its session. The owner never uses a number twice. */
export type CarrierId = number

/** Numbers run 1, 2, 3 …; the kept ones are always without a gap. */
export class RetainedMessages {
  /** Kept messages in order; those before #first are acknowledged already and wait for compaction. */
  #messages: (Retained | undefined)[] = []
  #first = 0
  #acknowledged = 0
  #bytes = 0
  #toResend = 0
  /** No message before this index waits to be sent again. */
  #resendCursor = 0
  readonly #piecewise = new Piecewise()
  readonly #pieces: boolean

  /** `pieces`: the peer takes messages in pieces. */
  constructor(pieces: boolean) {
    this.#pieces = pieces
  }

  /** Number of the message last added. */
  get lastNumber(): number {
    return this.#acknowledged + this.count
  }

  get acknowledgedNumber(): number {
    return this.#acknowledged
  }

  get count(): number {
    return this.#messages.length - this.#first
  }

  /** Bytes kept, headers included. */
  get bytes(): number {
    return this.#bytes
  }

  get hasResends(): boolean {
    return this.#toResend > 0
  }

  /** Keeps the message whose number is `lastNumber + 1`. */
  add(carrier: CarrierId, buffers: readonly Buffer[], bytes: number): void {
    this.#messages.push({ carrier, buffers, bytes, waits: false })
    this.#bytes += bytes
  }

  /**
   * Forgets everything up to `number`, telling `onReleased` of the buffers. Returns whether that was anything. Throws
   * WireError("ack_unsent").
   */
  acknowledge(number: number, onReleased?: (buffers: readonly Buffer[]) => void): boolean {
    if (number <= this.#acknowledged) return false
    if (number > this.lastNumber) throw new WireError("ack_unsent", `${number} after ${this.lastNumber}`)
    const end = this.#first + number - this.#acknowledged
    for (let index = this.#first; index < end; index++) {
      const message = this.#messages[index]
      if (message === undefined) continue
      this.#bytes -= message.bytes
      if (message.waits) this.#toResend--
      this.#messages[index] = undefined
      if (onReleased !== undefined && message.buffers.length > 1) onReleased(message.buffers)
    }
    this.#first = end
    this.#acknowledged = number
    this.#piecewise.reset()
    this.#compact()
    return true
  }

  /** The peer has the first bytes of that message's payload. Returns whether that is news. */
  has(number: number, payloadBytes: number): boolean {
    return number === this.#acknowledged + 1 && this.count > 0 && this.#piecewise.has(payloadBytes)
  }

  /** Whether the oldest message is too large for the path. */
  get inPieces(): boolean {
    const oldest = this.#messages[this.#first]
    return oldest !== undefined && this.#piecewise.wants(oldest.bytes)
  }

  /** Marks what this carrier took and the peer has not acknowledged. */
  carrierLost(carrier: CarrierId): void {
    this.#mark((message) => message.carrier === carrier, this.#piecewise.took(carrier))
  }

  resendAll(): void {
    this.#mark(() => true, true)
  }

  /** The oldest message that has to be sent again, with a fresh acknowledgement. */
  nextResend(carrier: CarrierId, ack: number): readonly Buffer[] | undefined {
    if (this.#toResend === 0) return undefined
    let index = Math.max(this.#resendCursor, this.#first)
    while (index < this.#messages.length && this.#messages[index]?.waits !== true) index++
    this.#resendCursor = index + 1
    const message = this.#messages[index]
    const header = message?.buffers[0]
    if (message === undefined || header === undefined) return undefined
    if (this.#pieces && index === this.#first && this.#piecewise.wants(message.bytes)) {
      const next = this.#piecewise.next(carrier, this.#acknowledged + 1, message.buffers, message.bytes)
      message.carrier = carrier
      if (next.last) this.#sentAgain(message)
      else this.#resendCursor = index
      return [pieceWithAcknowledgement(ack, next.piece)]
    }
    this.#sentAgain(message)
    message.carrier = carrier
    // In place: acknowledgements only grow, so whoever still holds the old bytes sends no untruth.
    putMessageAck(header, ack)
    return message.buffers
  }

  #sentAgain(message: Retained): void {
    this.#toResend--
    message.waits = false
  }

  /** `oldest`: also the oldest one, whoever took it last. */
  #mark(matches: (message: Retained) => boolean, oldest: boolean): void {
    const first = this.#messages[this.#first]
    if (first !== undefined && (oldest || matches(first))) {
      if (!first.waits || this.#piecewise.underWay) this.#piecewise.lost()
      this.#markOne(first, this.#first)
    }
    for (let index = this.#messages.length - 1; index >= this.#first; index--) {
      const message = this.#messages[index]
      if (message !== undefined && matches(message)) this.#markOne(message, index)
    }
  }

  #markOne(message: Retained, index: number): void {
    if (message.waits) return
    message.waits = true
    this.#toResend++
    if (index < this.#resendCursor) this.#resendCursor = index
  }

  // Amortised: the array is rebuilt when at least half of it is acknowledged.
  #compact(): void {
    if (this.count === 0) {
      this.#messages.length = 0
    } else if (this.#first < compactFrom || this.#first * 2 < this.#messages.length) {
      return
    } else {
      this.#messages.splice(0, this.#first)
    }
    this.#resendCursor = Math.max(0, this.#resendCursor - this.#first)
    this.#first = 0
  }
}

interface Retained {
  readonly buffers: readonly Buffer[]
  readonly bytes: number
  carrier: CarrierId
  waits: boolean
}

const compactFrom = 64
