// Which ports a token opens. A token says it as `tcp:20000-20010`, `udp:53` or `tcp:*`; the operator's own token says `*`.
import type { PortKind } from "@restante/protocol"
import { inRanges, parsePortRange, rangesText } from "./port-range.ts"
import type { PortRange } from "./port-range.ts"

export type Allowance = readonly string[]

export function allowsPort(allowance: Allowance, kind: PortKind, port: number): boolean {
  const ranges = allowedRanges(allowance, kind)
  return ranges === "all" || inRanges(ranges, port)
}

/** As a message says it. */
export function allowanceText(allowance: Allowance, kind: PortKind): string {
  const ranges = allowedRanges(allowance, kind)
  if (ranges === "all") return `all ${kind} ports`
  return ranges.length === 0 ? `no ${kind} ports` : `${kind} ports ${rangesText(ranges)}`
}

function allowedRanges(allowance: Allowance, kind: PortKind): readonly PortRange[] | "all" {
  if (allowance.includes("*") || allowance.includes(`${kind}:*`)) return "all"
  const prefix = `${kind}:`
  return allowance
    .filter((entry) => entry.startsWith(prefix))
    .flatMap((entry) => parsePortRange(entry.slice(prefix.length)) ?? [])
}
