// The figures as tables for people.
import type { Entry } from "./field.ts"
import { tcpConnections, webSocketConnections, type RequestSample, type Sample } from "./measurements.ts"
import type { BenchOptions } from "./options.ts"
import type { ContenderName } from "./contenders.ts"
import { ratio, summarizeRequests, summarizeTransfers, type Lane, type Spread } from "./summary.ts"
import { judge } from "./targets.ts"

/** "own" is what the contender itself uses: its edge, agent and redis, or the hop. */
const roles = ["own", "edge", "agent", "redis", "upstream", "load"]

export function report(samples: readonly Sample[], entries: readonly Entry[], options: BenchOptions): string {
  const sections = [
    ...options.connections.map((connections) => requestSection(samples, "small", connections)),
    requestSection(samples, "websocket", webSocketConnections),
    requestSection(samples, "tcp", tcpConnections),
    transferSection(samples, entries, "download"),
    transferSection(samples, entries, "upload"),
    targetSection(samples),
    absentSection(entries),
  ]
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`
}

/** What is exchanged, and whom all are compared with. */
const exchanged = {
  small: { what: "Small GET", beside: "node" },
  websocket: { what: "WebSocket message and its echo", beside: "no hop" },
  tcp: { what: "Small GET through what carries bytes", beside: "net pipe" },
} as const satisfies Record<RequestSample["workload"], { what: string; beside: ContenderName }>

function requestSection(
  samples: readonly Sample[],
  workload: RequestSample["workload"],
  connections: number,
): string {
  const summaries = summarizeRequests(samples, workload, connections)
  if (summaries.length === 0) return ""
  const lane: Lane = { workload, connections }
  const { what, beside } = exchanged[workload]
  const title = `${what}, ${connections} ${connections === 1 ? "connection" : "connections"}`
  const head = [
    "",
    "requests/s",
    "least-most",
    `x ${beside}`,
    "p50 ms",
    "p99 ms",
    ...roles.map((role) => `${role} µs`),
  ]
  const rows = summaries.map(({ contender, requestsPerSecond, p50Us, p99Us, cpuUs }) => [
    contender,
    requestsPerSecond.median.toFixed(0),
    range(requestsPerSecond, 0),
    ratioText(ratio(samples, lane, contender, beside)),
    (p50Us / 1000).toFixed(2),
    (p99Us / 1000).toFixed(2),
    ...roles.map((role) => withOwn(cpuUs)[role]?.toFixed(1) ?? ""),
  ])
  return `${title} (µs: processor time per request)\n${table([head, ...rows])}`
}

function transferSection(
  samples: readonly Sample[],
  entries: readonly Entry[],
  workload: "download" | "upload",
): string {
  const summaries = summarizeTransfers(samples, workload)
  if (summaries.length === 0) return ""
  const head = [
    "",
    "GB/s",
    "least-most",
    "x nginx",
    ...roles.map((role) => `${role} ms`),
    "edge MiB",
    "agent MiB",
    "hop MiB",
  ]
  const rows = summaries.map(({ contender, bytesPerSecond, cpuMsPerGiB }) => {
    const entry = entries.find((one) => one.workload === workload && one.contender === contender)
    const gigabytes = scaled(bytesPerSecond, 1e-9)
    return [
      contender,
      gigabytes.median.toFixed(2),
      range(gigabytes, 2),
      ratioText(ratio(samples, { workload }, contender, "nginx")),
      ...roles.map((role) => withOwn(cpuMsPerGiB)[role]?.toFixed(0) ?? ""),
      ...["edge", "agent", "hop"].map((role) => mebibytes(entry?.peakMemoryBytes[role])),
    ]
  })
  const title = `One ${workload} (ms: processor time per GiB; MiB: most memory ever resident)`
  return `${title}\n${table([head, ...rows])}`
}

function targetSection(samples: readonly Sample[]): string {
  const rows = judge(samples).map(({ lane, one, other, least, ratio: found, verdict }) => [
    lane.workload === "small" ? `small GET, ${lane.connections} connections` : lane.workload,
    `${one} / ${other}`,
    `>= ${least.toFixed(2)}`,
    ratioText(found),
    found === undefined ? "" : range(found, 2),
    verdict === "missed" ? "MISSED" : verdict,
  ])
  return `Targets (ratios taken round by round)\n${table([["", "", "wanted", "median", "least-most", ""], ...rows])}`
}

/** What was not measured, or not to the end, and why. */
function absentSection(entries: readonly Entry[]): string {
  return entries
    .filter(({ state }) => state !== "measured")
    .map(
      ({ workload, contender, state, reason }) =>
        `${workload}: ${contender} ${state === "missing" ? "is not measured" : "FAILED"}: ${reason}`,
    )
    .join("\n")
}

function withOwn(cpu: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const own = Object.entries(cpu).filter(([role]) => role !== "upstream" && role !== "load")
  return own.length === 0 ? cpu : { ...cpu, own: own.reduce((total, [, used]) => total + used, 0) }
}

function range({ least, most }: Spread, digits: number): string {
  return `${least.toFixed(digits)}-${most.toFixed(digits)}`
}

function ratioText(found: Spread | undefined): string {
  return found === undefined ? "" : found.median.toFixed(2)
}

function scaled({ median, least, most }: Spread, factor: number): Spread {
  return { median: median * factor, least: least * factor, most: most * factor }
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : (bytes / 1024 ** 2).toFixed(0)
}

/** Columns as wide as they need; empty ones are left out. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const used = head.map((_, column) => column).filter((column) => body.some((row) => row[column] !== ""))
  const widths = used.map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      used
        .map((column, index) => padded(row[column] ?? "", widths[index] ?? 0, index))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

/** Names to the left, figures to the right. */
function padded(text: string, width: number, index: number): string {
  return index === 0 || !/^[\d.>]/.test(text) ? text.padEnd(width) : text.padStart(width)
}
