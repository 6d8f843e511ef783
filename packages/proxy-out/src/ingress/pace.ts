// Whether a client goes on fast enough: how long it has not, looked at once per sweep. A byte now and then does not count as going on
// where a pace is asked for.
export class Pace {
  #sweeps = 0
  #sinceBytes = 0

  /** For how many sweeps the pace has been missed, as `missed` said last. */
  get sweeps(): number {
    return this.#sweeps
  }

  /** What happens next is measured from here. */
  begin(doneBytes: number): 0 {
    this.#sweeps = 0
    this.#sinceBytes = doneBytes
    return 0
  }

  /**
   * For how many sweeps too little has been done; 0 once the average since then reaches the pace. `doneBytes`: all in all. A pace of 0 is
   * kept by any byte.
   */
  missed(doneBytes: number, bytesPerSweep: number): number {
    this.#sweeps++
    const movedBytes = doneBytes - this.#sinceBytes
    if (movedBytes > 0 && movedBytes >= this.#sweeps * bytesPerSweep) return this.begin(doneBytes)
    return this.#sweeps
  }
}
