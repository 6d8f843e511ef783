// The one place of this package that reads the time, so that tests can hand in their own.

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** Milliseconds with fractions that only go forward, for durations. */
export function monotonicMs(): number {
  return performance.now()
}
