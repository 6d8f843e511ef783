// Deadlines that all lie the same time ahead: kept in the order they were set, so one timer serves any number of
// them and setting or clearing one costs a map operation, not a timer.
import type { Clock } from "../clock.ts"

export interface DeadlinesOptions<T> {
  /** How far ahead every deadline lies, in milliseconds. */
  readonly afterMs: number
  readonly clock: Clock
  /** Called once for an item whose deadline has passed; it is no longer in the set then. */
  readonly onExpired: (item: T) => void
}

export class Deadlines<T> {
  readonly #options: DeadlinesOptions<T>
  readonly #dueAt = new Map<T, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: DeadlinesOptions<T>) {
    this.#options = options
  }

  get size(): number {
    return this.#dueAt.size
  }

  /** (Re)starts the item's deadline. */
  set(item: T): void {
    this.#dueAt.delete(item) // to the end of the insertion order, which is the order of deadlines
    this.#dueAt.set(item, this.#options.clock.now() + this.#options.afterMs)
    if (this.#timer === undefined) this.#arm(this.#options.afterMs)
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
      if (dueAt > now) break
      this.#dueAt.delete(item)
      this.#options.onExpired(item)
    }
    this.#timer = undefined // only now: what is set again meanwhile needs no timer of its own
    const next = this.#dueAt.values().next()
    if (!next.done) this.#arm(Math.max(1, next.value - now))
  }
}
