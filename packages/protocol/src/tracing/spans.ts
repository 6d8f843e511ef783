// Spans that have ended, on their way to a collector in batches of OTLP's JSON form (opentelemetry-proto, "OTLP/HTTP"). Without I/O:
// who owns it hands in how a batch is posted and how time passes.

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: keyof typeof spanKinds
  /** Epoch milliseconds, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | undefined>>
  /** Why it failed; undefined: it did not. */
  readonly error?: string | undefined
}

export interface SpanExporterOptions {
  readonly resource: Readonly<Record<string, string>>
  /** Name and version of what makes the spans. */
  readonly scope: { readonly name: string; readonly version: string }
  /** Rejects when the collector did not take it. */
  post(this: void, body: string): Promise<void>
  /** Calls back after so many milliseconds. */
  later(this: void, ms: number, callback: () => void): void
  /** Once for every failure that follows a success. */
  onError(this: void, error: unknown): void
}

/** As OpenTelemetry's own defaults. */
const gatherMs = 5000
const batchSpans = 512
const maxWaiting = 2048

export class SpanExporter {
  readonly #options: SpanExporterOptions
  #waiting: Span[] = []
  #posting: Promise<void> | undefined
  #scheduled = false
  #failed = false
  /** Spans that were given up, because the collector is too slow or away. */
  dropped = 0

  constructor(options: SpanExporterOptions) {
    this.#options = options
  }

  add(span: Span): void {
    if (this.#waiting.length >= maxWaiting) {
      this.dropped++
      return
    }
    this.#waiting.push(span)
    if (this.#waiting.length >= batchSpans) void this.#post()
    else if (!this.#scheduled) {
      this.#scheduled = true
      this.#options.later(gatherMs, () => {
        this.#scheduled = false
        void this.#post()
      })
    }
  }

  /** Before the end: sends everything that waits, and gives it up with the first failure, so that a collector that is away holds nobody up. */
  async flush(): Promise<void> {
    await this.#posting
    while (this.#waiting.length > 0) {
      await this.#post()
      if (this.#failed) this.dropped += this.#waiting.splice(0).length
    }
  }

  #post(): Promise<void> {
    this.#posting ??= this.#postBatch().finally(() => (this.#posting = undefined))
    return this.#posting
  }

  async #postBatch(): Promise<void> {
    const batch = this.#waiting.splice(0, batchSpans)
    if (batch.length === 0) return
    const { resource, scope, post, onError } = this.#options
    try {
      await post(JSON.stringify(otlpRequest(batch, resource, scope)))
      this.#failed = false
    } catch (error) {
      this.dropped += batch.length
      if (!this.#failed) onError(error)
      this.#failed = true
    }
  }
}

const spanKinds = { internal: 1, server: 2, client: 3 } as const
const errorStatus = 2

function otlpRequest(
  spans: readonly Span[],
  resource: Readonly<Record<string, string>>,
  scope: SpanExporterOptions["scope"],
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope, spans: spans.map(otlpSpan) }],
      },
    ],
  }
}

function otlpSpan(span: Span): object {
  const { traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, error } = span
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: spanKinds[kind],
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(Math.max(startMs, endMs)),
    attributes: attributesOf(attributes),
    status: error === undefined ? {} : { code: errorStatus, message: error },
  }
}

function attributesOf(attributes: Readonly<Record<string, string | number | undefined>>): object[] {
  return Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return []
    return [{ key, value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) } }]
  })
}

/** Microseconds are exact in a number, nanoseconds since 1970 are not. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`
}
