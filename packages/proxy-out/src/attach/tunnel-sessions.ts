// The sessions of this edge that serve one tunnel, or one port of it: together they are one consumer of its queue.
import { openKind } from "@restante/protocol"
import type { Leasable } from "../exchange/agent-stream.ts"
import type { Broker, Consumer, LeaseOutcome, Subscription, Ticket } from "../queue/broker.ts"
import type { AgentSession } from "./agent-session.ts"

/** Where tickets come from. */
export interface TicketSource {
  /** Who waits here for this ticket's answer; undefined when nobody does any more. */
  own(ticket: Ticket): Leasable | undefined
  /** Whether another edge holds the client. */
  isForeign(ticket: Ticket): boolean
  /** Asks the edge that holds the client; one of the two is called, later. */
  claim(ticket: Ticket, onGranted: (leasable: Leasable) => void, onRefused: () => void): void
}

export class TunnelSessions implements Consumer {
  readonly #source: TicketSource
  readonly #sessions = new Set<AgentSession>()
  /** Tickets of other edges that are being asked for. */
  #claiming = 0
  readonly #subscription: Subscription
  readonly #roomOf: (session: AgentSession) => number

  /** `roomOf`: how many more of its tickets a session takes now. */
  constructor(
    queue: string,
    broker: Broker,
    source: TicketSource,
    roomOf = (session: AgentSession): number => session.room,
  ) {
    this.#source = source
    this.#roomOf = roomOf
    this.#subscription = broker.subscribe(queue, this)
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
    let room = -this.#claiming
    for (const session of this.#sessions) room += this.#roomOf(session)
    return room
  }

  lease(ticket: Ticket): LeaseOutcome {
    const session = this.#leastBusy(ticket)
    if (session === undefined || (this.#claiming > 0 && this.room() <= 0)) return "no_room"
    if (this.#source.isForeign(ticket)) {
      this.#claim(ticket)
      return "taken"
    }
    const leasable = this.#source.own(ticket)
    if (leasable === undefined || !leasable.waiting) return "gone"
    session.open(leasable)
    return "taken"
  }

  #claim(ticket: Ticket): void {
    this.#claiming++
    const answered = (leasable: Leasable | undefined): void => {
      this.#claiming--
      if (leasable !== undefined) this.#leastBusy(ticket)?.open(leasable)
      else this.ready()
    }
    this.#source.claim(ticket, answered, () => answered(undefined))
  }

  #leastBusy({ kind }: Ticket): AgentSession | undefined {
    const switches = kind === openKind.upgrade
    let best: AgentSession | undefined
    for (const session of this.#sessions) {
      if (this.#roomOf(session) <= 0) continue
      if (best === undefined || precedes(session, best, switches)) best = session
    }
    return best
  }
}

/** One that has refused to switch another connection is asked last: it may have room again by now. */
function precedes(one: AgentSession, other: AgentSession, switches: boolean): boolean {
  if (switches && one.upgradesFull !== other.upgradesFull) return other.upgradesFull
  return one.active < other.active
}
