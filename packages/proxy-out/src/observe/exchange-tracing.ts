// One trace for every request: the edge's server span, with the wait in the queue and the way over the link below it; the agent
// hangs its own span of the private server below the link.
import { randomBytes } from "node:crypto"
import { formatTraceparent, makeSampler, parseTraceparent, withTraceparent } from "@restante/protocol"
import type { RequestHead, Span, SpanExporter, TraceContext, TracingSettings } from "@restante/protocol"
import type { ExchangeOutcome } from "../exchange/exchange-port.ts"
import type { SettledExchange } from "./settled-exchange.ts"

/** What an exchange carries of its trace. */
export interface ExchangeTrace {
  readonly traceId: string
  readonly sampled: boolean
  /** The client's span, when it sent a valid one. */
  readonly parentSpanId: string | undefined
  readonly serverSpanId: string
  /** Known before the link is used: the agent is told of it as its parent. */
  readonly linkSpanId: string
}

export class ExchangeTracing {
  readonly #exporter: SpanExporter
  readonly #sample: ReturnType<typeof makeSampler>

  constructor(settings: TracingSettings, exporter: SpanExporter) {
    this.#exporter = exporter
    this.#sample = makeSampler(settings.sampler, settings.ratio)
  }

  /** A request was admitted. */
  begin({ fields }: RequestHead): ExchangeTrace {
    const given = fields.all("traceparent")
    const parent = given.length === 1 ? parseTraceparent(given[0]) : undefined
    const traceId = parent?.traceId ?? randomHex(16)
    return {
      traceId,
      sampled: this.#sample(parent, traceId),
      parentSpanId: parent?.spanId,
      serverSpanId: randomHex(8),
      linkSpanId: randomHex(8),
    }
  }

  settled(exchange: SettledExchange, outcome: ExchangeOutcome): void {
    const { trace } = exchange
    if (trace?.sampled !== true) return
    const { leasedAt, endedAt, headAt, queueMs } = exchange
    this.#exporter.add(serverSpan(exchange, trace, outcome))
    const below = { traceId: trace.traceId, parentSpanId: trace.serverSpanId, kind: "internal" } as const
    const queueEnd = leasedAt === 0 ? endedAt : leasedAt
    this.#exporter.add({
      ...below,
      spanId: randomHex(8),
      name: "queue",
      startMs: epochMs(queueEnd - queueMs),
      endMs: epochMs(queueEnd),
      attributes: { "restante.attempt": exchange.ticket.attempt },
    })
    if (leasedAt === 0) return
    this.#exporter.add({
      ...below,
      spanId: trace.linkSpanId,
      name: "link",
      startMs: epochMs(leasedAt),
      endMs: epochMs(headAt === 0 ? endedAt : headAt),
      attributes: {},
    })
  }
}

/** The context that goes to the agent: what it does is below the link. */
function agentContext({ traceId, linkSpanId, sampled }: ExchangeTrace): TraceContext {
  return { traceId, spanId: linkSpanId, sampled }
}

/** A request head that carries the trace on. */
export function tracedHead(head: string, trace: ExchangeTrace): string {
  const lines = head.slice(0, -"\r\n".length)
  return `${withTraceparent(lines, agentContext(trace), trace.parentSpanId !== undefined)}\r\n`
}

export function tracedRecord(trace: ExchangeTrace): string {
  return formatTraceparent(agentContext(trace))
}

function serverSpan(exchange: SettledExchange, trace: ExchangeTrace, outcome: ExchangeOutcome): Span {
  const { request, ticket, clientFault } = exchange
  const status = exchange.status === 0 ? (clientFault?.status ?? 0) : exchange.status
  const failed = outcome !== "answered" && outcome !== "cancelled"
  const [path = "", query] = request.target.split("?", 2)
  return {
    traceId: trace.traceId,
    spanId: trace.serverSpanId,
    parentSpanId: trace.parentSpanId,
    name: request.method,
    kind: "server",
    startMs: epochMs(exchange.startedAt),
    endMs: epochMs(exchange.endedAt),
    attributes: {
      "http.request.method": request.method,
      "url.path": path,
      "url.query": query === undefined ? undefined : "REDACTED", // it may hold secrets
      "url.scheme": ticket.record.scheme,
      "http.response.status_code": status === 0 ? undefined : status,
      "client.address": ticket.record.clientAddress,
      "error.type": failed ? outcome : undefined,
      "restante.exchange": ticket.id,
      "restante.tunnel": ticket.tunnel,
    },
    error: failed || status >= 500 ? (failed ? outcome : String(status)) : undefined,
  }
}

function epochMs(monotonic: number): number {
  return performance.timeOrigin + monotonic
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString("hex")
}
