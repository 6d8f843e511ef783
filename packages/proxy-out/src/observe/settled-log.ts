// The log's lines about requests: every one at debug, what failed at warn. In a flood of failures only the first of a second are told one by one.
import type { Logger } from "pino"
import type { Clock } from "../clock.ts"
import type { ExchangeOutcome } from "../exchange/exchange-port.ts"
import type { SettledExchange } from "./settled-exchange.ts"

/** Failures a second that get a line each. */
const mostPerSecond = 10

export class SettledLog {
  readonly #log: Logger
  readonly #clock: Clock
  #second = 0
  #told = 0
  #untold = 0

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  settled(exchange: SettledExchange, outcome: ExchangeOutcome): void {
    // What strangers do wrong is no warning.
    if (outcome === "answered" || outcome === "cancelled" || exchange.clientFault !== undefined) {
      if (this.#log.isLevelEnabled("debug")) this.#log.debug(fieldsOf(exchange, outcome), "settled")
      return
    }
    const second = Math.floor(this.#clock.now() / 1000)
    if (second !== this.#second) {
      if (this.#untold > 0) this.#log.warn({ requests: this.#untold }, "more requests failed")
      this.#second = second
      this.#told = 0
      this.#untold = 0
    }
    if (this.#told++ < mostPerSecond) this.#log.warn(fieldsOf(exchange, outcome), "request failed")
    else this.#untold++
  }
}

function fieldsOf(exchange: SettledExchange, outcome: ExchangeOutcome): object {
  const { ticket, status, totalMs } = exchange
  return {
    exchange: ticket.id,
    tunnel: ticket.tunnel,
    attempt: ticket.attempt,
    durationMs: Math.round(totalMs),
    ...(outcome === "answered" ? {} : { code: outcome }),
    ...(status === 0 ? {} : { status }),
  }
}
