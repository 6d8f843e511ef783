// Which requests get a line: the first few of every second. The others are only counted, so that any load costs next to
// nothing and leaves a screen that can be read.
import type { SettledRequest } from "../observe/settled-request.ts"
import type { ReplayOutcome } from "../upstream/replay.ts"
import { requestFacts, type RequestFacts } from "./request-line.ts"

/** Lines in a second. */
const mostLines = 10
const secondMs = 1000

export interface WaitingLines {
  readonly requests: readonly RequestFacts[]
  /** Requests without a line in the second that is over; 0 while it lasts. */
  readonly more: number
}

export class RequestLines {
  readonly #now: () => number
  #waiting: RequestFacts[] = []
  #shown = 0
  #more = 0
  #secondEndsAt = 0

  /** `now`: epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** On the hot path. */
  add(tunnel: string, request: SettledRequest, ending: ReplayOutcome): void {
    if (this.#shown >= mostLines) {
      this.#more++
      return
    }
    this.#shown++
    this.#waiting.push(requestFacts(tunnel, request, ending, this.#now()))
  }

  /** What is to be printed now; to be called a few times a second. */
  take(): WaitingLines {
    const requests = this.#waiting
    this.#waiting = []
    const now = this.#now()
    if (now < this.#secondEndsAt) return { requests, more: 0 }
    const more = this.#more
    this.#secondEndsAt = now + secondMs
    this.#shown = 0
    this.#more = 0
    return { requests, more }
  }
}
