// What is known of an exchange once it has ended: what metrics, access log, log and traces are made from.
import type { RequestHead } from "@restante/protocol"
import type { Client, ClientFault } from "../exchange/client.ts"
import type { ExchangeOutcome } from "../exchange/exchange-port.ts"
import type { FailureCode } from "../exchange/failures.ts"
import type { ExchangeTrace } from "./exchange-tracing.ts"
import type { Ticket } from "../queue/broker.ts"

export interface SettledExchange {
  readonly client: Client
  readonly request: RequestHead
  readonly ticket: Ticket
  /** Of the upstream's answer; 0 when none had begun. */
  readonly status: number
  readonly startedAt: number
  readonly leasedAt: number
  readonly headAt: number
  readonly endedAt: number
  readonly queueMs: number
  readonly linkMs: number | undefined
  readonly upstreamMs: number | undefined
  readonly totalMs: number
  readonly trace: ExchangeTrace | undefined
  /** What is wrong with the request, when that ended it. */
  readonly clientFault?: ClientFault | undefined
  /** Bodies, without framing. */
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Called for every request, on the hot path: it must cost next to nothing. */
export interface ExchangeObserver {
  settled(exchange: SettledExchange, outcome: ExchangeOutcome): void
  refused(refused: RefusedRequest): void
}

/** A request that got an error of ours before it became an exchange. */
export interface RefusedRequest {
  /** Undefined for what could not be read, or did not come in time. */
  readonly request: RequestHead | undefined
  /** The client's own, where trusted proxies say it. */
  readonly clientAddress: string
  readonly code: FailureCode
  readonly status: number
  readonly exchangeId: string
}
