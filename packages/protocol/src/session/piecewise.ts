// A message that was lost again and again although it was the oldest one: the path seems to break before anything so large is through.
// It goes in pieces then, from where the peer says that it has it, so that every carrier brings it further.
import { messageHeaderBytes, type MessagePiece, pieceUnitBytes } from "../wire/index.ts"
import type { CarrierId } from "./retained.ts"

/**
 * How often the oldest message is lost whole before it goes in pieces. Any path breaks once in a while, and two polls that
 * broke together say so twice.
 */
const lossesBefore = 3
/** The first pieces are this long, and half of it after each further loss, down to the least. */
const firstPieceBytes = 64 * 1024
const leastPieceBytes = 16 * 1024

/** Always about the oldest unacknowledged message; `reset` when another one becomes that. */
export class Piecewise {
  #losses = 0
  /** The peer has this much of its payload. */
  #had = 0
  /** The next piece begins here. */
  #offset = 0
  readonly #carriers = new Set<CarrierId>()

  reset(): void {
    if (this.#losses === 0 && this.#had === 0) return
    this.#losses = 0
    this.#had = 0
    this.#offset = 0
    this.#carriers.clear()
  }

  /** Something that took it is lost. */
  lost(): void {
    this.#losses++
    this.#offset = this.#had
    this.#carriers.clear()
  }

  /** The peer has its first `payloadBytes`. Returns whether that is news. */
  has(payloadBytes: number): boolean {
    const bytes = payloadBytes - (payloadBytes % pieceUnitBytes)
    if (bytes <= this.#had) return false
    this.#had = bytes
    this.#offset = Math.max(this.#offset, bytes)
    return true
  }

  /** A piece of it went out since the last loss. */
  get underWay(): boolean {
    return this.#carriers.size > 0
  }

  /** Whether that carrier took a piece of it. */
  took(carrier: CarrierId): boolean {
    return this.#carriers.has(carrier)
  }

  /** Whether a message of that size, header included, is to go in pieces now. */
  wants(messageBytes: number): boolean {
    return this.#losses >= lossesBefore && messageBytes > leastPieceBytes + messageHeaderBytes
  }

  /** The next piece of that message, and whether it is the last one. */
  next(
    carrier: CarrierId,
    number: number,
    buffers: readonly Buffer[],
    messageBytes: number,
  ): { readonly piece: MessagePiece; readonly last: boolean } {
    const payloadBytes = messageBytes - messageHeaderBytes
    const wantedBytes = Math.max(leastPieceBytes, firstPieceBytes / 2 ** (this.#losses - lossesBefore))
    // The peer has all of it and its acknowledgement is on the way: the last unit may go once more.
    const lastUnit = Math.floor((payloadBytes - 1) / pieceUnitBytes) * pieceUnitBytes
    const offset = Math.min(this.#offset, lastUnit)
    const bytes = slice(buffers, messageHeaderBytes + offset, Math.min(wantedBytes, payloadBytes - offset))
    this.#offset = offset + bytes.length
    this.#carriers.add(carrier)
    return { piece: { number, payloadBytes, offset, bytes }, last: this.#offset === payloadBytes }
  }
}

/** A copy: what is kept by reference is used again as soon as the message is acknowledged. */
function slice(buffers: readonly Buffer[], start: number, bytes: number): Buffer {
  const part = Buffer.allocUnsafe(bytes)
  let skip = start
  let at = 0
  for (const buffer of buffers) {
    if (at === bytes) break
    if (skip >= buffer.length) {
      skip -= buffer.length
      continue
    }
    at += buffer.copy(part, at, skip, Math.min(buffer.length, skip + bytes - at))
    skip = 0
  }
  return part
}
