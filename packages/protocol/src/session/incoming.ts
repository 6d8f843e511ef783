// The receiver's half of a session's reliability: messages are handed on in the order of their numbers, each once. What
// comes early waits, what comes again is dropped, and a message that comes in pieces is put together.
import { type Message, type MessagePiece, totalBytes, WireError, type WireLimits } from "../wire/index.ts"
import { PartialMessage } from "./partial-message.ts"
import { ReorderBuffer } from "./reorder.ts"

export class Incoming {
  readonly #early: ReorderBuffer
  readonly #deliver: (message: Message) => void
  #received = 0
  /** Of the next message: pieces are sent of the one that holds up all others only. */
  #partial: PartialMessage | undefined

  /** `deliver` gets every message once, in order. What it throws is passed on. */
  constructor(limits: WireLimits, deliver: (message: Message) => void) {
    this.#early = new ReorderBuffer(limits)
    this.#deliver = deliver
  }

  /** Number of the last message that was handed on. */
  get received(): number {
    return this.#received
  }

  /** A later message is here, an earlier one is not. */
  get missing(): boolean {
    return !this.#early.isEmpty
  }

  /** So much of the next message's payload is here, from its first byte on; undefined when it does not come in pieces. */
  get have(): number | undefined {
    return this.#partial?.have
  }

  /** Throws WireError("number_beyond_window" | "reorder_overflow"). */
  take(number: number, message: Message): void {
    if (number <= this.#received) return
    if (number > this.#received + 1) {
      const whole = Buffer.isBuffer(message) ? message : Buffer.concat(message, totalBytes(message))
      this.#early.add(number, whole, this.#received)
      return
    }
    this.#next(message)
    while (!this.#early.isEmpty) {
      const next = this.#early.take(this.#received + 1)
      if (next === undefined) return
      this.#next(next)
    }
  }

  /** Throws WireError("frame_unexpected" | "frame_malformed"). */
  takePiece(piece: MessagePiece): void {
    if (piece.number <= this.#received) return
    if (piece.number > this.#received + 1)
      throw new WireError("frame_unexpected", "PIECE of a message whose predecessors are not here")
    this.#partial ??= new PartialMessage(piece.number, piece.payloadBytes)
    const whole = this.#partial.add(piece)
    if (whole !== undefined) this.take(piece.number, whole)
  }

  #next(message: Message): void {
    this.#received++
    this.#partial = undefined
    this.#deliver(message)
  }
}
