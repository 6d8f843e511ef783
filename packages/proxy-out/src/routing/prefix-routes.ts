// The routes of one host by their path prefixes. Finding the longest that fits costs one look for each length that occurs, and
// only where the target has a segment's end there: it does not depend on how many routes there are.

/** Where a request goes. */
export interface TunnelMatch {
  readonly tunnel: string
  /** What is to be cut from the target's beginning; "" for nothing. */
  readonly strip: string
}

export class PrefixRoutes {
  readonly #matches = new Map<string, TunnelMatch>()
  /** How many prefixes there are of each length. */
  readonly #counts = new Map<number, number>()
  /** The lengths that occur, longest first. */
  #lengths: readonly number[] = []

  /** The match of the longest prefix that the target is or lies below: `/api`, `/api/x` and `/api?x` for `/api`, not `/apix`. */
  find(target: string): TunnelMatch | undefined {
    for (const length of this.#lengths) {
      if (length === 0) return this.#matches.get("")
      if (length > target.length || !endsSegment(target, length)) continue
      const match = this.#matches.get(length === target.length ? target : target.slice(0, length))
      if (match !== undefined) return match
    }
    return undefined
  }

  get(prefix: string): TunnelMatch | undefined {
    return this.#matches.get(prefix)
  }

  /** Whether every target finds something. */
  get coversAll(): boolean {
    return this.#matches.has("")
  }

  get isEmpty(): boolean {
    return this.#matches.size === 0
  }

  /** Nothing happens where there is one already. */
  add(prefix: string, match: TunnelMatch): void {
    if (this.#matches.has(prefix)) return
    this.#matches.set(prefix, match)
    this.#count(prefix.length, 1)
  }

  delete(prefix: string): void {
    if (this.#matches.delete(prefix)) this.#count(prefix.length, -1)
  }

  #count(length: number, change: 1 | -1): void {
    const before = this.#counts.get(length) ?? 0
    if (before + change === 0) this.#counts.delete(length)
    else this.#counts.set(length, before + change)
    if (before === 0 || before + change === 0)
      this.#lengths = [...this.#counts.keys()].toSorted((a, b) => b - a)
  }
}

function endsSegment(target: string, at: number): boolean {
  if (at === target.length) return true
  const next = target.charCodeAt(at)
  return next === slash || next === questionMark
}

const slash = 0x2f
const questionMark = 0x3f
