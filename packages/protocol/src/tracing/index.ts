// Traces for OpenTelemetry: W3C contexts, sampling, and spans on their way to a collector.
export { makeSampler, type Sampler } from "./sampler.ts"
export { SpanExporter, type Span, type SpanExporterOptions } from "./spans.ts"
export { parseTraceparent, formatTraceparent, withTraceparent, type TraceContext } from "./trace-context.ts"
export { tracingSettings, type TracingSettings } from "./tracing-settings.ts"
