// How many requests ended per second lately. A ring of counters, one for each second.
export class RequestRate {
  readonly #counts = new Float64Array(ringSeconds)
  #second = 0

  /** `nowMs` only goes forward. */
  note(nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) this.#advance(second)
    this.#counts[second % ringSeconds]! += 1
  }

  /** The mean of the last five seconds or so. */
  perSecond(nowMs: number): number {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) this.#advance(second)
    let sum = 0
    for (let back = 0; back < windowSeconds; back++) {
      sum += this.#counts[(second - back + ringSeconds * windowSeconds) % ringSeconds] ?? 0
    }
    // The present second has only begun.
    return sum / (windowSeconds - 1 + (nowMs % 1000) / 1000)
  }

  #advance(second: number): void {
    const passed = Math.min(ringSeconds, second - this.#second)
    for (let step = 0; step < passed; step++) this.#counts[(second - step) % ringSeconds] = 0
    this.#second = second
  }
}

const windowSeconds = 5
const ringSeconds = 8
