// Lets one log line of each name pass in a while, and counts those that it holds back: a flood must not fill a disk.
export class LogLimit<Name extends string> {
  readonly #periodMs: number
  readonly #now: () => number
  readonly #entries = new Map<Name, { passedAt: number; heldBack: number }>()

  /** `now`: milliseconds. The names must be few: each is remembered. */
  constructor(periodMs: number, now: () => number) {
    this.#periodMs = periodMs
    this.#now = now
  }

  /** How many were held back since the last one that passed; undefined when this one is held back too. */
  pass(name: Name): number | undefined {
    const now = this.#now()
    const entry = this.#entries.get(name)
    if (entry !== undefined && now - entry.passedAt < this.#periodMs) {
      entry.heldBack++
      return undefined
    }
    this.#entries.set(name, { passedAt: now, heldBack: 0 })
    return entry?.heldBack ?? 0
  }
}
