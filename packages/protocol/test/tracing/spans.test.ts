// Spans on their way to a collector that may be slow or away.
import { expect, test } from "vitest"
import { SpanExporter } from "../../src/tracing/index.ts"
import type { Span } from "../../src/tracing/index.ts"

const span: Span = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: undefined,
  name: "GET",
  kind: "server",
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_001.5,
  attributes: { "http.request.method": "GET", "http.response.status_code": 200, missing: undefined },
  error: "upstream_refused",
}

function exporter(post: (body: string) => Promise<void>): {
  readonly exporter: SpanExporter
  readonly timers: (() => void)[]
  readonly errors: unknown[]
} {
  const timers: (() => void)[] = []
  const errors: unknown[] = []
  return {
    timers,
    errors,
    exporter: new SpanExporter({
      resource: { "service.name": "test" },
      scope: { name: "restante", version: "1" },
      post,
      later: (_ms, callback) => void timers.push(callback),
      onError: (error) => void errors.push(error),
    }),
  }
}

test("a batch is OTLP in JSON", async () => {
  const bodies: string[] = []
  const { exporter: spans } = exporter(async (body) => void bodies.push(body))
  spans.add(span)
  await spans.flush()
  expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
    {
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "test" } }] },
          scopeSpans: [
            {
              scope: { name: "restante", version: "1" },
              spans: [
                {
                  traceId: span.traceId,
                  spanId: span.spanId,
                  name: "GET",
                  kind: 2,
                  startTimeUnixNano: "1700000000000250000",
                  endTimeUnixNano: "1700000000001500000",
                  attributes: [
                    { key: "http.request.method", value: { stringValue: "GET" } },
                    { key: "http.response.status_code", value: { intValue: "200" } },
                  ],
                  status: { code: 2, message: "upstream_refused" },
                },
              ],
            },
          ],
        },
      ],
    },
  ])
})

test("spans are gathered until the time is over", async () => {
  const bodies: string[] = []
  const { exporter: spans, timers } = exporter(async (body) => void bodies.push(body))
  for (let count = 0; count < 100; count++) spans.add(span)
  expect([bodies.length, timers.length]).toEqual([0, 1])
  timers[0]?.()
  await spans.flush()
  expect(bodies).toHaveLength(1)
})

test("while the collector does not answer, spans beyond 2048 are given up", async () => {
  const answer = Promise.withResolvers<void>()
  const { exporter: spans } = exporter(() => answer.promise)
  for (let count = 0; count < 5000; count++) spans.add(span)
  expect(spans.dropped).toBe(5000 - 2048 - 512)
  answer.resolve()
  await spans.flush()
})

test("a collector that is away is told of once, and its spans are given up", async () => {
  const { exporter: spans, errors } = exporter(() => Promise.reject(new Error("refused")))
  for (let count = 0; count < 1000; count++) spans.add(span)
  await spans.flush()
  expect([errors.length, spans.dropped]).toEqual([1, 1000])
})
