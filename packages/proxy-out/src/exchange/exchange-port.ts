// What an exchange needs of the registry that keeps it, and how it can end.
import type { WindowBudget } from "@restante/protocol"
import type { Exchange } from "./exchange.ts"
import type { FailureCode } from "./failures.ts"

export interface ExchangePort {
  /** Puts the ticket into the queue and starts the hold. False when the queue is full. */
  queued(exchange: Exchange, again: boolean): boolean
  /** An agent has it: the hold ends, the wait for a response head begins. */
  leased(exchange: Exchange): void
  /** The upstream is still being sent the body: the wait for a response head begins anew. */
  progressed(exchange: Exchange): void
  responding(exchange: Exchange): void
  settled(exchange: Exchange, outcome: ExchangeOutcome): void
  refuse(exchange: Exchange, code: FailureCode, keepAlive: boolean): void
  /** What the windows of all clients may grow by. */
  readonly budget: WindowBudget
  /** Largest request body, in bytes; one that said its length has been checked already. */
  readonly maxBodyBytes: number
  /** When a hold that begins now ends, epoch milliseconds. */
  holdEndsAt(): number
}

export type ExchangeOutcome = "answered" | "broken" | "cancelled" | FailureCode
