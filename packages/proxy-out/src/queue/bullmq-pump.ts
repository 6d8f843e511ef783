// Fetches one tunnel's jobs, one at a time and only while somebody has room; the round trip that fetches a job also
// removes the one before. BullMQ's blocking fetch is not used: knowing what we added and hearing of what others added is enough.
import { JobLostError } from "./bullmq-store.ts"
import type { BullmqQueue, FetchedJob } from "./bullmq-store.ts"

export interface BullmqPumpOptions {
  readonly queue: BullmqQueue
  /** "no": nobody here has room; "closed": Redis is not to be used now. */
  readonly wanted: () => "yes" | "no" | "closed"
  /** Returns whether the job is one that was expected. */
  readonly accept: (job: FetchedJob) => boolean
  /** Redis is unreachable or refuses; a job may have been fetched all the same. */
  readonly failed: (error: unknown) => void
  /** A job that is handed out could not be removed from Redis. */
  readonly doubt: (jobId: string) => void
  /** Something waits that this edge does not want: others should look. */
  readonly announce: () => void
}

export class BullmqPump {
  readonly #options: BullmqPumpOptions
  /** Handed out, to be removed from Redis. */
  readonly #toFinish: string[] = []
  #running: Promise<void> | undefined
  #finishTimer: NodeJS.Timeout | undefined
  /** Jobs ever announced by `expect`, and how many of them should still be there. */
  #added = 0
  #expected = 0
  /** Times that somebody said that there may be more, and whether that is still to be looked into. */
  #hints = 0
  #hinted = false
  /** Others have not been told of the last jobs. */
  #unannounced = false

  constructor(options: BullmqPumpOptions) {
    this.#options = options
  }

  /** Nothing under way and nothing to do. */
  get idle(): boolean {
    return this.#running === undefined && this.#toFinish.length === 0
  }

  /** This edge has just sent a job to Redis on the connection that the pump uses. */
  expect(): void {
    this.#added++
    this.#expected++
    this.#unannounced = true
  }

  /** Jobs that we do not know of may be waiting. */
  hint(): void {
    this.#hints++
    this.#hinted = true
  }

  /** Looks for jobs, if there may be any and somebody has room. Cheap when there is nothing to do. */
  poke(): void {
    if (this.#running !== undefined || (!this.#hinted && this.#expected === 0)) return
    if (this.#options.wanted() === "yes") this.#running = this.#run()
    else this.#announce()
  }

  /** The job's tickets are all handed out. */
  finish(jobId: string): void {
    this.#toFinish.push(jobId)
    this.#finishSoon()
  }

  /** Forgets everything about the queue; returns the jobs that were still to be removed. */
  reset(): string[] {
    clearTimeout(this.#finishTimer)
    this.#finishTimer = undefined
    this.#expected = 0
    this.#unannounced = false
    this.hint()
    return this.#toFinish.splice(0)
  }

  /** Resolves when no fetch is under way. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      do {
        // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
        await this.#next()
      } while ((this.#hinted || this.#expected > 0) && this.#options.wanted() === "yes")
    } catch (error) {
      this.#options.failed(error)
    }
    this.#running = undefined
    this.#finishSoon()
    if (this.#hinted || this.#expected > 0) this.#announce()
  }

  async #next(): Promise<void> {
    const { queue, accept } = this.#options
    const addedBefore = this.#added
    const hintsBefore = this.#hints
    const finishing = this.#toFinish.pop()
    let job: FetchedJob | undefined
    try {
      job = await (finishing === undefined ? queue.fetch() : queue.finish(finishing, true))
    } catch (error) {
      // Nothing was fetched, and the job that is not ours any more is not ours to remove.
      if (error instanceof JobLostError) return
      if (finishing !== undefined) this.#options.doubt(finishing)
      throw error
    }
    if (job) {
      if (accept(job)) this.#expected = Math.max(0, this.#expected - 1)
      return
    }
    // The queue was empty when Redis looked; what was added or announced since then may be there.
    this.#expected = this.#added - addedBefore
    this.#hinted = this.#hints !== hintsBefore
    if (this.#expected === 0) this.#unannounced = false
  }

  #announce(): void {
    if (!this.#unannounced || this.#options.wanted() !== "no") return
    this.#unannounced = false
    this.#options.announce()
  }

  /** Under load the next fetch removes the job for free, so it gets a moment to do so. */
  #finishSoon(): void {
    if (this.#toFinish.length === 0 || this.#finishTimer !== undefined) return
    this.#finishTimer = setTimeout(() => {
      this.#finishTimer = undefined
      if (this.#running === undefined) this.#finishNow()
    }, finishDelayMs)
  }

  #finishNow(): void {
    for (const jobId of this.#toFinish.splice(0)) {
      this.#options.queue.finish(jobId, false).catch((error: unknown) => {
        if (!(error instanceof JobLostError)) this.#options.doubt(jobId)
      })
    }
  }
}

const finishDelayMs = 2
