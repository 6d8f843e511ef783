// Counts what happens at the edge, at the price of a few additions each. Nothing is made of the numbers before somebody asks (metrics.ts).
import type { SessionObserver } from "../attach/sessions.ts"
import type { ExchangeOutcome } from "../exchange/exchange-port.ts"
import { failures } from "../exchange/failures.ts"
import type { FailureCode } from "../exchange/failures.ts"
import { CountsByPort } from "./counts-by-port.ts"
import type { ExchangeObserver, RefusedRequest, SettledExchange } from "./settled-exchange.ts"
import { CountsByTunnel } from "./tunnel-counts.ts"

export class Recorder implements ExchangeObserver, SessionObserver {
  readonly tunnels = new CountsByTunnel()
  readonly ports = new CountsByPort((tunnel) => this.tunnels.labelOf(tunnel))
  /** Requests that got an error of ours, by its code. */
  readonly failures = new Map<string, number>(Object.keys(failures).map((code) => [code, 0]))
  redeliveries = 0
  attached = 0
  /** Attaches that were refused, by the code that the agent was told. */
  readonly attachFailures = new Map<string, number>()
  /** Sessions that ended, by the reason. */
  readonly sessionEnds = new Map<string, number>()

  settled(exchange: SettledExchange, outcome: ExchangeOutcome): void {
    const { ticket, status, linkMs, upstreamMs } = exchange
    const counts = this.tunnels.get(ticket.tunnel)
    if (outcome === "answered" || outcome === "broken" || outcome === "cancelled") counts.outcomes[outcome]++
    else {
      counts.outcomes.failed++
      this.#failed(outcome)
    }
    if (status > 0) {
      const place = Math.floor(status / 100) - 1
      counts.responses[place] = (counts.responses[place] ?? 0) + 1
    }
    counts.requestBytes += exchange.requestBytes
    counts.responseBytes += exchange.responseBytes
    if (ticket.attempt > 1) this.redeliveries += ticket.attempt - 1
    counts.queue.observe(exchange.queueMs)
    counts.total.observe(exchange.totalMs)
    if (linkMs !== undefined) counts.link.observe(linkMs)
    if (upstreamMs !== undefined) counts.upstream.observe(upstreamMs)
  }

  refused({ code }: RefusedRequest): void {
    this.#failed(code)
  }

  attachRefused(code: string): void {
    this.attachFailures.set(code, (this.attachFailures.get(code) ?? 0) + 1)
  }

  sessionAttached(): void {
    this.attached++
  }

  sessionEnded(why: string): void {
    this.sessionEnds.set(why, (this.sessionEnds.get(why) ?? 0) + 1)
  }

  #failed(code: FailureCode): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1)
  }
}
