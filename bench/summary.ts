// What many turns come down to: medians with their spread, processor time per request, and ratios of two contenders taken
// round by round, so that what slowed the machine in one round slowed both.
import type { ContenderName } from "./contenders.ts"
import type { RequestSample, Sample, TransferSample, Workload } from "./measurements.ts"

/** The middle one of several figures, the smallest and the largest. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export interface RequestSummary {
  readonly contender: ContenderName
  readonly connections: number
  readonly requestsPerSecond: Spread
  readonly p50Us: number
  readonly p99Us: number
  /** Processor time per request in microseconds, by role. */
  readonly cpuUs: Readonly<Record<string, number>>
}

export interface TransferSummary {
  readonly contender: ContenderName
  readonly bytesPerSecond: Spread
  /** Processor time per GiB in milliseconds, by role. */
  readonly cpuMsPerGiB: Readonly<Record<string, number>>
}

export function summarizeRequests(
  samples: readonly Sample[],
  workload: RequestSample["workload"],
  connections: number,
): RequestSummary[] {
  const wanted = samples
    .filter(isRequests)
    .filter((sample) => sample.workload === workload)
    .filter((sample) => sample.connections === connections)
  return Array.from(byContender(wanted), ([contender, own]) => ({
    contender,
    connections,
    requestsPerSecond: spreadOf(own.map((sample) => sample.requestsPerSecond)),
    p50Us: spreadOf(own.map((sample) => sample.p50Us)).median,
    p99Us: spreadOf(own.map((sample) => sample.p99Us)).median,
    cpuUs: cpuPer(own, 1000 / sum(own.map((sample) => sample.requests))),
  }))
}

export function summarizeTransfers(
  samples: readonly Sample[],
  workload: "download" | "upload",
): TransferSummary[] {
  const wanted = samples
    .filter((sample) => !isRequests(sample))
    .filter((sample) => sample.workload === workload)
  return Array.from(byContender(wanted), ([contender, own]) => ({
    contender,
    bytesPerSecond: spreadOf(own.map((sample) => sample.bytesPerSecond)),
    cpuMsPerGiB: cpuPer(own, 1024 ** 3 / sum(own.map((sample) => sample.bytes))),
  }))
}

/** Which figures a ratio is made of. */
export interface Lane {
  readonly workload: Workload
  /** Only for small requests. */
  readonly connections?: number
}

/** How much faster `one` is than `other`; undefined when they have no round in common in which the other did anything. */
export function ratio(
  samples: readonly Sample[],
  lane: Lane,
  one: ContenderName,
  other: ContenderName,
): Spread | undefined {
  const speeds = (contender: ContenderName): Map<number, number> =>
    new Map(
      samples
        .filter((sample) => sample.contender === contender && sample.workload === lane.workload)
        .filter((sample) => sample.workload !== "small" || sample.connections === lane.connections)
        .map((sample) => [sample.round, speedOf(sample)]),
    )
  const others = speeds(other)
  const ratios = Array.from(speeds(one)).flatMap(([round, speed]) => {
    const against = others.get(round)
    return against === undefined || against === 0 ? [] : [speed / against]
  })
  return ratios.length === 0 ? undefined : spreadOf(ratios)
}

/** `values`: at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const below = sorted[Math.ceil(middle) - 1] ?? Number.NaN
  const above = sorted[Math.floor(middle)] ?? Number.NaN
  return { median: (below + above) / 2, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN }
}

function isRequests(sample: Sample): sample is RequestSample {
  return "requestsPerSecond" in sample
}

function speedOf(sample: RequestSample | TransferSample): number {
  return isRequests(sample) ? sample.requestsPerSecond : sample.bytesPerSecond
}

function byContender<One extends Sample>(samples: readonly One[]): Map<ContenderName, One[]> {
  return Map.groupBy(samples, ({ contender }) => contender)
}

function cpuPer(samples: readonly Sample[], factor: number): Record<string, number> {
  const used: Record<string, number> = {}
  for (const { cpuMs } of samples) {
    for (const [role, milliseconds] of Object.entries(cpuMs))
      used[role] = (used[role] ?? 0) + milliseconds * factor
  }
  return used
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
