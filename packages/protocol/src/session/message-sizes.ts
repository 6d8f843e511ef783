// How large new messages are: as large as the protocol likes them, until one does not get through a path that keeps breaking.
// Then small ones, and larger ones again the longer nothing is lost.
import type { WireLimits } from "../wire/index.ts"

/** On a path that breaks early. Heads and inline bodies may make a message larger; those go in pieces. */
const leastBytes = 32 * 1024
/** After this much without a loss messages may be twice as large. */
const calmBytes = 4 * 1024 * 1024

export class MessageSizes {
  readonly #limits: WireLimits
  #calmFor = 0
  /** Payload at which a message is closed. */
  messageBytes: number

  constructor(limits: WireLimits) {
    this.#limits = limits
    this.messageBytes = limits.targetMessageBytes
  }

  get reduced(): boolean {
    return this.messageBytes < this.#limits.targetMessageBytes
  }

  /** A message did not get through. Returns how large a frame of body bytes may be. */
  reduce(): number {
    this.#calmFor = 0
    this.messageBytes = Math.min(leastBytes, this.#limits.targetMessageBytes)
    return this.#frameBytes
  }

  /** A new message of that size went out. Returns how large a frame of body bytes may be. */
  sent(bytes: number): number {
    this.#calmFor += bytes
    if (this.#calmFor >= calmBytes) {
      this.#calmFor = 0
      this.messageBytes = Math.min(this.messageBytes * 2, this.#limits.targetMessageBytes)
    }
    return this.#frameBytes
  }

  get #frameBytes(): number {
    return Math.min(this.messageBytes, this.#limits.maxFrameDataBytes)
  }
}
