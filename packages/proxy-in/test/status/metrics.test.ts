import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { metricTable } from "../../src/status/metric-table.ts"
import { metricsText } from "../../src/status/metrics.ts"
import { noCounters, programStatusOf, statusOf } from "./statuses.ts"

const shop = statusOf({
  tunnel: "shop",
  link: { kind: "connected", since: 0 },
  carriedOn: "websocket",
  roundTripMs: 12.5,
  requests: { active: 2, served: 7, failed: 3, cancelled: 1, perSecond: 0.5 },
  upstreamUp: false,
  counters: {
    answered: { other: 0, "2xx": 6, "5xx": 1 },
    failed: { upstream_refused: 3 },
    refusedDatagrams: { "20053": 8, "auto-2": 1 },
    droppedDatagrams: { "20053": 5 },
    requestBytes: 100,
    responseBytes: 2000,
    upstream: { boundsMs: [1, 10], counts: [4, 2, 1], sumMs: 250 },
    connections: { open: 5, idle: 3, opened: 9 },
    attaches: 2,
    linkFailures: { refused: 4 },
  },
})

test("every number of a tunnel is there, in base units, with its labels", () => {
  const lines = metricsText(programStatusOf(shop))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
  expect(lines).toEqual([
    'restante_agent_start_time_seconds{tunnel="shop"} 1795253400',
    'restante_agent_attached{tunnel="shop"} 1',
    'restante_agent_transport{tunnel="shop",transport="poll"} 0',
    'restante_agent_transport{tunnel="shop",transport="websocket"} 1',
    'restante_agent_round_trip_seconds{tunnel="shop"} 0.0125',
    'restante_agent_attaches_total{tunnel="shop"} 2',
    'restante_agent_link_failures_total{tunnel="shop",code="refused"} 4',
    'restante_agent_requests_active{tunnel="shop"} 2',
    'restante_agent_requests_total{tunnel="shop",outcome="answered",status="other"} 0',
    'restante_agent_requests_total{tunnel="shop",outcome="answered",status="2xx"} 6',
    'restante_agent_requests_total{tunnel="shop",outcome="answered",status="5xx"} 1',
    'restante_agent_requests_total{tunnel="shop",outcome="failed",status=""} 3',
    'restante_agent_requests_total{tunnel="shop",outcome="cancelled",status=""} 1',
    'restante_agent_failures_total{tunnel="shop",code="upstream_refused"} 3',
    'restante_agent_refused_datagrams_total{tunnel="shop",port="20053"} 8',
    'restante_agent_refused_datagrams_total{tunnel="shop",port="auto-2"} 1',
    'restante_agent_dropped_datagrams_total{tunnel="shop",port="20053"} 5',
    'restante_agent_request_body_bytes_total{tunnel="shop"} 100',
    'restante_agent_response_body_bytes_total{tunnel="shop"} 2000',
    'restante_agent_upstream_seconds_bucket{tunnel="shop",le="0.001"} 4',
    'restante_agent_upstream_seconds_bucket{tunnel="shop",le="0.01"} 6',
    'restante_agent_upstream_seconds_bucket{tunnel="shop",le="+Inf"} 7',
    'restante_agent_upstream_seconds_sum{tunnel="shop"} 0.25',
    'restante_agent_upstream_seconds_count{tunnel="shop"} 7',
    'restante_agent_upstream_up{tunnel="shop"} 0',
    'restante_agent_upstream_connections{tunnel="shop",state="idle"} 3',
    'restante_agent_upstream_connections{tunnel="shop",state="busy"} 2',
    'restante_agent_upstream_connections_opened_total{tunnel="shop"} 9',
  ])
})

test("each metric is described once, however many tunnels there are, and its samples stand together", () => {
  const text = metricsText(programStatusOf(shop, statusOf({ tunnel: "blog", counters: noCounters })))
  const described = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => [name, kind])
  expect(described).toEqual(Object.entries(metricTable).map(([name, [kind]]) => [name, kind]))
  expect(text).toMatch(/attached\{tunnel="shop"\} 1\nrestante_agent_attached\{tunnel="blog"\} 0\n#/)
})

test("what has not been measured is left out, and never a word that is no number", () => {
  const text = metricsText(programStatusOf(statusOf()))
  expect(text).not.toMatch(/round_trip_seconds\{|undefined|NaN|null/)
})

test("docs/agent-metrics.md explains every metric", () => {
  const document = readFileSync(new URL("../../../../docs/agent-metrics.md", import.meta.url), "utf8")
  const missing = Object.entries(metricTable).filter(
    ([name, [kind, help]]) =>
      !new RegExp(`^\\| \`${name}[^|]*\\| ${kind} +\\| (.*?) +\\|$`, "m")
        .exec(document)?.[1]
        ?.startsWith(help),
  )
  expect(missing).toEqual([])
})
