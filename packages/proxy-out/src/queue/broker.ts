// The port behind which tickets wait for somebody who can serve them.
// Everything the edge knows about queues is in this file; which broker stands behind it is the composition's choice.

import type { OpenKind } from "@restante/protocol"

/** Where tickets wait. The exchange registry owns hold timers, limits and deadlines; a broker only keeps order. */
export interface Broker extends AsyncDisposable {
  start(): Promise<void>
  /** Hands back what this edge had fetched for others, ends its connections. Twice is fine; later offers are ignored. */
  stop(): Promise<void>
  /** To the end of its tunnel's queue. Never throws for a remote failure: an outage of the queue is the broker's matter. */
  offer(ticket: Ticket): void
  /** To the head of its tunnel's queue, with `attempt` already increased. */
  reoffer(ticket: Ticket): void
  /** The ticket needs nobody any more: client gone, hold expired, or served otherwise. Unknown tickets are fine. */
  withdraw(ticket: Ticket): void
  subscribe(tunnel: string, consumer: Consumer): Subscription
  /** Tickets of this edge that wait, of one tunnel or of all. */
  depth(tunnel?: string): number
  readonly health: BrokerHealth
}

/** One exchange's entry in the queue. Immutable: a repeated attempt is a new ticket with the same id. */
export interface Ticket {
  /** The exchange's id (nanoid), 1 to 64 visible ASCII characters. */
  readonly id: string
  /** What the stream that serves it carries. */
  readonly kind: OpenKind
  /** 1 to 255 bytes. */
  readonly tunnel: string
  /** Id of the edge that holds the client's connection. */
  readonly owner: string
  /** Counts from 1, at most 255. */
  readonly attempt: number
  /** Epoch milliseconds: when the hold ends or the client gives up. Later the ticket is worthless to everybody. */
  readonly deadlineAt: number
  /** RFC 9110 §9.2.2, of the request's method. */
  readonly idempotent: boolean
  readonly record: TicketRecord
  /** The request head as it goes into OPEN: latin-1, with its final empty line. */
  readonly head: string
  /** More body follows in DATA frames after OPEN. */
  readonly bodyFollows: boolean
  /** The whole body when it is small and rides inline. */
  readonly body: Buffer | undefined
}

/** What the agent is told of a request beyond HTTP itself. */
export interface TicketRecord {
  /** ASCII, at most 255 characters. */
  readonly clientAddress: string
  readonly scheme: "http" | "https"
  /** W3C trace context, ASCII, at most 255 characters. */
  readonly traceparent?: string | undefined
}

/** Somebody who can serve tickets of one tunnel: the set of this edge's sessions of that tunnel. */
export interface Consumer {
  /** How many more tickets fit right now. */
  room(): number
  /** Takes the ticket, or says why not: "no_room" (the broker keeps it) or "gone" (the exchange is over or already leased: the broker drops it). */
  lease(ticket: Ticket): LeaseOutcome
}

export type LeaseOutcome = "taken" | "no_room" | "gone"

export interface Subscription {
  /** Room may have appeared. Cheap: may be called after every exchange. */
  ready(): void
  /** Twice is fine. */
  close(): void
}

export type BrokerHealth =
  | { readonly state: "ready" }
  | { readonly state: "degraded"; readonly reason: string }
