// Every exchange that is not over, and which of them has waited too long for its response. Exchanges are linked to each other:
// coming and going costs four assignments, and what has gone leaves nothing behind for the collector.
import type { Clock } from "../clock.ts"

/** What an exchange carries for this list; only the list touches it. */
export interface LiveEntry {
  before: this | undefined
  after: this | undefined
  /** When its response is overdue, in the clock's milliseconds; infinite while none is awaited. */
  overdueAt: number
}

export interface LiveExchangesOptions<Entry> {
  /** How long a response may take to begin, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Called once for an entry whose response is overdue, at most a twentieth of the time late. */
  readonly onOverdue: (entry: Entry) => void
}

export class LiveExchanges<Entry extends LiveEntry> implements Iterable<Entry> {
  readonly #options: LiveExchangesOptions<Entry>
  #first: Entry | undefined
  #last: Entry | undefined
  #size = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: LiveExchangesOptions<Entry>) {
    this.#options = options
  }

  get size(): number {
    return this.#size
  }

  add(entry: Entry): void {
    entry.before = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.after = entry
    this.#last = entry
    this.#size++
  }

  /** Only what was added, and once. */
  delete(entry: Entry): void {
    const { before, after } = entry
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    entry.before = undefined
    entry.after = undefined
    entry.overdueAt = Number.POSITIVE_INFINITY
    this.#size--
  }

  /** The wait for its response begins (anew). */
  await(entry: Entry): void {
    entry.overdueAt = this.#options.clock.now() + this.#options.timeoutMs
    this.#timer ??= this.#arm()
  }

  /** No response is awaited. */
  awaitNothing(entry: Entry): void {
    entry.overdueAt = Number.POSITIVE_INFINITY
  }

  /** Those that are there now: later changes do not show. */
  [Symbol.iterator](): Iterator<Entry> {
    const entries: Entry[] = []
    for (let entry = this.#first; entry !== undefined; entry = entry.after) entries.push(entry)
    return entries.values()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): NodeJS.Timeout {
    const sweepMs = Math.min(maxSweepMs, Math.max(minSweepMs, this.#options.timeoutMs / 20))
    return setTimeout(() => this.#sweep(), sweepMs).unref()
  }

  #sweep(): void {
    const now = this.#options.clock.now()
    for (const entry of this) {
      if (entry.overdueAt > now) continue
      entry.overdueAt = Number.POSITIVE_INFINITY
      this.#options.onOverdue(entry)
    }
    this.#timer = this.#size > 0 ? this.#arm() : undefined
  }
}

const minSweepMs = 10
const maxSweepMs = 1000
