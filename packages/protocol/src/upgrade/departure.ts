// One direction of a switched connection that may have to end although its peers would go on. A WebSocket is told so, with a Close
// between two frames; what is in another protocol cannot be told anything.
import { closeFrame, goingAway, WebSocketFrames } from "./websocket-frames.ts"

export class Departure {
  readonly #mask: (() => Buffer) | undefined
  readonly #frames = new WebSocketFrames()
  #leaving = false
  /** The Close is among what `pass` or `leave` gave out, or the peer's own was: the direction is at its end. */
  left = false

  /** `mask`: four unforeseeable bytes, for the direction from client to server. */
  constructor(mask?: () => Buffer) {
    this.#mask = mask
  }

  /** What of these bytes goes on: all, until we leave. */
  pass(bytes: Buffer): Buffer {
    if (this.left) return nothing
    if (!this.#leaving) {
      this.#frames.pass(bytes)
      return bytes
    }
    const end = this.#frames.toEnd(bytes, 0)
    return end === -1 ? bytes : Buffer.concat([bytes.subarray(0, end), this.#lastWord()])
  }

  /** No more than the frame that is under way. Returns what goes out at once, which is nothing in the middle of a frame. */
  leave(): Buffer {
    if (this.left) return nothing
    this.#leaving = true
    return this.#frames.between ? this.#lastWord() : nothing
  }

  #lastWord(): Buffer {
    this.left = true
    return this.#frames.closing ? nothing : closeFrame(goingAway, this.#mask?.())
  }
}

const nothing = Buffer.alloc(0)
