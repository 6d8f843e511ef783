// W3C Trace Context (https://www.w3.org/TR/trace-context/): who is the parent of what happens here.

export interface TraceContext {
  /** 32 lower-case hex digits, not all 0. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all 0. */
  readonly spanId: string
  readonly sampled: boolean
}

/** Undefined for what is not valid, as §3.2.2.3 wants it: then a new trace begins. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const match = text === undefined ? null : traceparent.exec(text)
  if (match === null) return undefined
  const [, version, traceId = "", spanId = "", flags = "", more] = match
  // Version ff is forbidden; only later versions may go on behind the flags.
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
}

/**
 * Field lines (each with its CRLF) with this context as the parent of whoever gets them. `continued` false: the trace is new, and a tracestate that
 * belonged to another one goes (§3.3.1.1).
 */
export function withTraceparent(lines: string, context: TraceContext, continued: boolean): string {
  const kept = lines.replaceAll(continued ? parentLines : traceLines, "")
  return `${kept}traceparent: ${formatTraceparent(context)}\r\n`
}

const traceparent = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const parentLines = /^traceparent:[^\n]*\n/gim
const traceLines = /^trace(?:parent|state):[^\n]*\n/gim
