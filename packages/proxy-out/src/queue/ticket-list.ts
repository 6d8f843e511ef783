// Tickets in the order in which they are to be served, with everything in constant time: append, put back at the head,
// take the first, remove any. Thousands may wait while their clients come and go.
import type { Ticket } from "./broker.ts"

export class TicketList {
  readonly #entries = new Map<string, Entry>()
  #first: Entry | undefined
  #last: Entry | undefined

  get size(): number {
    return this.#entries.size
  }

  get first(): Ticket | undefined {
    return this.#first?.ticket
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** A ticket whose id is in the list already replaces the older one (and moves). */
  push(ticket: Ticket): void {
    this.delete(ticket.id)
    const entry: Entry = { ticket, before: this.#last, after: undefined }
    if (this.#last) this.#last.after = entry
    else this.#first = entry
    this.#last = entry
    this.#entries.set(ticket.id, entry)
  }

  unshift(ticket: Ticket): void {
    this.delete(ticket.id)
    const entry: Entry = { ticket, before: undefined, after: this.#first }
    if (this.#first) this.#first.before = entry
    else this.#last = entry
    this.#first = entry
    this.#entries.set(ticket.id, entry)
  }

  shift(): Ticket | undefined {
    const ticket = this.#first?.ticket
    if (ticket) this.delete(ticket.id)
    return ticket
  }

  delete(id: string): boolean {
    const entry = this.#entries.get(id)
    if (!entry) return false
    if (entry.before) entry.before.after = entry.after
    else this.#first = entry.after
    if (entry.after) entry.after.before = entry.before
    else this.#last = entry.before
    this.#entries.delete(id)
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#first = undefined
    this.#last = undefined
  }
}

interface Entry {
  readonly ticket: Ticket
  before: Entry | undefined
  after: Entry | undefined
}
