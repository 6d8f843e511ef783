// What one run of many short exchanges comes to: when it measures, when it is over, and how long each exchange took.

export interface CountedJob {
  /** Exchanges that end within this time from the start are made but not counted. */
  readonly warmupMs: number
  readonly measureMs: number
}

export interface CountedResult {
  /** Answered within `measureMs`. */
  readonly requests: number
  readonly measuredMs: number
  /** All that were answered, those before and after the measured time too. */
  readonly allRequests: number
  readonly p50Us: number
  readonly p99Us: number
}

/** An exchange without an answer for this long will not get one. */
export const patienceMs = 20_000

export class Count {
  readonly #beginsAt: number
  readonly #endsAt: number
  #requests = 0
  #allRequests = 0

  constructor({ warmupMs, measureMs }: CountedJob) {
    latencies.fill(0)
    this.#beginsAt = performance.now() + warmupMs
    this.#endsAt = this.#beginsAt + measureMs
  }

  /** What was sent at `sentAt` has been answered at `now`. The answer says whether to send another. */
  add(sentAt: number, now: number): boolean {
    this.#allRequests++
    if (now < this.#beginsAt) return true
    if (now >= this.#endsAt) return false
    this.#requests++
    latencies[Math.min(longestUs, Math.round((now - sentAt) * 1000))]! += 1
    return true
  }

  result(): CountedResult {
    return {
      requests: this.#requests,
      allRequests: this.#allRequests,
      measuredMs: this.#endsAt - this.#beginsAt,
      p50Us: quantileUs(0.5 * this.#requests),
      p99Us: quantileUs(0.99 * this.#requests),
    }
  }
}

/** Anything slower counts as this slow. */
const longestUs = 2_000_000
/** How many exchanges took so many microseconds. */
const latencies = new Uint32Array(longestUs + 1)

function quantileUs(rank: number): number {
  let seen = 0
  return latencies.findIndex((requests) => (seen += requests) >= rank)
}
