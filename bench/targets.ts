// What was promised about speed, as ratios, and what came of it.
import type { ContenderName } from "./contenders.ts"
import type { Sample } from "./measurements.ts"
import { ratio, type Lane, type Spread } from "./summary.ts"

export interface Target {
  readonly lane: Lane
  readonly one: ContenderName
  readonly other: ContenderName
  /** Least ratio of the speeds of the one and the other. */
  readonly least: number
}

export interface Verdict extends Target {
  /** Undefined when one of them was not measured. */
  readonly ratio: Spread | undefined
  readonly verdict: "reached" | "missed" | "not measured"
}

const small50: Lane = { workload: "small", connections: 50 }

const targets: readonly Target[] = [
  { lane: small50, one: "memory/websocket", other: "node", least: 1.5 },
  { lane: small50, one: "queue/websocket", other: "memory/websocket", least: 0.45 },
  { lane: small50, one: "queue/poll", other: "memory/poll", least: 0.45 },
  { lane: small50, one: "memory/poll", other: "memory/websocket", least: 0.85 },
  { lane: small50, one: "access log", other: "memory/websocket", least: 0.95 },
  { lane: { workload: "websocket" }, one: "memory/websocket", other: "no hop", least: 0.5 },
  { lane: { workload: "websocket" }, one: "memory/poll", other: "no hop", least: 0.5 },
  { lane: { workload: "tcp" }, one: "tcp/websocket", other: "rathole", least: 0.8 },
  { lane: { workload: "tcp" }, one: "tcp/websocket", other: "ssh -R", least: 0.8 },
  { lane: { workload: "tcp" }, one: "tcp/poll", other: "rathole", least: 0.8 },
  { lane: { workload: "tcp" }, one: "tcp/poll", other: "ssh -R", least: 0.8 },
  { lane: { workload: "download" }, one: "memory/websocket", other: "nginx", least: 0.6 },
  { lane: { workload: "download" }, one: "memory/poll", other: "nginx", least: 0.6 },
  { lane: { workload: "upload" }, one: "memory/websocket", other: "nginx", least: 0.6 },
  { lane: { workload: "upload" }, one: "memory/poll", other: "nginx", least: 0.6 },
]

export function judge(samples: readonly Sample[]): Verdict[] {
  return targets.map((target) => {
    const found = ratio(samples, target.lane, target.one, target.other)
    const verdict = found === undefined ? "not measured" : found.median >= target.least ? "reached" : "missed"
    return { ...target, ratio: found, verdict }
  })
}
