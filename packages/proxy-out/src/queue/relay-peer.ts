// What one edge knows of its exchange of bytes with one other: a numbering each way, which begin anew together. No I/O.
import { encodeEntry } from "./relay-entry.ts"
import type { RelayEntry } from "./relay-entry.ts"

export interface RelayLimits {
  /** Payloads that leave together make an entry of about this size. */
  readonly entryBytes: number
  /** Bytes that may lie in the peer's inbox, sent and not acknowledged. */
  readonly windowBytes: number
  /** Bytes that may wait here. More than that, and the peer is given up. */
  readonly backlogBytes: number
}

export const defaultRelayLimits: RelayLimits = {
  entryBytes: 1_048_576,
  windowBytes: 8 * 1_048_576,
  backlogBytes: 64 * 1_048_576,
}

export interface Received {
  readonly payloads: readonly Buffer[]
  /** Everything before these payloads that was under way between the two edges is lost, both ways. */
  readonly lost: boolean
}

/**
 * Both sides begin with an empty entry that names their epoch; payloads flow once each knows the other's. A side that
 * misses something begins anew with a higher epoch, and the other, when it hears of that, does so as well: but only if
 * something had passed between them, so that two beginnings never chase each other.
 */
export class RelayPeer {
  readonly #self: string
  readonly #limits: RelayLimits
  readonly #newEpoch: () => number
  readonly #waiting: Buffer[] = []
  readonly #unacknowledged: { readonly number: number; readonly bytes: number }[] = []
  #inFlight: Buffer | undefined
  #waitingBytes = 0
  #unacknowledgedBytes = 0
  #receivedBytes = 0
  #epoch: number
  #peerEpoch = 0
  /** The peer has shown that it knows our epoch. */
  #established = false
  /** Payloads have been sent or received since we began. */
  #used = false
  #lastSent = 0
  #lastReceived = 0
  /** An entry is to be sent even if it carries nothing. */
  #speak = true

  /** `newEpoch` gives a higher number with every call, beginning above 0. */
  constructor(self: string, newEpoch: () => number, limits: RelayLimits) {
    this.#self = self
    this.#newEpoch = newEpoch
    this.#limits = limits
    this.#epoch = newEpoch()
  }

  /** Payloads wait for the peer to answer our beginning. */
  get unanswered(): boolean {
    return !this.#established && this.#waiting.length > 0
  }

  /** Returns false when too much waits: the peer has to be given up. */
  post(payload: Buffer): boolean {
    this.#waiting.push(payload)
    this.#waitingBytes += payload.length
    return this.#waitingBytes <= this.#limits.backlogBytes
  }

  /** The next `take` gives an entry, be it an empty one. */
  speak(): void {
    this.#speak = true
  }

  /** The entry to send now, the same one until `sent`; undefined when there is none or the window is full. */
  take(): Buffer | undefined {
    if (this.#inFlight) return this.#inFlight
    const open = this.#established && this.#unacknowledgedBytes < this.#limits.windowBytes
    if (!this.#speak && (!open || this.#waiting.length === 0)) return undefined
    const payloads = open ? this.#shiftPayloads() : []
    this.#speak = false
    this.#receivedBytes = 0
    this.#inFlight = this.#encode("payloads", payloads)
    return this.#inFlight
  }

  /** What `take` gave is in the peer's inbox. */
  sent(): void {
    this.#inFlight = undefined
  }

  bye(): Buffer {
    return this.#encode("bye", [])
  }

  receive(entry: RelayEntry): Received {
    // Of a time that is over.
    if (entry.epoch < this.#peerEpoch) return nothing
    const lost = entry.epoch !== this.#peerEpoch && this.#meet(entry.epoch)
    if (entry.peerEpoch !== this.#epoch) {
      // The peer does not know us yet, or not as what we are now.
      this.#speak = true
      return { payloads: [], lost }
    }
    if (!this.#established) {
      this.#established = true
      this.#speak = true
    }
    const due = entry.payloads.length > 0 ? this.#lastReceived + 1 : this.#lastReceived
    if (entry.number > due) return this.restart()
    this.#acknowledge(entry.acknowledged)
    if (entry.number < due || entry.payloads.length === 0) return { payloads: [], lost }
    return { payloads: this.#accept(entry), lost }
  }

  /** Begins anew: what waits or is under way is dropped, here and, as soon as it hears of it, at the peer. */
  restart(): Received {
    this.#epoch = this.#newEpoch()
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#used = false
    this.#begin()
    return { payloads: [], lost: true }
  }

  /** The peer has begun (anew). Returns whether that means a loss. */
  #meet(epoch: number): boolean {
    const lost = this.#used
    if (lost) this.restart()
    else this.#begin()
    this.#peerEpoch = epoch
    return lost
  }

  #begin(): void {
    this.#established = false
    this.#inFlight = undefined
    this.#unacknowledged.length = 0
    this.#unacknowledgedBytes = 0
    this.#receivedBytes = 0
    this.#lastSent = 0
    this.#lastReceived = 0
    this.#speak = true
  }

  #accept(entry: RelayEntry): readonly Buffer[] {
    this.#used = true
    this.#lastReceived = entry.number
    for (const payload of entry.payloads) this.#receivedBytes += payload.length
    // Early enough that a sender with a full window need not stop, late enough that answers usually carry it.
    if (this.#receivedBytes > this.#limits.windowBytes / 4) this.#speak = true
    return entry.payloads
  }

  #shiftPayloads(): readonly Buffer[] {
    let count = 0
    let bytes = 0
    for (const { length } of this.#waiting) {
      if (count > 0 && bytes + length > this.#limits.entryBytes) break
      bytes += length
      count++
    }
    if (count === 0) return []
    this.#used = true
    this.#waitingBytes -= bytes
    this.#unacknowledgedBytes += bytes
    this.#unacknowledged.push({ number: ++this.#lastSent, bytes })
    return this.#waiting.splice(0, count)
  }

  #acknowledge(number: number): void {
    let count = 0
    for (const entry of this.#unacknowledged) {
      if (entry.number > number) break
      this.#unacknowledgedBytes -= entry.bytes
      count++
    }
    this.#unacknowledged.splice(0, count)
  }

  #encode(kind: RelayEntry["kind"], payloads: readonly Buffer[]): Buffer {
    return encodeEntry({
      from: this.#self,
      kind,
      epoch: this.#epoch,
      peerEpoch: this.#peerEpoch,
      number: this.#lastSent,
      acknowledged: this.#lastReceived,
      payloads,
    })
  }
}

const nothing: Received = { payloads: [], lost: false }
