// The one place of this package that reads the time, so that tests can hand in their own.

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/**
 * Milliseconds with fractions that only go forward, for durations. Read once in a turn of the event loop: several moments of every request are
 * taken, and under load a turn serves many requests.
 */
export function monotonicMs(): number {
  if (turnMs === undefined) {
    turnMs = performance.now()
    setImmediate(forgetTurn)
  }
  return turnMs
}

let turnMs: number | undefined

function forgetTurn(): void {
  turnMs = undefined
}
