// A collector of traces for the tests: takes OTLP/HTTP in its JSON form and keeps the spans.
import { bodyOf, httpUpstream } from "./upstream.ts"

export interface CollectedSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, string> }[]
}

export interface Collector extends AsyncDisposable {
  readonly spans: CollectedSpan[]
  /** What a program's environment needs to send its traces here. */
  readonly environment: Readonly<Record<string, string>>
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const server = await httpUpstream(async (request, response) => {
    const { resourceSpans } = JSON.parse((await bodyOf(request)).toString()) as Batch
    for (const { resource, scopeSpans } of resourceSpans) {
      const service =
        resource.attributes.find(({ key }) => key === "service.name")?.value["stringValue"] ?? ""
      for (const { spans: sent } of scopeSpans) spans.push(...sent.map((span) => ({ ...span, service })))
    }
    response.setHeader("content-type", "application/json").end("{}")
  })
  return {
    spans,
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: server.url },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

interface Batch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: CollectedSpan["attributes"] }
    readonly scopeSpans: readonly { readonly spans: readonly Omit<CollectedSpan, "service">[] }[]
  }[]
}
