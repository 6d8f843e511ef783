// Whether the edge is still there: when it was last heard, whether it acknowledges what goes up, how long a PING takes, and
// whether something is missing that no carrier told of.
import { randomBytes } from "node:crypto"
import type { Session } from "@restante/protocol"
import type { Clock } from "../clock.ts"

/** Carriers that bring nothing for this long, or no acknowledgement for what went up, are dead, whatever TCP believes. */
export const silentMs = 22_000
/** How often a link looks. */
export const lookMs = 1000
/** An edge that has nothing to say is asked this often whether it is there. */
const pingMs = 10_000

export interface PulseFinding {
  /** Milliseconds since the edge was last heard. */
  readonly quietMs: number
  /** All carriers are to be given up. Said once; new ones get as long to show that they live. */
  readonly dead: boolean
  /** A message has been missing since the last look. */
  readonly missing: boolean
}

export class Pulse {
  readonly #session: Session
  readonly #clock: Clock
  readonly #onRoundTrip: (roundTripMs: number) => void
  #heardAt: number
  /** When an acknowledgement last came, or nothing waited for one. */
  #progressAt: number
  #acknowledged = 0
  /** When all carriers were last given up. */
  #abandonedAt = 0
  #pingSentAt = 0
  #ping: Buffer | undefined
  #missing = false

  constructor(session: Session, clock: Clock, onRoundTrip: (roundTripMs: number) => void) {
    this.#session = session
    this.#clock = clock
    this.#onRoundTrip = onRoundTrip
    this.#heardAt = clock.now()
    this.#progressAt = this.#heardAt
  }

  get quietMs(): number {
    return this.#clock.now() - this.#heardAt
  }

  /** Something came from the edge. */
  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  ping(): void {
    this.#pingSentAt = this.#clock.now()
    this.#ping = randomBytes(8)
    this.#session.ping(this.#ping)
  }

  pong(bytes: Buffer): void {
    if (this.#ping?.equals(bytes) !== true) return
    this.#ping = undefined
    this.#onRoundTrip(this.#clock.now() - this.#pingSentAt)
  }

  /** To be called every `lookMs`. `hurried`: there was trouble, so the edge is asked at every look. */
  look(hurried: boolean): PulseFinding {
    const now = this.#clock.now()
    const { unacknowledgedBytes, progress, missing } = this.#session
    if (unacknowledgedBytes === 0 || progress !== this.#acknowledged) {
      this.#acknowledged = progress
      this.#progressAt = now
    }
    const dead = now - Math.max(this.#abandonedAt, Math.min(this.#heardAt, this.#progressAt)) > silentMs
    if (dead) this.#abandonedAt = now
    // What waits for the edge may wait long: after trouble we ask at once whether it is over.
    if (now - this.#pingSentAt >= (hurried ? lookMs : pingMs)) this.ping()
    const lasting = missing && this.#missing
    this.#missing = missing
    return { quietMs: now - this.#heardAt, dead, missing: lasting }
  }
}
