// How long things took, counted into preallocated places: observing costs a few comparisons and two additions.

/** Upper bounds in seconds, smallest first; above the last is only +Inf. */
export const durationBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]
const boundsMs = Float64Array.from(durationBounds, (seconds) => seconds * 1000)

export class DurationHistogram {
  /** How many fell under each bound and over the one before; the last place is for what is over all. */
  readonly counts = new Float64Array(boundsMs.length + 1)
  sumMs = 0

  observe(ms: number): void {
    let place = 0
    while (place < boundsMs.length && ms > (boundsMs[place] ?? 0)) place++
    this.counts[place] = (this.counts[place] ?? 0) + 1
    this.sumMs += ms
  }
}
