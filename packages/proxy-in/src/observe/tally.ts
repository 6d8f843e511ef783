// Counts what a tunnel's requests came to. On the hot path each is a few additions into arrays that are made beforehand.
import type { ResetCode } from "@restante/protocol"
import type { ReplayOutcome } from "../upstream/replay.ts"
import type { SettledRequest } from "./settled-request.ts"

/** Upper bounds of the classes of upstream latency, in milliseconds; above the last one lies one more class. */
export const latencyBoundsMs = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
] as const

export class Tally {
  /** By the first digit of the status, 1 to 5; 0 counts all others. */
  readonly answeredByClass: Float64Array = new Float64Array(6)
  /** Upstream latencies, one more than there are bounds. */
  readonly latencies: Float64Array = new Float64Array(latencyBoundsMs.length + 1)
  readonly failedByCode = new Map<ResetCode, number>()
  served = 0
  failed = 0
  cancelled = 0
  latencySumMs = 0
  /** Of bodies: towards the upstream and from it. */
  requestBytes = 0
  responseBytes = 0

  add(request: SettledRequest, outcome: ReplayOutcome): void {
    this.requestBytes += request.requestBytes
    this.responseBytes += request.responseBytes
    const { upstreamMs } = request
    if (upstreamMs !== undefined) {
      this.latencySumMs += upstreamMs
      this.latencies[classOf(upstreamMs)]! += 1
    }
    switch (outcome.kind) {
      case "answered": {
        const firstDigit = Math.floor(outcome.status / 100)
        this.served++
        this.answeredByClass[firstDigit <= 5 ? firstDigit : 0]! += 1
        return
      }
      case "failed":
        this.failed++
        this.failedByCode.set(outcome.code, (this.failedByCode.get(outcome.code) ?? 0) + 1)
        return
      case "cancelled":
        this.cancelled++
    }
  }
}

function classOf(latencyMs: number): number {
  let at = 0
  while (at < latencyBoundsMs.length && latencyMs > latencyBoundsMs[at]!) at++
  return at
}
