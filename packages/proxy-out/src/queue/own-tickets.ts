// Every waiting ticket of one tunnel that this edge owns, and where it waits: still here, or in one of our jobs in Redis.
// The owner forgets a ticket only when it is leased or withdrawn, so nothing is lost with a Redis that loses its memory,
// and a copy that turns up a second time is recognised.
import type { Ticket } from "./broker.ts"
import { maxBatchChars, maxBatchTickets, ticketChars } from "./ticket-codec.ts"
import { TicketList } from "./ticket-list.ts"

export interface OwnJob {
  readonly id: string
  /** Goes to the head of the queue. */
  readonly first: boolean
  /** In order; undefined where a ticket waits no more. */
  readonly tickets: (Ticket | undefined)[]
  waiting: number
  /** Length of the data that Redis holds for this job. A different length means that somebody has taken tickets out of it. */
  chars: number
  state: "adding" | "queued" | "held"
  /** Epoch milliseconds; meaningful when queued. */
  queuedAt: number
  /** How many checks in a row did not find the job in Redis. */
  missed: number
}

export class OwnTickets {
  /** To be added at the head of the queue. */
  readonly urgent = new TicketList()
  /** To be added at its end. */
  readonly outgoing = new TicketList()
  /** By id, in the order in which they were added. */
  readonly jobs = new Map<string, OwnJob>()
  readonly #places = new Map<string, Place>()

  get waiting(): number {
    return this.urgent.size + this.outgoing.size + this.#places.size
  }

  /** Those that wait for a job. */
  get outside(): number {
    return this.urgent.size + this.outgoing.size
  }

  /** Those that wait in a job. */
  get inJobs(): number {
    return this.#places.size
  }

  offer(ticket: Ticket): void {
    this.#forget(ticket.id)
    this.outgoing.push(ticket)
  }

  reoffer(ticket: Ticket): void {
    this.#forget(ticket.id)
    this.urgent.unshift(ticket)
  }

  /** Makes a job of the tickets that are first in turn, as many as fit and at most `limit`. Some must be outside. */
  cut(jobId: string, limit: number): OwnJob {
    const list = this.urgent.size > 0 ? this.urgent : this.outgoing
    const job: OwnJob = {
      id: jobId,
      first: list === this.urgent,
      tickets: [],
      waiting: 0,
      chars: 0,
      state: "adding",
      queuedAt: 0,
      missed: 0,
    }
    const most = Math.min(limit, maxBatchTickets)
    let chars = 0
    for (let ticket = list.first; ticket && job.waiting < most; ticket = list.first) {
      chars += ticketChars(ticket)
      if (job.waiting > 0 && chars > maxBatchChars) break
      list.delete(ticket.id)
      this.#places.set(ticket.id, { job, index: job.tickets.push(ticket) - 1 })
      job.waiting++
    }
    this.jobs.set(jobId, job)
    return job
  }

  /** Whether the ticket waits in this job, in this very attempt. */
  isIn(ticket: Ticket, job: OwnJob): boolean {
    return this.#place(ticket, job) !== undefined
  }

  /** Takes a ticket out of its job, if it waits there in this very attempt. */
  take(ticket: Ticket, job: OwnJob): boolean {
    const place = this.#place(ticket, job)
    if (!place) return false
    this.#leave(ticket.id, place)
    return true
  }

  /** Undoes `take`, with the ticket at this index of the job's tickets. */
  putBack(ticket: Ticket, job: OwnJob, index: number): void {
    if (this.#places.has(ticket.id) || this.urgent.has(ticket.id) || this.outgoing.has(ticket.id)) return
    job.tickets[index] = ticket
    job.waiting++
    this.#places.set(ticket.id, { job, index })
  }

  /** Returns the job that the ticket has left empty, if any. */
  withdraw(ticketId: string): OwnJob | undefined {
    if (this.outgoing.delete(ticketId) || this.urgent.delete(ticketId)) return undefined
    const place = this.#places.get(ticketId)
    if (!place) return undefined
    this.#leave(ticketId, place)
    return place.job.waiting === 0 ? place.job : undefined
  }

  /** Those of the job that still wait. */
  waitingIn(job: OwnJob): Ticket[] {
    return job.tickets.filter((ticket) => ticket !== undefined)
  }

  /** The job is gone or out of reach: its tickets wait here again, before all others. */
  recall(job: OwnJob): void {
    this.jobs.delete(job.id)
    const list = job.first ? this.urgent : this.outgoing
    for (const ticket of this.waitingIn(job).toReversed()) {
      this.#places.delete(ticket.id)
      list.unshift(ticket)
    }
    job.tickets.length = 0
    job.waiting = 0
  }

  /** A new attempt replaces an older one wherever that waits. Its job keeps a stale copy, which `take` refuses. */
  #forget(ticketId: string): void {
    this.urgent.delete(ticketId)
    this.outgoing.delete(ticketId)
    const place = this.#places.get(ticketId)
    if (place) this.#leave(ticketId, place)
  }

  #place(ticket: Ticket, job: OwnJob): Place | undefined {
    const place = this.#places.get(ticket.id)
    return place?.job === job && job.tickets[place.index]?.attempt === ticket.attempt ? place : undefined
  }

  #leave(ticketId: string, place: Place): void {
    place.job.tickets[place.index] = undefined
    place.job.waiting--
    this.#places.delete(ticketId)
  }
}

interface Place {
  readonly job: OwnJob
  readonly index: number
}
