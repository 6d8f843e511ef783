// How long to wait before the next try: doubling, capped, and jittered so that many agents do not come back at once.
import type { Clock } from "../clock.ts"

export interface BackoffRange {
  readonly firstMs: number
  readonly mostMs: number
}

export class Backoff {
  readonly #range: BackoffRange
  readonly #clock: Clock
  #attempt = 0

  constructor(range: BackoffRange, clock: Clock) {
    this.#range = range
    this.#clock = clock
  }

  /** Tries since the last success, from 0. */
  get attempt(): number {
    return this.#attempt
  }

  /** Milliseconds to wait before the next try: between half and the whole of the present step. */
  next(): number {
    const { firstMs, mostMs } = this.#range
    const step = Math.min(mostMs, firstMs * 2 ** Math.min(this.#attempt++, 20))
    return step * (0.5 + this.#clock.random() / 2)
  }

  reset(): void {
    this.#attempt = 0
  }
}
