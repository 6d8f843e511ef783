// Bounds how much of one kind is under way at a time; the rest waits, first come, first served.
export class Turns {
  readonly #waiting: (() => void)[] = []
  #free: number

  /** `most`: at least 1. */
  constructor(most: number) {
    this.#free = most
  }

  /** Begins `work` when it is its turn. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
