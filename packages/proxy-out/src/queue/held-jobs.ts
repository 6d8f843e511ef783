// The jobs that this edge has fetched and not yet handed out whole. Normally one, for less than a millisecond.
import type { Ticket } from "./broker.ts"
import type { OwnJob, OwnTickets } from "./own-tickets.ts"

export interface HeldJob {
  readonly id: string
  /** Ours, when this edge has put the job into the queue. */
  readonly own: OwnJob | undefined
  readonly tickets: (Ticket | undefined)[]
  /** Index of the next one to hand out. */
  next: number
  /** Something of what Redis holds for this job is not to be handed out any more. */
  touched: boolean
}

export class HeldJobs {
  readonly #jobs: HeldJob[] = []
  readonly #own: OwnTickets
  /** Called with a job that has nothing left to hand out. */
  readonly #onEmpty: (job: HeldJob) => void

  constructor(own: OwnTickets, onEmpty: (job: HeldJob) => void) {
    this.#own = own
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#jobs.length
  }

  get ids(): string[] {
    return this.#jobs.map((job) => job.id)
  }

  push(job: HeldJob): void {
    this.#jobs.push(job)
  }

  /** The next ticket that still waits, marked as handed out. `now` in epoch milliseconds; what is past its deadline is dropped. */
  take(now: number): { ticket: Ticket; job: HeldJob } | undefined {
    for (let job = this.#jobs[0]; job; job = this.#jobs[0]) {
      while (job.next < job.tickets.length) {
        const ticket = job.tickets[job.next++]
        if (ticket && this.#isWaiting(ticket, job, now)) {
          job.touched = true
          return { ticket, job }
        }
      }
      this.#jobs.shift()
      this.#onEmpty(job)
    }
    return undefined
  }

  /** Undoes the last `take`. */
  putBack(ticket: Ticket, job: HeldJob): void {
    job.next--
    if (job.own) this.#own.putBack(ticket, job.own)
    if (this.#jobs[0] !== job) this.#jobs.unshift(job)
  }

  /** A ticket of another edge needs nobody any more. */
  withdraw(ticketId: string): void {
    for (const job of this.#jobs) {
      if (job.own) continue
      const index = job.tickets.findIndex((ticket) => ticket?.id === ticketId)
      if (index >= job.next) {
        job.tickets[index] = undefined
        job.touched = true
      }
    }
  }

  /** Tickets that wait in this job. */
  waitingIn(job: HeldJob): Ticket[] {
    const rest = job.tickets.slice(job.next).filter((ticket) => ticket !== undefined)
    const { own } = job
    return own ? rest.filter((ticket) => this.#own.isIn(ticket, own)) : rest
  }

  /** Tickets of other edges that wait here. */
  get foreign(): number {
    let count = 0
    for (const job of this.#jobs) if (!job.own) count += this.waitingIn(job).length
    return count
  }

  remove(jobId: string): HeldJob | undefined {
    const index = this.#jobs.findIndex((job) => job.id === jobId)
    return index === -1 ? undefined : this.#jobs.splice(index, 1)[0]
  }

  /** Everything, which is no longer held afterwards. */
  clear(): HeldJob[] {
    return this.#jobs.splice(0)
  }

  #isWaiting(ticket: Ticket, job: HeldJob, now: number): boolean {
    return job.own ? this.#own.take(ticket, job.own) : ticket.deadlineAt > now
  }
}
