// Frames on their way to another edge. A payload is one byte that says in which role its sender speaks, and frames.
import { FrameWriter, WireError } from "@restante/protocol"

/** Frames on their way to the peer: all of one turn of the event loop as one payload. */
export class Outbox {
  readonly frames = new FrameWriter({ headroomBytes: 1 })
  readonly #role: number
  readonly #post: (payload: Buffer) => void
  #scheduled = false

  constructor(role: number, post: (payload: Buffer) => void) {
    this.#role = role
    this.#post = post
  }

  /** Something was written to `frames`. */
  written(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (let parts = this.frames.take(); parts !== undefined; parts = this.frames.take()) {
        const payload = Buffer.concat(parts)
        payload[0] = this.#role
        this.#post(payload)
      }
    })
  }
}

/** First byte of a payload: who speaks. The owner holds the client; the lessee has the agent. */
export const fromLessee = 0
export const fromOwner = 1

/** The frames that make sense between an agent and its edge only. */
export abstract class PeerFrames {
  onDrain(): void {
    throw unexpected("DRAIN")
  }

  onPing(): void {
    throw unexpected("PING")
  }

  onPong(): void {
    throw unexpected("PONG")
  }

  onResend(): void {
    throw unexpected("RESEND")
  }
}

export function unexpected(frame: string): WireError {
  return new WireError("frame_unexpected", `${frame} between edges`)
}
