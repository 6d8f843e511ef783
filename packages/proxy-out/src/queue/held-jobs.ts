// The jobs that this edge has fetched and not yet handed out whole. Normally one, for less than a millisecond.
import type { Ticket } from "./broker.ts"
import type { OwnJob, OwnTickets } from "./own-tickets.ts"

export interface HeldJob {
  readonly id: string
  /** Set when this edge has put the job into the queue. */
  readonly own: OwnJob | undefined
  readonly tickets: (Ticket | undefined)[]
  /** Index of the next one to hand out. */
  next: number
  /** What Redis holds for this job has tickets that are not to be handed out any more. */
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

  /** Tickets left, at most: some may have been withdrawn since. */
  get tickets(): number {
    return this.#jobs.reduce((count, job) => count + job.tickets.length - job.next, 0)
  }

  /** Tickets of other edges that wait here. */
  get foreign(): number {
    return this.#jobs.reduce((count, job) => count + (job.own ? 0 : this.waitingIn(job).length), 0)
  }

  push(job: HeldJob): void {
    this.#jobs.push(job)
  }

  /** The next ticket that still waits, counted as handed out. Others' tickets past their deadline (`now`, epoch milliseconds) are dropped. */
  take(now: number): { ticket: Ticket; job: HeldJob } | undefined {
    const job = this.settle(now)
    const ticket = job?.tickets[job.next]
    if (!job || !ticket) return undefined
    job.next++
    job.touched = true
    if (job.own) this.#own.take(ticket, job.own)
    return { ticket, job }
  }

  /** Undoes the last `take`. */
  putBack(ticket: Ticket, job: HeldJob): void {
    job.next--
    const { own, tickets, next } = job
    if (own) this.#own.putBack(ticket, own, tickets === own.tickets ? next : own.tickets.length)
  }

  /** Lets go of jobs that have nothing left; returns the first that has. */
  settle(now: number): HeldJob | undefined {
    for (let job = this.#jobs[0]; job; job = this.#jobs[0]) {
      while (job.next < job.tickets.length && !this.#waits(job.tickets[job.next], job, now)) {
        job.next++
        job.touched = true
      }
      if (job.next < job.tickets.length) return job
      this.#jobs.shift()
      this.#onEmpty(job)
    }
    return undefined
  }

  /** A ticket of another edge needs nobody any more. */
  withdraw(ticketId: string): void {
    for (const job of this.#jobs) {
      const index = job.own ? -1 : job.tickets.findIndex((ticket) => ticket?.id === ticketId)
      if (index < job.next) continue
      job.tickets[index] = undefined
      job.touched = true
    }
  }

  waitingIn({ tickets, next, own }: HeldJob): Ticket[] {
    const rest = tickets.slice(next).filter((ticket) => ticket !== undefined)
    return own ? rest.filter((ticket) => this.#own.isIn(ticket, own)) : rest
  }

  remove(jobId: string): HeldJob | undefined {
    const index = this.#jobs.findIndex((job) => job.id === jobId)
    return index === -1 ? undefined : this.#jobs.splice(index, 1)[0]
  }

  /** All of them, which are not held afterwards. */
  clear(): HeldJob[] {
    return this.#jobs.splice(0)
  }

  #waits(ticket: Ticket | undefined, job: HeldJob, now: number): boolean {
    if (!ticket) return false
    return job.own ? this.#own.isIn(ticket, job.own) : ticket.deadlineAt > now
  }
}
