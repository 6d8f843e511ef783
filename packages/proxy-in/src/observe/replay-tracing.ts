// The agent's part of a request's trace: one client span for the private server, below what the edge says.
import { randomBytes } from "node:crypto"
import { makeSampler, parseTraceparent } from "@restante/protocol"
import type { SpanExporter, TraceContext, TracingSettings } from "@restante/protocol"
import type { ReplayOutcome } from "../upstream/replay.ts"
import type { SettledRequest } from "./settled-request.ts"

/** What a replay carries of its trace. */
export interface ReplayTrace {
  /** The span of the private server's work, which it gets to see as its parent. */
  readonly context: TraceContext
  readonly parentSpanId: string | undefined
}

export class ReplayTracing {
  readonly #exporter: SpanExporter
  readonly #sample: ReturnType<typeof makeSampler>

  constructor(settings: TracingSettings, exporter: SpanExporter) {
    this.#exporter = exporter
    this.#sample = makeSampler(settings.sampler, settings.ratio)
  }

  /** `traceparent`: what the edge said. */
  begin(traceparent: string | undefined): ReplayTrace {
    const parent = parseTraceparent(traceparent)
    const traceId = parent?.traceId ?? randomHex(16)
    return {
      context: { traceId, spanId: randomHex(8), sampled: this.#sample(parent, traceId) },
      parentSpanId: parent?.spanId,
    }
  }

  settled(request: SettledRequest, { context, parentSpanId }: ReplayTrace, outcome: ReplayOutcome): void {
    if (!context.sampled) return
    const { method, target, status, startedAt, endedAt, exchange } = request
    const failure = outcome.kind === "failed" ? outcome.code : undefined
    this.#exporter.add({
      traceId: context.traceId,
      spanId: context.spanId,
      parentSpanId,
      name: method === "" ? "HTTP" : method,
      kind: "client",
      startMs: performance.timeOrigin + startedAt,
      endMs: performance.timeOrigin + endedAt,
      attributes: {
        "http.request.method": method,
        "url.path": target.split("?", 1)[0],
        "http.response.status_code": status === 0 ? undefined : status,
        "error.type": failure ?? (status >= 400 ? String(status) : undefined),
        "restante.exchange": exchange,
      },
      error: failure ?? (status >= 400 ? String(status) : undefined),
    })
  }
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString("hex")
}
