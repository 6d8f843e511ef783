// Deadlines that all lie the same time ahead: kept in the order they were set, so one timer serves any number of
// them and setting or clearing one costs a map operation, not a timer. Only while those remain that were set before
// that time was shortened, all are looked at.
import type { Clock } from "../clock.ts"

export interface DeadlinesOptions<T> {
  /** How far ahead every deadline lies, in milliseconds. It may change: those that were set stay. */
  readonly afterMs: number
  readonly clock: Clock
  /** Called once for an item whose deadline has passed; it is no longer in the set then. */
  readonly onExpired: (item: T) => void
}

export class Deadlines<T> {
  readonly #options: DeadlinesOptions<T>
  readonly #dueAt = new Map<T, number>()
  #timer: NodeJS.Timeout | undefined
  #latestAt = 0
  /** Until then an earlier deadline may stand behind a later one. */
  #unorderedUntil = 0

  constructor(options: DeadlinesOptions<T>) {
    this.#options = options
  }

  get size(): number {
    return this.#dueAt.size
  }

  /** (Re)starts the item's deadline. */
  set(item: T): void {
    const { afterMs, clock } = this.#options
    const now = clock.now()
    const dueAt = now + afterMs
    this.#dueAt.delete(item) // to the end of the insertion order, which is the order of deadlines
    this.#dueAt.set(item, dueAt)
    if (dueAt >= this.#latestAt) this.#latestAt = dueAt
    else if (this.#unorderedUntil <= now) {
      this.#unorderedUntil = this.#latestAt
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    if (this.#timer === undefined) this.#arm(this.#delay(dueAt, now))
  }

  has(item: T): boolean {
    return this.#dueAt.has(item)
  }

  clear(item: T): void {
    this.#dueAt.delete(item)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueAt.clear()
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#sweep(), delayMs)
    this.#timer.unref()
  }

  #sweep(): void {
    const now = this.#options.clock.now()
    for (const [item, dueAt] of this.#dueAt) {
      if (dueAt > now) {
        if (this.#unorderedUntil > now) continue
        break
      }
      this.#dueAt.delete(item)
      this.#options.onExpired(item)
    }
    this.#timer = undefined // only now: what is set again meanwhile needs no timer of its own
    const next = this.#dueAt.values().next()
    if (!next.done) this.#arm(this.#delay(next.value, now))
  }

  #delay(dueAt: number, now: number): number {
    const delayMs = Math.max(1, dueAt - now)
    return this.#unorderedUntil > now ? Math.min(delayMs, unorderedSweepMs) : delayMs
  }
}

const unorderedSweepMs = 100
