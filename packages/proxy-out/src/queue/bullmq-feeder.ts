// Takes a tunnel's waiting tickets to Redis in micro-batches: while one addition is under way the next tickets collect and
// leave as one job. So a lone request has a job of its own, and under load the cost of a job is shared by many.
import type { Clock } from "../clock.ts"
import { dataOf } from "./bullmq-store.ts"
import type { BullmqQueue } from "./bullmq-store.ts"
import type { OwnJob, OwnTickets } from "./own-tickets.ts"
import { encodeTickets } from "./ticket-codec.ts"

export interface BullmqFeederOptions {
  readonly edgeId: string
  readonly queue: BullmqQueue
  readonly clock: Clock
  readonly own: OwnTickets
  /** Whether Redis is to be used. */
  readonly open: () => boolean
  /** How many of the tickets that wait here this edge could serve itself. */
  readonly free: () => number
  readonly newJobId: () => string
  /** The queue is about to be written to for the first time since the connection came up. */
  readonly onOpen: () => void
  /** A job is about to be sent. */
  readonly adding: () => void
  /** All jobs of this round are sent; they are not yet answered. */
  readonly sent: () => void
  readonly onAccepted: () => void
  /** Every ticket of the job was withdrawn while the job was on its way. */
  readonly emptied: (job: OwnJob) => void
  readonly failed: (error: unknown) => void
}

export class BullmqFeeder {
  /** This connection has written to the queue. */
  used = false
  readonly #options: BullmqFeederOptions
  #adding = false
  #scheduled = false

  constructor(options: BullmqFeederOptions) {
    this.#options = options
  }

  get busy(): boolean {
    return this.#adding || this.#scheduled
  }

  /** There is something to add. Leaves after the events of this turn, so that requests that came together leave together. */
  want(): void {
    if (this.busy) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  flush(): void {
    const { own, queue, open, sent } = this.#options
    if (this.#adding || !open() || own.outside === 0) return
    this.#adding = true
    queue.together(() => {
      this.#use()
      void this.#addAll(this.#cutJobs())
      sent()
    })
  }

  #use(): void {
    if (this.used) return
    this.used = true
    this.#options.onOpen()
    this.#options.queue.open().catch(() => undefined)
  }

  async #addAll(jobs: readonly OwnJob[]): Promise<void> {
    await Promise.all(jobs.map((job) => this.#add(job)))
    this.#adding = false
    if (this.#options.own.outside > 0) this.want()
  }

  /** What this edge can take itself goes in one job. The rest goes in small ones, so that several edges can share it. */
  #cutJobs(): OwnJob[] {
    const { own, free, newJobId } = this.#options
    let left = free()
    const jobs: OwnJob[] = []
    while (jobs.length < maxJobsAtOnce && own.outside > 0) {
      const job = own.cut(newJobId(), left > 0 ? left : sharedJobTickets)
      left -= job.waiting
      // Each urgent job goes before the last one, so the first of them has to be added last.
      if (job.first) jobs.unshift(job)
      else jobs.push(job)
    }
    return jobs
  }

  async #add(job: OwnJob): Promise<void> {
    const { edgeId, queue, clock, own, adding, onAccepted, emptied, failed } = this.#options
    const tickets = own.waitingIn(job)
    const data = dataOf(encodeTickets(edgeId, tickets))
    job.chars = data.length
    const lastDeadlineAt = tickets.reduce((last, ticket) => Math.max(last, ticket.deadlineAt), 0)
    const expiresInMs = Math.max(0, lastDeadlineAt - clock.now()) + jobGraceMs
    adding()
    try {
      await queue.add(job.id, data, { first: job.first, expiresInMs })
    } catch (error) {
      failed(error)
      return
    }
    onAccepted()
    // The fetch that was sent behind it may have been answered first.
    if (job.state !== "adding" || own.jobs.get(job.id) !== job) return
    job.state = "queued"
    job.queuedAt = clock.now()
    if (job.waiting === 0) emptied(job)
  }
}

/** Tickets in a job that whoever has room first should get. */
const sharedJobTickets = 16
const maxJobsAtOnce = 64
/** Redis keeps a job a little longer than its tickets are worth anything, for clocks that differ. */
const jobGraceMs = 60_000
