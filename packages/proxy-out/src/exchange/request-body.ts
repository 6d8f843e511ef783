// The request's body on its way from the client to the agent: collected while it is small, else streamed under credit.
import { SendCredit, wireLimits } from "@restante/protocol"
import type { AgentStream } from "./agent-stream.ts"
import type { Client } from "./client.ts"

/** What the body needs of the client. */
export type BodySource = Pick<Client, "pauseBody" | "resumeBody">

export class RequestBody {
  readonly #source: BodySource
  #held: Buffer[] = []
  #heldBytes = 0
  #trailers: string | undefined
  #stream: AgentStream | undefined
  #credit: SendCredit | undefined
  #paused = false
  /** True once a byte went to an agent: the body cannot be replayed any more. */
  streamed = false

  constructor(source: BodySource) {
    this.#source = source
  }

  /** Everything that the client sent has arrived here. */
  get complete(): boolean {
    return this.#trailers !== undefined
  }

  /** An agent would take more than the client has sent so far. */
  get starved(): boolean {
    return this.#stream !== undefined && !this.complete && this.#heldBytes === 0
  }

  /** The agent has been told all of it, its end included. */
  get sent(): boolean {
    return this.complete && this.#credit !== undefined && this.#stream === undefined && this.#heldBytes === 0
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The whole body as one buffer; only while nothing was streamed. */
  collected(): Buffer {
    return this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#heldBytes)
  }

  push(bytes: Buffer): void {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    this.#flush()
  }

  end(trailers: string): void {
    this.#trailers = trailers
    this.#flush()
  }

  /** Holds the client back until an agent takes the body. */
  hold(): void {
    if (!this.#paused && !this.complete) {
      this.#paused = true
      this.#source.pauseBody()
    }
  }

  attach(stream: AgentStream): void {
    this.#stream = stream
    this.#credit = new SendCredit(wireLimits.initialWindowBytes)
    this.#flush()
  }

  /** The stream is gone; what was not sent yet stays for the next one. */
  detach(): void {
    this.#stream = undefined
    this.hold()
  }

  grant(creditBytes: number): void {
    this.#credit?.grant(creditBytes)
    this.#flush()
  }

  writable(): void {
    this.#flush()
  }

  #flush(): void {
    const stream = this.#stream
    const credit = this.#credit
    if (stream === undefined || credit === undefined) return
    while (this.#held.length > 0 && credit.available > 0 && !stream.congested) {
      let bytes = this.#held.shift()!
      const most = Math.min(credit.available, wireLimits.maxFrameDataBytes)
      if (bytes.length > most) {
        this.#held.unshift(bytes.subarray(most))
        bytes = bytes.subarray(0, most)
      }
      this.#heldBytes -= bytes.length
      credit.take(bytes.length)
      this.streamed = true
      stream.data(bytes)
    }
    if (this.#held.length > 0) {
      this.hold()
      return
    }
    if (this.#trailers !== undefined) {
      this.streamed = true
      this.#stream = undefined
      stream.end(this.#trailers)
    } else if (this.#paused) {
      this.#paused = false
      this.#source.resumeBody()
    }
  }
}
