// Whoever wants to know of every request that ends: the counters always, the access log when there is one, and the log for what failed.
import type { Logger } from "pino"
import type { Clock } from "../clock.ts"
import type { ExchangeOutcome } from "../exchange/exchange-port.ts"
import { failures } from "../exchange/failures.ts"
import type {
  PortObserver,
  PortPlace,
  PortTraffic,
  RefusedAtPort,
  SettledPortStream,
} from "../ports/port-traffic.ts"
import { accessLine } from "./access-line.ts"
import type { AccessEntry, AccessLineOptions } from "./access-line.ts"
import type { ExchangeTracing } from "./exchange-tracing.ts"
import type { LineFile } from "./line-file.ts"
import { portLine } from "./port-line.ts"
import type { Recorder } from "./recorder.ts"
import { SettledLog } from "./settled-log.ts"
import type { ExchangeObserver, RefusedRequest, SettledExchange } from "./settled-exchange.ts"

export interface ObserversOptions {
  readonly recorder: Recorder
  readonly clock: Clock
  readonly log: Logger
  readonly tracing: ExchangeTracing | undefined
  readonly access: (AccessLineOptions & { readonly file: LineFile }) | undefined
}

/** nginx's number for a client that left before its answer; no status of HTTP. */
const clientGone = 499

export class Observers implements ExchangeObserver, PortObserver {
  readonly #options: ObserversOptions
  readonly #settledLog: SettledLog

  constructor(options: ObserversOptions) {
    this.#options = options
    this.#settledLog = new SettledLog(options.log, options.clock)
  }

  settled(exchange: SettledExchange, outcome: ExchangeOutcome): void {
    this.#options.recorder.settled(exchange, outcome)
    this.#settledLog.settled(exchange, outcome)
    this.#options.tracing?.settled(exchange, outcome)
    if (this.#options.access === undefined) return
    const { ticket, queueMs, linkMs, upstreamMs } = exchange
    this.#write({
      endedAt: this.#options.clock.now(),
      exchangeId: ticket.id,
      clientAddress: ticket.record.clientAddress,
      request: exchange.request,
      protocol: exchange.client.protocol,
      status: statusOf(exchange, outcome),
      requestBytes: exchange.requestBytes,
      responseBytes: exchange.responseBytes,
      totalMs: exchange.totalMs,
      tunnel: ticket.tunnel,
      attempt: ticket.attempt,
      queueMs,
      linkMs,
      upstreamMs,
      error: outcome === "answered" ? undefined : outcome,
    })
  }

  refused(refused: RefusedRequest): void {
    this.#options.recorder.refused(refused)
    if (this.#options.access === undefined) return
    const { request, clientAddress, code, status, exchangeId } = refused
    this.#write({
      endedAt: this.#options.clock.now(),
      exchangeId,
      clientAddress,
      request,
      status,
      requestBytes: 0,
      responseBytes: 0,
      totalMs: 0,
      error: code,
    })
  }

  // Connections and flows of ports.

  trafficOf(place: PortPlace): PortTraffic {
    return this.#options.recorder.ports.of(place)
  }

  settledAtPort(stream: SettledPortStream): void {
    const { log, access, clock } = this.#options
    if (log.isLevelEnabled("debug")) {
      const { exchangeId, tunnel, kind, port, outcome, code, totalMs } = stream
      const fields = { exchange: exchangeId, tunnel, kind, port, outcome, code }
      log.debug({ ...fields, durationMs: Math.round(totalMs) }, "connection over")
    }
    access?.file.append(portLine({ ...stream, endedAt: clock.now() }, access.format))
  }

  refusedAtPort(refused: RefusedAtPort): void {
    const { access, clock } = this.#options
    access?.file.append(portLine({ ...refused, endedAt: clock.now() }, access.format))
  }

  #write(entry: AccessEntry): void {
    const { access } = this.#options
    if (access !== undefined) access.file.append(accessLine(entry, access))
  }
}

function statusOf({ status, clientFault }: SettledExchange, outcome: ExchangeOutcome): number {
  if (outcome === "answered" || outcome === "broken") return status
  if (clientFault !== undefined) return status === 0 ? clientFault.status : status
  if (outcome === "cancelled") return status === 0 ? clientGone : status
  return failures[outcome].status
}
