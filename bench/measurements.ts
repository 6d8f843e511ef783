// The rounds: every contender has its turn, then every one again, so that what else the machine does hits all of them alike.
import type { Contender, ContenderName } from "./contenders.ts"
import type { LoadGenerator } from "./load-generator.ts"
import type { Program } from "./program.ts"

/**
 * "small": many small GETs; "websocket": many small messages that come back; "tcp": small GETs through what carries bytes and
 * knows no HTTP; "download" and "upload": one large body.
 */
export const workloads = ["small", "websocket", "tcp", "download", "upload"] as const
export type Workload = (typeof workloads)[number]

/** Processor time in milliseconds by role ("edge", "agent", "hop", "redis", "upstream", "load"); empty where there is no /proc. */
export type CpuMs = Readonly<Record<string, number>>

/** One turn with small requests, or with messages: each with its answer counts as a request. */
export interface RequestSample {
  readonly workload: "small" | "websocket" | "tcp"
  readonly contender: ContenderName
  readonly connections: number
  /** From 1. */
  readonly round: number
  readonly requestsPerSecond: number
  readonly p50Us: number
  readonly p99Us: number
  /** Requests that `cpuMs` was used for. */
  readonly requests: number
  readonly cpuMs: CpuMs
}

/** One turn with a large body. */
export interface TransferSample {
  readonly workload: "download" | "upload"
  readonly contender: ContenderName
  readonly round: number
  readonly bytes: number
  readonly bytesPerSecond: number
  readonly cpuMs: CpuMs
}

export type Sample = RequestSample | TransferSample

export interface Bench {
  readonly load: LoadGenerator
  readonly upstream: Program
  readonly signal: AbortSignal
}

export interface RequestTurn {
  readonly workload: "small" | "tcp"
  readonly connections: number
  readonly round: number
  readonly seconds: number
}

/** Part of a turn that is not counted: connections are made in it. */
const warmupShare = 0.2

export async function measureRequests(
  { load, upstream, signal }: Bench,
  { name, port, programs }: Contender,
  { workload, connections, round, seconds }: RequestTurn,
): Promise<RequestSample> {
  const cpu = new CpuMeter([...programs, upstream, load.program])
  const measureMs = seconds * 1000
  const job = { port, path: "/small", connections, warmupMs: measureMs * warmupShare, measureMs }
  const result = await load.requests(job, signal)
  return {
    workload,
    contender: name,
    connections,
    round,
    requestsPerSecond: (result.requests * 1000) / result.measuredMs,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    requests: result.allRequests,
    cpuMs: cpu.read(),
  }
}

/** What carries bytes is measured with so many connections. */
export const tcpConnections = 50

/** WebSockets are measured with so many connections, and with messages of this size. */
export const webSocketConnections = 100
const messageBytes = 64

export async function measureMessages(
  { load, upstream, signal }: Bench,
  { name, port, programs }: Contender,
  { round, seconds }: Pick<RequestTurn, "round" | "seconds">,
): Promise<RequestSample> {
  const cpu = new CpuMeter([...programs, upstream, load.program])
  const measureMs = seconds * 1000
  const job = { port, connections: webSocketConnections, bytes: messageBytes }
  const result = await load.messages({ ...job, warmupMs: measureMs * warmupShare, measureMs }, signal)
  return {
    workload: "websocket",
    contender: name,
    connections: webSocketConnections,
    round,
    requestsPerSecond: (result.requests * 1000) / result.measuredMs,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    requests: result.allRequests,
    cpuMs: cpu.read(),
  }
}

export interface TransferTurn {
  readonly workload: "download" | "upload"
  readonly round: number
  readonly bytes: number
}

export async function measureTransfer(
  { load, upstream, signal }: Bench,
  { name, port, programs }: Contender,
  { workload, round, bytes }: TransferTurn,
): Promise<TransferSample> {
  const cpu = new CpuMeter([...programs, upstream, load.program])
  const path = workload === "download" ? `/large/${bytes}` : "/swallow"
  const { elapsedMs } = await load.transfer({ kind: workload, port, path, bytes }, signal)
  return {
    workload,
    contender: name,
    round,
    bytes,
    bytesPerSecond: (bytes * 1000) / elapsedMs,
    cpuMs: cpu.read(),
  }
}

/** What programs use from its making on. */
class CpuMeter {
  readonly #programs: readonly Program[]
  readonly #before: readonly (number | undefined)[]

  constructor(programs: readonly Program[]) {
    this.#programs = programs
    this.#before = programs.map((program) => program.cpuMs())
  }

  read(): CpuMs {
    const used: Record<string, number> = {}
    for (const [index, program] of this.#programs.entries()) {
      const before = this.#before[index]
      const now = program.cpuMs()
      if (before !== undefined && now !== undefined) used[program.role] = now - before
    }
    return used
  }
}
