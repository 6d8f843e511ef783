// The status as Prometheus reads it (text format 0.0.4): a pure function, made when it is asked for.
import { metricTable } from "./metric-table.ts"
import type { MetricName } from "./metric-table.ts"
import type { AgentStatus, ProgramStatus } from "./status.ts"

export const metricsMediaType = "text/plain; version=0.0.4"

export function metricsText({ tunnels }: ProgramStatus): string {
  return Object.keys(metricTable)
    .filter((name) => isMetricName(name))
    .map((name) => family(name, tunnels, samplesOf[name]))
    .join("")
}

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metricTable, name)
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** What follows the name, for the parts of a histogram. */
  readonly suffix?: string
}

const one = (value: number): readonly Sample[] => [{ labels: {}, value }]

const samplesOf: Readonly<Record<MetricName, (status: AgentStatus) => readonly Sample[]>> = {
  restante_agent_start_time_seconds: ({ startedAt }) => one(startedAt / 1000),
  restante_agent_attached: ({ link }) => one(link.kind === "connected" ? 1 : 0),
  restante_agent_transport: ({ carriedOn }) =>
    ["poll", "websocket"].map((transport) => ({
      labels: { transport },
      value: transport === carriedOn ? 1 : 0,
    })),
  restante_agent_round_trip_seconds: ({ roundTripMs }) =>
    roundTripMs === undefined ? [] : one(roundTripMs / 1000),
  restante_agent_attaches_total: ({ counters }) => one(counters.attaches),
  restante_agent_link_failures_total: ({ counters }) => byCode(counters.linkFailures),
  restante_agent_requests_active: ({ requests }) => one(requests.active),
  restante_agent_requests_total: ({ requests, counters }) => [
    ...Object.entries(counters.answered).map(([status, value]) => ({
      labels: { outcome: "answered", status },
      value,
    })),
    { labels: { outcome: "failed", status: "" }, value: requests.failed },
    { labels: { outcome: "cancelled", status: "" }, value: requests.cancelled },
  ],
  restante_agent_failures_total: ({ counters }) => byCode(counters.failed),
  restante_agent_refused_datagrams_total: ({ counters }) => byPort(counters.refusedDatagrams),
  restante_agent_dropped_datagrams_total: ({ counters }) => byPort(counters.droppedDatagrams),
  restante_agent_request_body_bytes_total: ({ counters }) => one(counters.requestBytes),
  restante_agent_response_body_bytes_total: ({ counters }) => one(counters.responseBytes),
  restante_agent_upstream_seconds: ({ counters }) => histogram(counters.upstream),
  restante_agent_upstream_up: ({ upstreamUp }) => one(upstreamUp ? 1 : 0),
  restante_agent_upstream_connections: ({ counters: { connections } }) => [
    { labels: { state: "idle" }, value: connections.idle },
    { labels: { state: "busy" }, value: connections.open - connections.idle },
  ],
  restante_agent_upstream_connections_opened_total: ({ counters }) => one(counters.connections.opened),
}

function byCode(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([code, value]) => ({ labels: { code }, value }))
}

function byPort(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([port, value]) => ({ labels: { port }, value }))
}

function histogram({ boundsMs, counts, sumMs }: AgentStatus["counters"]["upstream"]): readonly Sample[] {
  let total = 0
  const buckets = counts.map((count, at) => {
    total += count
    const bound = boundsMs[at]
    return {
      suffix: "_bucket",
      labels: { le: bound === undefined ? "+Inf" : String(bound / 1000) },
      value: total,
    }
  })
  return [
    ...buckets,
    { suffix: "_sum", labels: {}, value: sumMs / 1000 },
    { suffix: "_count", labels: {}, value: total },
  ]
}

function family(
  name: MetricName,
  tunnels: readonly AgentStatus[],
  samples: (status: AgentStatus) => readonly Sample[],
): string {
  const [kind, help] = metricTable[name]
  const lines = tunnels.flatMap((status) =>
    samples(status).map(({ suffix = "", labels, value }) => {
      const pairs = Object.entries({ tunnel: status.tunnel, ...labels }).map(
        ([label, text]) => `${label}="${text}"`,
      )
      return `${name}${suffix}{${pairs.join(",")}} ${value}\n`
    }),
  )
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`
}
