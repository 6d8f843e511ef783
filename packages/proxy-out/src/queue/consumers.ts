// The consumers of one tunnel on this edge. Tickets are dealt in turn, so that no consumer starves beside a busier one.
import type { Consumer, LeaseOutcome, Ticket } from "./broker.ts"

export class Consumers {
  readonly #consumers: Consumer[] = []
  #turn = 0

  get size(): number {
    return this.#consumers.length
  }

  add(consumer: Consumer): void {
    this.#consumers.push(consumer)
  }

  delete(consumer: Consumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index !== -1) this.#consumers.splice(index, 1)
  }

  hasRoom(): boolean {
    return this.#consumers.some((consumer) => consumer.room() > 0)
  }

  room(): number {
    let room = 0
    for (const consumer of this.#consumers) room += Math.max(0, consumer.room())
    return room
  }

  /** Offers the ticket to each consumer that has room, until one decides its fate. */
  lease(ticket: Ticket): LeaseOutcome {
    const count = this.#consumers.length
    for (let tried = 0; tried < count; tried++) {
      if (++this.#turn >= this.#consumers.length) this.#turn = 0
      const consumer = this.#consumers[this.#turn]
      if (!consumer || consumer.room() <= 0) continue
      const outcome = consumer.lease(ticket)
      if (outcome !== "no_room") return outcome
    }
    return "no_room"
  }
}
