// A message of which only pieces have come: they may come in any order and more than once. It takes no more memory than
// what has come, whatever the pieces say of the whole.
import {
  messageHeaderBytes,
  type MessagePiece,
  pieceUnitBytes,
  putMessageHeader,
  WireError,
} from "../wire/index.ts"

export class PartialMessage {
  readonly #number: number
  readonly #payloadBytes: number
  readonly #units: (Buffer | undefined)[] = []
  #present = 0
  /** Units without a gap, from the first on. */
  #leading = 0

  constructor(number: number, payloadBytes: number) {
    this.#number = number
    this.#payloadBytes = payloadBytes
  }

  /** Bytes of the payload that are here without a gap, from the first on. */
  get have(): number {
    return Math.min(this.#leading * pieceUnitBytes, this.#payloadBytes)
  }

  /** Returns the whole message, header included, when this piece completes it. Throws WireError("frame_malformed"). */
  add({ payloadBytes, offset, bytes }: MessagePiece): Buffer | undefined {
    if (payloadBytes !== this.#payloadBytes)
      throw new WireError("frame_malformed", "pieces of one message disagree about its size")
    for (let at = 0; at < bytes.length; at += pieceUnitBytes) {
      const index = (offset + at) / pieceUnitBytes
      if (this.#units[index] !== undefined) continue
      // A copy, so that a unit does not keep all of what it came in.
      this.#units[index] = Buffer.from(bytes.subarray(at, at + pieceUnitBytes))
      this.#present++
    }
    while (this.#units[this.#leading] !== undefined) this.#leading++
    return this.#present * pieceUnitBytes >= payloadBytes ? this.#whole() : undefined
  }

  #whole(): Buffer {
    const message = Buffer.allocUnsafe(messageHeaderBytes + this.#payloadBytes)
    putMessageHeader(message, this.#payloadBytes, this.#number, 0)
    let at = messageHeaderBytes
    for (const unit of this.#units) at += unit?.copy(message, at) ?? 0
    return message
  }
}
