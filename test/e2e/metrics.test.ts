// What Prometheus reads of the edge, after traffic that is known.
import { expect, test } from "vitest"
import { fetchWhole, RawClient } from "../support/client.ts"
import { startAgent, startEdge, startPair, transports } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { httpUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"

/** Samples by their line's beginning, e.g. `restante_sessions{tunnel="default"}`. */
async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const text = (await fetchWhole(`${url}/.restante/metrics`)).text
  return new Map(
    [...text.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)].map(([, name, value]) => [
      name ?? "",
      Number(value),
    ]),
  )
}

const slowMs = 60

test.for(transports)("after known traffic the metrics say what it was, over %s", async (transport) => {
  await using upstream = await httpUpstream((request, response) => {
    if (request.url === "/slow") setTimeout(() => response.end("late"), slowMs)
    else if (request.url === "/missing") response.writeHead(404).end("gone")
    else request.on("end", () => response.end("four")).resume()
  })
  await using pair = await startPair({ server: upstream.url, transport })
  await fetchWhole(`${pair.url}/`)
  await fetchWhole(`${pair.url}/missing`)
  await fetchWhole(`${pair.url}/slow`)
  await fetch(`${pair.url}/`, { method: "POST", body: "0123456789" }).then((response) => response.text())
  const seen = await scrape(pair.url)
  expect(Object.fromEntries(seen)).toMatchObject({
    'restante_exchanges_total{tunnel="default",outcome="answered"}': 4,
    'restante_responses_total{tunnel="default",status="2xx"}': 3,
    'restante_responses_total{tunnel="default",status="4xx"}': 1,
    'restante_request_bytes_total{tunnel="default"}': 10,
    'restante_response_bytes_total{tunnel="default"}': 16,
    'restante_upstream_seconds_count{tunnel="default"}': 4,
    'restante_link_seconds_count{tunnel="default"}': 4,
    'restante_queue_wait_seconds_count{tunnel="default"}': 4,
    'restante_exchange_duration_seconds_bucket{tunnel="default",le="+Inf"}': 4,
    'restante_sessions{tunnel="default"}': 1,
    restante_attaches_total: 1,
    restante_queue_ready: 1,
    'restante_exchanges{state="queued"}': 0,
  })
  const upstreamSeconds = seen.get('restante_upstream_seconds_sum{tunnel="default"}') ?? 0
  const totalSeconds = seen.get('restante_exchange_duration_seconds_sum{tunnel="default"}') ?? 0
  expect(upstreamSeconds).toBeGreaterThanOrEqual((slowMs - 2) / 1000)
  expect(totalSeconds).toBeGreaterThanOrEqual(upstreamSeconds)
})

test("a request that waits is seen in the queue, and one that waits in vain in the failures", async () => {
  await using edge = await startEdge({ args: ["--hold", "500ms"] })
  const answer = fetchWhole(`${edge.url}/`)
  await until(
    "it to wait",
    async () => (await scrape(edge.url)).get('restante_queue_depth{tunnel="default"}') === 1,
  )
  expect((await answer).status).toBe(503)
  const seen = await scrape(edge.url)
  expect([
    seen.get('restante_failures_total{code="no_agent"}'),
    seen.get('restante_exchanges_total{tunnel="default",outcome="failed"}'),
  ]).toEqual([1, 1])
  expect(seen.get('restante_queue_wait_seconds_sum{tunnel="default"}')).toBeGreaterThan(0.4)
})

test("what is refused at the door is counted by the error's code", async () => {
  await using edge = await startEdge()
  await fetchWhole(`${edge.url}/`, { method: "TRACE" })
  using client = new RawClient(edge.port)
  client.send("GET / HTTP/1.1\r\nHost: a\r\nno field\r\n\r\n")
  const seen = await until("both", async () => {
    const now = await scrape(edge.url)
    return now.get('restante_failures_total{code="bad_request"}') === 1 ? now : undefined
  })
  expect(seen.get('restante_failures_total{code="method_not_allowed"}')).toBe(1)
})

test("an agent that is refused is counted by the reason", async () => {
  await using edge = await startEdge()
  const attach = (): Promise<Response> =>
    fetch(`${edge.url}/.restante/v1/attach`, {
      method: "POST",
      headers: { authorization: "Bearer wrong" },
      body: "{}",
    })
  expect((await attach()).status).toBe(401)
  const seen = await scrape(edge.url)
  expect(seen.get('restante_attach_failures_total{code="token_refused"}')).toBe(1)
})

test("what the upstream took is known at an edge whose agents are at another edge", async () => {
  await using redis = await startRedis()
  await using upstream = await httpUpstream((_request, response) => {
    setTimeout(() => response.end("late"), slowMs)
  })
  await using here = await startEdge({ args: ["--redis", redis.url] })
  await using there = await startEdge({ args: ["--redis", redis.url] })
  await using agent = await startAgent({ server: upstream.url, external: there.url })
  await agent.attached()
  expect((await fetchWhole(`${here.url}/`)).text).toBe("late")
  const seen = await scrape(here.url)
  expect(seen.get('restante_upstream_seconds_sum{tunnel="default"}')).toBeGreaterThanOrEqual(
    (slowMs - 2) / 1000,
  )
})

test("--admin-port serves health and metrics without a prefix, and nothing of the tunnels", async () => {
  await using edge = await startEdge({ args: ["--admin-port", "0"] })
  const line = await until("its port", () =>
    edge.program.logged.find((entry) => entry.includes("admin pages")),
  )
  const { port } = JSON.parse(line) as { port: number }
  const statuses: number[] = []
  for (const path of ["/healthz", "/readyz", "/metrics", "/.restante/v1/status", "/anything"])
    statuses.push((await fetchWhole(`http://127.0.0.1:${port}${path}`)).status)
  expect(statuses).toEqual([200, 200, 200, 200, 404])
})
