// The one place of this package that reads the time and chance, so that tests can hand in their own.

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** 0 inclusive to 1 exclusive. */
  random(): number
}

/** Milliseconds that only go forward, for durations. */
export function monotonicMs(): number {
  return performance.now()
}

export const systemClock: Clock = { now: () => Date.now(), random: () => Math.random() }
