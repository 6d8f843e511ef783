// What a tunnel's queue needs now and then: locks renewed, stalled jobs brought back, vanished ones noticed, leftovers
// swept. Only what is in use costs anything; an idle tunnel is looked at twice a minute.
import type { Clock } from "../clock.ts"
import type { BullmqQueue } from "./bullmq-store.ts"
import type { HeldJobs } from "./held-jobs.ts"
import type { OwnJob, OwnTickets } from "./own-tickets.ts"

export interface BullmqUpkeepOptions {
  readonly queue: BullmqQueue
  readonly clock: Clock
  readonly own: OwnTickets
  readonly held: HeldJobs
  /** Spreads the rarer tasks of many tunnels over time. */
  readonly phase: number
  /** Something may wait that this edge does not know of. */
  readonly look: () => void
  /** Jobs are back in the queue. */
  readonly returned: () => void
  /** Redis does not have this job of ours, or it is out of our hands. */
  readonly recall: (job: OwnJob) => void
  /** Nothing is left in Redis of this queue. */
  readonly swept: () => void
  readonly failed: (error: unknown) => void
}

export class BullmqUpkeep {
  readonly #options: BullmqUpkeepOptions
  #busy = false

  constructor(options: BullmqUpkeepOptions) {
    this.#options = options
  }

  /** Once a second. `consumed`: somebody here serves this tunnel; `used`: this edge has written to its queue. */
  tick(second: number, { consumed, used }: { consumed: boolean; used: boolean }): void {
    if (consumed && this.#isTurn(second, lookEverySeconds)) this.#options.look()
    if (this.#busy) return
    this.#busy = true
    void this.#tick(second, used)
      .catch(this.#options.failed)
      .finally(() => {
        this.#busy = false
      })
  }

  async #tick(second: number, used: boolean): Promise<void> {
    const { own, held, queue, clock } = this.#options
    if (held.size > 0) await this.#renewLocks()
    if (own.jobs.size > 0) {
      const now = clock.now()
      const queued = [...own.jobs.values()].filter((job) => job.state === "queued")
      if (queued.some((job) => now - job.queuedAt > stalledAfterMs)) await this.#recoverStalled()
      const old = queued.filter((job) => now - job.queuedAt > missingAfterMs)
      if (old.length > 0 && second % missingEverySeconds === 0) await this.#noticeMissing(old)
    }
    if (used && this.#isTurn(second, sweepEverySeconds) && (await queue.sweep())) this.#options.swept()
  }

  async #renewLocks(): Promise<void> {
    const { held, queue, recall } = this.#options
    for (const jobId of await queue.extendLocks(held.ids)) {
      // Another edge has the job by now, or Redis has forgotten it.
      const own = held.remove(jobId)?.own
      if (own) recall(own)
    }
  }

  /** Only who owns waiting tickets has an interest, and who is dead has none: so this is enough, and costs idle tunnels nothing. */
  async #recoverStalled(): Promise<void> {
    if ((await this.#options.queue.recoverStalled()) > 0) this.#options.returned()
  }

  /** A job whose tickets another edge has just leased is gone too, so it takes two looks to believe it lost. */
  async #noticeMissing(jobs: readonly OwnJob[]): Promise<void> {
    const missing = new Set(await this.#options.queue.missing(jobs.map((job) => job.id)))
    // The last one first: each goes before those that wait already.
    for (const job of jobs.toReversed()) {
      job.missed = missing.has(job.id) ? job.missed + 1 : 0
      if (job.missed >= 2 && job.state === "queued") this.#options.recall(job)
    }
  }

  #isTurn(second: number, everySeconds: number): boolean {
    return (second + this.#options.phase) % everySeconds === 0
  }
}

const lookEverySeconds = 30
const sweepEverySeconds = 60
const stalledAfterMs = 1500
const missingAfterMs = 3000
const missingEverySeconds = 3
