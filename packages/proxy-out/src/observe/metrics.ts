// The edge's numbers as Prometheus reads them. Loaded with the first scrape; what is counted comes from the recorder, what is so at the
// moment from the parts themselves.
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client"
import type { AgentSession } from "../attach/agent-session.ts"
import type { Exchange } from "../exchange/exchange.ts"
import { durationBounds } from "./histogram.ts"
import type { DurationHistogram } from "./histogram.ts"
import { metricTable } from "./metric-table.ts"
import type { MetricName } from "./metric-table.ts"
import type { PortTraffic } from "../ports/port-traffic.ts"
import type { CountsByPort } from "./counts-by-port.ts"
import type { Recorder } from "./recorder.ts"
import type { TunnelCounts } from "./tunnel-counts.ts"

/** What can only be asked for. */
export interface Gauged {
  readonly software: string
  readonly edgeId: string
  readonly recorder: Recorder
  exchanges(): Iterable<Exchange>
  sessions(): Iterable<AgentSession>
  readonly maxQueue: () => number
  queueReady(): boolean
  windowBudget(): { readonly bytes: number; readonly leftBytes: number }
  connections(): { readonly clients: number; readonly agents: number }
  droppedLines(): number
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #recorder: Recorder

  constructor(gauged: Gauged) {
    const { recorder } = gauged
    this.#recorder = recorder
    this.#gauge("restante_build", () => [[{ software: gauged.software, edge: gauged.edgeId }, 1]])
    this.#countExchanges(recorder)
    this.#gaugeExchanges(gauged)
    this.#gaugeSessions(gauged)
    this.#countPorts(recorder.ports)
    this.#counter("restante_access_log_dropped_lines_total", () => [[{}, gauged.droppedLines()]])
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    const { tunnels } = this.#recorder
    return [
      await this.#registry.metrics(),
      histogramText("restante_queue_wait_seconds", tunnels, ({ queue }) => queue),
      histogramText("restante_link_seconds", tunnels, ({ link }) => link),
      histogramText("restante_upstream_seconds", tunnels, ({ upstream }) => upstream),
      histogramText("restante_exchange_duration_seconds", tunnels, ({ total }) => total),
    ].join("\n")
  }

  #countExchanges(recorder: Recorder): void {
    const { tunnels } = recorder
    this.#counter("restante_exchanges_total", () =>
      [...tunnels].flatMap(({ tunnel, outcomes }) =>
        Object.entries(outcomes).map(([outcome, count]): Sample => [{ tunnel, outcome }, count]),
      ),
    )
    this.#counter("restante_responses_total", () =>
      [...tunnels].flatMap(({ tunnel, responses }) =>
        [...responses].map((count, place): Sample => [{ tunnel, status: `${place + 1}xx` }, count]),
      ),
    )
    this.#counter("restante_failures_total", () =>
      [...recorder.failures].map(([code, count]): Sample => [{ code }, count]),
    )
    this.#counter("restante_request_bytes_total", () =>
      [...tunnels].map(({ tunnel, requestBytes }): Sample => [{ tunnel }, requestBytes]),
    )
    this.#counter("restante_response_bytes_total", () =>
      [...tunnels].map(({ tunnel, responseBytes }): Sample => [{ tunnel }, responseBytes]),
    )
    this.#counter("restante_redeliveries_total", () => [[{}, recorder.redeliveries]])
    this.#counter("restante_attaches_total", () => [[{}, recorder.attached]])
    this.#counter("restante_attach_failures_total", () =>
      [...recorder.attachFailures].map(([code, count]): Sample => [{ code }, count]),
    )
    this.#counter("restante_sessions_ended_total", () =>
      [...recorder.sessionEnds].map(([why, count]): Sample => [{ why }, count]),
    )
  }

  #gaugeExchanges(gauged: Gauged): void {
    this.#gauge("restante_exchanges", () => {
      const states = { collecting: 0, queued: 0, leased: 0, responding: 0, switched: 0 }
      for (const { phase } of gauged.exchanges()) if (phase !== "over") states[phase]++
      return Object.entries(states).map(([state, count]): Sample => [{ state }, count])
    })
    this.#gauge("restante_queue_depth", () => {
      const depths = new Sums(gauged.recorder)
      for (const { waiting, ticket } of gauged.exchanges()) if (waiting) depths.add(ticket.tunnel, 1)
      return depths.samples
    })
    this.#gauge("restante_queue_limit", () => [[{}, gauged.maxQueue()]])
    this.#gauge("restante_queue_ready", () => [[{}, gauged.queueReady() ? 1 : 0]])
    this.#gauge("restante_window_budget_bytes", () => [[{}, gauged.windowBudget().bytes]])
    this.#gauge("restante_window_budget_used_bytes", () => {
      const { bytes, leftBytes } = gauged.windowBudget()
      return [[{}, bytes - leftBytes]]
    })
    this.#gauge("restante_connections", () => {
      const { clients, agents } = gauged.connections()
      return [
        [{ peer: "client" }, clients],
        [{ peer: "agent" }, agents],
      ]
    })
  }

  #gaugeSessions(gauged: Gauged): void {
    const sum = (name: MetricName, of: (session: AgentSession) => number): void =>
      this.#gauge(name, () => {
        const sums = new Sums(gauged.recorder)
        for (const session of gauged.sessions()) sums.add(session.tunnel, of(session))
        return sums.samples
      })
    sum("restante_sessions", ({ attached }) => (attached ? 1 : 0))
    sum("restante_session_streams", ({ active }) => active)
    sum("restante_session_capacity", ({ about }) => about.concurrency)
    sum("restante_session_unacknowledged_bytes", ({ session }) => session.unacknowledgedBytes)
    sum("restante_session_queued_bytes", ({ session }) => session.queuedBytes)
  }

  #countPorts(ports: CountsByPort): void {
    const samples = (of: (traffic: PortTraffic) => Readonly<Record<string, number>>, label: string) => () =>
      [...ports].flatMap(({ kind, port, tunnel, traffic }) =>
        Object.entries(of(traffic)).map(([value, count]): Sample => [
          { kind, port, tunnel, [label]: value },
          count,
        ]),
      )
    this.#gauge(
      "restante_port_connections",
      samples(({ live, waiting }) => ({ waiting, running: live.size - waiting }), "state"),
    )
    this.#counter("restante_port_connections_total", () =>
      [...ports].map(({ kind, port, tunnel, traffic }): Sample => [{ kind, port, tunnel }, traffic.accepted]),
    )
    this.#counter(
      "restante_port_connections_ended_total",
      samples(({ ended }) => ended, "outcome"),
    )
    this.#counter(
      "restante_port_refused_total",
      samples(({ refused }) => refused, "reason"),
    )
    this.#counter(
      "restante_port_bytes_total",
      samples(
        ({ fromClientBytes, toClientBytes }) => ({ in: fromClientBytes, out: toClientBytes }),
        "direction",
      ),
    )
    this.#counter("restante_port_dropped_datagrams_total", () =>
      [...ports]
        .filter(({ kind }) => kind === "udp")
        .map(({ port, tunnel, traffic }): Sample => [{ port, tunnel }, traffic.droppedDatagrams]),
    )
  }

  #gauge(name: MetricName, samples: () => readonly Sample[]): void {
    const { help, labels } = metricTable[name]
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        gauge.reset()
        for (const [labelValues, value] of samples()) gauge.set(labelValues, value)
      },
    })
  }

  #counter(name: MetricName, samples: () => readonly Sample[]): void {
    const { help, labels } = metricTable[name]
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        counter.reset()
        for (const [labelValues, value] of samples()) counter.inc(labelValues, value)
      },
    })
  }
}

type Sample = readonly [labels: Record<string, string>, value: number]

/** prom-client counts histograms itself, one observation at a time; ours are counted already. */
function histogramText(
  name: MetricName,
  tunnels: Iterable<TunnelCounts>,
  of: (counts: TunnelCounts) => DurationHistogram,
): string {
  const lines = [`# HELP ${name} ${metricTable[name].help}`, `# TYPE ${name} histogram`]
  for (const counts of tunnels) {
    const label = `tunnel="${counts.tunnel}"`
    const histogram = of(counts)
    let total = 0
    for (const [place, count] of histogram.counts.entries()) {
      total += count
      lines.push(`${name}_bucket{${label},le="${durationBounds[place] ?? "+Inf"}"} ${total}`)
    }
    lines.push(`${name}_sum{${label}} ${histogram.sumMs / 1000}`, `${name}_count{${label}} ${total}`)
  }
  return `${lines.join("\n")}\n`
}

/** Numbers of sessions or exchanges added up under the labels of their tunnels. */
class Sums {
  readonly #recorder: Recorder
  readonly #sums = new Map<string, number>()

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  get samples(): readonly Sample[] {
    return [...this.#sums].map(([tunnel, sum]): Sample => [{ tunnel }, sum])
  }

  add(tunnel: string, value: number): void {
    const label = this.#recorder.tunnels.labelOf(tunnel)
    this.#sums.set(label, (this.#sums.get(label) ?? 0) + value)
  }
}
