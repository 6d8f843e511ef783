// The sessions of this edge that serve one tunnel: together they are one consumer of its queue.
import type { Leasable } from "../exchange/agent-stream.ts"
import type { Broker, Consumer, LeaseOutcome, Subscription, Ticket } from "../queue/broker.ts"
import type { AgentSession } from "./agent-session.ts"

/** Finds who waits for a ticket's answer; undefined when nobody does any more. */
export type FindLeasable = (ticket: Ticket) => Leasable | undefined

export class TunnelSessions implements Consumer {
  readonly #find: FindLeasable
  readonly #sessions = new Set<AgentSession>()
  readonly #subscription: Subscription

  constructor(tunnel: string, broker: Broker, find: FindLeasable) {
    this.#find = find
    this.#subscription = broker.subscribe(tunnel, this)
  }

  get size(): number {
    return this.#sessions.size
  }

  get sessions(): Iterable<AgentSession> {
    return this.#sessions
  }

  add(session: AgentSession): void {
    this.#sessions.add(session)
  }

  delete(session: AgentSession): void {
    this.#sessions.delete(session)
  }

  /** Room may have appeared. */
  ready(): void {
    this.#subscription.ready()
  }

  close(): void {
    this.#subscription.close()
  }

  room(): number {
    let room = 0
    for (const session of this.#sessions) room += session.room
    return room
  }

  lease(ticket: Ticket): LeaseOutcome {
    const session = this.#leastBusy()
    if (session === undefined) return "no_room"
    const leasable = this.#find(ticket)
    if (leasable === undefined || !leasable.waiting) return "gone"
    session.open(leasable)
    return "taken"
  }

  #leastBusy(): AgentSession | undefined {
    let best: AgentSession | undefined
    for (const session of this.#sessions) {
      if (session.room > 0 && (best === undefined || session.active < best.active)) best = session
    }
    return best
  }
}
