// Traces of the real programs at a collector: one for every request, over queue, link and private server.
import { expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { startCollector } from "../support/collector.ts"
import type { CollectedSpan, Collector } from "../support/collector.ts"
import { startAgent, startEdge, transports } from "../support/pair.ts"
import type { Agent, Edge } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { httpUpstream } from "../support/upstream.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const clientSpan = "b7ad6b7169203331"

/** What a program has gathered it sends before it ends. */
async function spansAfter(
  collector: Collector,
  programs: readonly (Agent | Edge)[],
): Promise<CollectedSpan[]> {
  for (const { program } of programs) program.signal("SIGTERM")
  await Promise.all(programs.map(({ program }) => program.ended))
  return collector.spans
}

function named(spans: readonly CollectedSpan[], service: string, name: string): CollectedSpan {
  const found = spans.filter((span) => span.service === service && span.name === name)
  expect(found).toHaveLength(1)
  return found[0]!
}

interface Tree {
  readonly server: CollectedSpan
  readonly queue: CollectedSpan
  readonly link: CollectedSpan
  readonly upstream: CollectedSpan
}

/** One request's spans, checked to hang together. */
function treeOf(spans: readonly CollectedSpan[]): Tree {
  const server = named(spans, "proxy-out", "GET")
  const queue = named(spans, "proxy-out", "queue")
  const link = named(spans, "proxy-out", "link")
  const upstream = named(spans, "proxy-in", "GET")
  expect([server.kind, queue.kind, link.kind, upstream.kind]).toEqual([2, 1, 1, 3])
  expect([queue.parentSpanId, link.parentSpanId, upstream.parentSpanId]).toEqual([
    server.spanId,
    server.spanId,
    link.spanId,
  ])
  expect(new Set([server, queue, link, upstream].map((span) => span.traceId)).size).toBe(1)
  return { server, queue, link, upstream }
}

test.for(transports)(
  "a client's trace goes on through queue, link and private server, over %s",
  async (transport) => {
    const seen: Record<string, unknown>[] = []
    await using upstream = await httpUpstream((request, response) => {
      seen.push(request.headers)
      setTimeout(() => response.end("ok"), 20)
    })
    await using collector = await startCollector()
    const { environment } = collector
    await using edge = await startEdge({ environment })
    await using agent = await startAgent({ server: upstream.url, external: edge.url, transport, environment })
    await agent.attached()
    await fetchWhole(`${edge.url}/a?secret=x`, {
      headers: { traceparent: `00-${traceId}-${clientSpan}-01`, tracestate: "vendor=value" },
    })
    const tree = treeOf(await spansAfter(collector, [agent, edge]))
    expect([tree.server.traceId, tree.server.parentSpanId]).toEqual([traceId, clientSpan])
    expect(seen[0]).toMatchObject({
      traceparent: `00-${traceId}-${tree.upstream.spanId}-01`,
      tracestate: "vendor=value",
    })
    expect(BigInt(tree.link.endTimeUnixNano)).toBeGreaterThan(BigInt(tree.link.startTimeUnixNano))
    expect(JSON.stringify(tree)).not.toContain("secret=x")
  },
)

test("without a client's trace a new one begins, and a tracestate without a trace does not cross", async () => {
  const seen: Record<string, unknown>[] = []
  await using upstream = await httpUpstream((request, response) => {
    seen.push(request.headers)
    response.end("ok")
  })
  await using collector = await startCollector()
  const { environment } = collector
  await using edge = await startEdge({ environment })
  await using agent = await startAgent({ server: upstream.url, external: edge.url, environment })
  await agent.attached()
  await fetchWhole(`${edge.url}/`, { headers: { tracestate: "vendor=value" } })
  const tree = treeOf(await spansAfter(collector, [agent, edge]))
  expect(tree.server.parentSpanId).toBeUndefined()
  expect([seen[0]?.["traceparent"], seen[0]?.["tracestate"]]).toEqual([
    `00-${tree.server.traceId}-${tree.upstream.spanId}-01`,
    undefined,
  ])
})

test("a trace stays one when the agent is at another edge", async () => {
  await using redis = await startRedis()
  await using upstream = await httpUpstream((_request, response) => response.end("ok"))
  await using collector = await startCollector()
  const { environment } = collector
  await using here = await startEdge({ args: ["--redis", redis.url], environment })
  await using there = await startEdge({ args: ["--redis", redis.url], environment })
  await using agent = await startAgent({ server: upstream.url, external: there.url, environment })
  await agent.attached()
  await fetchWhole(`${here.url}/`)
  const { server } = treeOf(await spansAfter(collector, [agent, here, there]))
  expect(server.status).toEqual({})
})

test("a trace that its client does not record is not recorded, and goes on as such", async () => {
  const seen: Record<string, unknown>[] = []
  await using upstream = await httpUpstream((request, response) => {
    seen.push(request.headers)
    response.end("ok")
  })
  await using collector = await startCollector()
  const { environment } = collector
  await using edge = await startEdge({ environment })
  await using agent = await startAgent({ server: upstream.url, external: edge.url, environment })
  await agent.attached()
  await fetchWhole(`${edge.url}/`, { headers: { traceparent: `00-${traceId}-${clientSpan}-00` } })
  expect(await spansAfter(collector, [agent, edge])).toEqual([])
  expect(seen[0]?.["traceparent"]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
})

test("a request that fails is a span that says so", async () => {
  await using collector = await startCollector()
  await using edge = await startEdge({ args: ["--hold", "0s"], environment: collector.environment })
  await fetchWhole(`${edge.url}/`)
  const spans = await spansAfter(collector, [edge])
  expect(named(spans, "proxy-out", "GET").status).toEqual({ code: 2, message: "no_agent" })
})

test("without OTEL_ variables trace fields cross untouched", async () => {
  const seen: string[][] = []
  await using upstream = await httpUpstream((request, response) => {
    seen.push(request.rawHeaders)
    response.end("ok")
  })
  await using edge = await startEdge()
  await using agent = await startAgent({ server: upstream.url, external: edge.url })
  await agent.attached()
  await fetchWhole(`${edge.url}/`, { headers: { TraceParent: "not one", tracestate: "a=b" } })
  expect(seen[0]?.join("\n")).toContain("TraceParent\nnot one\ntracestate\na=b")
})

test("a collector that is away holds up neither requests nor the end", async () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" }
  await using edge = await startEdge({ args: ["--hold", "0s"], environment })
  expect((await fetchWhole(`${edge.url}/`)).status).toBe(503)
  edge.program.signal("SIGTERM")
  expect(await edge.program.ended).toEqual({ code: 0, signal: null })
  expect(edge.program.hasLogged("traces are not taken")).toBe(true)
})

test("a sampler that does not exist is refused at the start", async () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_TRACES_SAMPLER: "sometimes" }
  await expect(startEdge({ environment })).rejects.toThrow(
    /OTEL_TRACES_SAMPLER: There is no sampler of this name/,
  )
})
