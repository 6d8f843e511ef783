// Counts wrong tokens per address, so that trying many costs the one who tries and not the edge. Right tokens are never
// asked for here: whoever shares an address with a guesser is let in as ever.
import type { Clock } from "../clock.ts"
import { networkOf } from "../ingress/plain-address.ts"

export interface FailedAttemptsOptions {
  readonly clock: Clock
  /** Wrong tokens of one address within a minute that are answered as such. Default 30. */
  readonly mostPerMinute?: number
  /** Addresses that are counted at a time; the one that began first is forgotten for a new one. Default 10,000. */
  readonly mostAddresses?: number
}

export interface Verdict {
  /** Undefined: an ordinary refusal. Else: too many, seconds until the count begins anew. */
  readonly retryAfterSeconds: number | undefined
  /** The first one of this address in this minute: worth a line in the log. */
  readonly first: boolean
  /** How many of this address the minute before brought beyond that first one, for the log. */
  readonly before: number
}

export class FailedAttempts {
  readonly #clock: Clock
  readonly #mostPerMinute: number
  readonly #mostAddresses: number
  readonly #counts = new Map<string, { startedAt: number; count: number }>()

  constructor({ clock, mostPerMinute = 30, mostAddresses = 10_000 }: FailedAttemptsOptions) {
    this.#clock = clock
    this.#mostPerMinute = mostPerMinute
    this.#mostAddresses = mostAddresses
  }

  /** Addresses that are counted at present. */
  get size(): number {
    return this.#counts.size
  }

  /** A wrong token came from this address. */
  note(address: string): Verdict {
    const now = this.#clock.now()
    const who = networkOf(address)
    let entry = this.#counts.get(who)
    let before = 0
    if (entry === undefined || now - entry.startedAt >= minuteMs || now < entry.startedAt) {
      before = entry === undefined ? 0 : entry.count - 1
      this.#counts.delete(who)
      this.#makeRoom()
      entry = { startedAt: now, count: 0 }
      this.#counts.set(who, entry)
    }
    entry.count++
    const over = entry.count > this.#mostPerMinute
    return {
      retryAfterSeconds: over ? Math.ceil((entry.startedAt + minuteMs - now) / 1000) : undefined,
      first: entry.count === 1,
      before,
    }
  }

  #makeRoom(): void {
    if (this.#counts.size < this.#mostAddresses) return
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
  }
}

const minuteMs = 60_000
