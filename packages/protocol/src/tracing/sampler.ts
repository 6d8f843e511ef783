// Which traces are recorded, by the names that OpenTelemetry gives samplers.
import type { TraceContext } from "./trace-context.ts"

export type Sampler = (parent: TraceContext | undefined, traceId: string) => boolean

export const samplerNames = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const
export type SamplerName = (typeof samplerNames)[number]

/** `ratio`, 0 to 1: of the traces, for those with traceidratio in their name. */
export function makeSampler(name: SamplerName, ratio: number): Sampler {
  switch (name) {
    case "always_on":
      return () => true
    case "always_off":
      return () => false
    case "traceidratio":
      return (_parent, traceId) => fallsUnder(traceId, ratio)
    case "parentbased_always_on":
      return (parent) => parent?.sampled ?? true
    case "parentbased_always_off":
      return (parent) => parent?.sampled ?? false
    case "parentbased_traceidratio":
      return (parent, traceId) => parent?.sampled ?? fallsUnder(traceId, ratio)
  }
}

/** The same for every program that looks at the same trace: its last 56 bits are random. */
function fallsUnder(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-12), 16) < ratio * 2 ** 48
}
