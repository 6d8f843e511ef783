// One workload from start to end: a private server, the contenders before it, a warm-up, and their turns.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import {
  child,
  type Contender,
  type ContenderName,
  requestContenders,
  tcpContenders,
  transferContenders,
  webSocketContenders,
} from "./contenders.ts"
import { Field, type Entry } from "./field.ts"
import { LoadGenerator } from "./load-generator.ts"
import type { Machine } from "./machine.ts"
import {
  measureMessages,
  measureRequests,
  measureTransfer,
  tcpConnections,
  webSocketConnections,
} from "./measurements.ts"
import type { Bench, Sample, Workload } from "./measurements.ts"
import { nginxUpstream } from "./nginx.ts"
import type { BenchOptions } from "./options.ts"
import { Program } from "./program.ts"

export interface Outcome {
  readonly samples: readonly Sample[]
  readonly entries: readonly Entry[]
}

export interface Surroundings {
  readonly machine: Machine
  /** An empty one. */
  readonly folder: string
  readonly signal: AbortSignal
  /** One line on what goes on. */
  readonly say: (line: string) => void
}

export async function runWorkload(
  workload: Workload,
  options: BenchOptions,
  { machine, folder, signal, say }: Surroundings,
): Promise<Outcome> {
  await using owner = new AsyncDisposableStack()
  const load = owner.use(new LoadGenerator())
  const upstream = await startUpstream(workload, machine, folder, owner)
  const field = new Field(workload)
  say(`${workload}: starting`)
  for (const name of contendersOf(workload)) {
    if (!options.contenders.includes(name)) continue
    signal.throwIfAborted()
    const ownFolder = join(folder, `${workload}-${name.replace(/\W/g, "-")}`)
    await mkdir(ownFolder)
    await field.enter(name, {
      machine,
      upstreamPort: upstream.port,
      folder: ownFolder,
      profile:
        options.profileFolder === undefined ? undefined : { folder: options.profileFolder, label: workload },
      owner,
    })
  }
  const bench: Bench = { load, upstream: upstream.program, signal }
  const turns = turnsOf(workload, bench, options)
  const samples: Sample[] = []
  for (const { label, counts, measure } of turns) {
    signal.throwIfAborted()
    say(`${workload}: ${label}`)
    const measured = await field.turn(measure)
    if (counts) samples.push(...measured)
  }
  return { samples, entries: field.entries() }
}

/** What every contender does once before the next thing begins. */
interface Turn {
  readonly label: string
  /** False: it is for warming up. */
  readonly counts: boolean
  readonly measure: (contender: Contender) => Promise<Sample>
}

function contendersOf(workload: Workload): readonly ContenderName[] {
  if (workload === "small") return requestContenders
  if (workload === "tcp") return tcpContenders
  return workload === "websocket" ? webSocketContenders : transferContenders
}

function turnsOf(workload: Workload, bench: Bench, options: BenchOptions): Turn[] {
  if (workload === "small" || workload === "tcp") return requestTurns(bench, workload, options)
  return workload === "websocket" ? messageTurns(bench, options) : transferTurns(bench, workload, options)
}

function messageTurns(bench: Bench, { rounds, seconds }: BenchOptions): Turn[] {
  return [0, ...counting(rounds)].map((round) => ({
    label: `${roundLabel(round, rounds)}, ${webSocketConnections} connections`,
    counts: round > 0,
    measure: (contender) => measureMessages(bench, contender, { round, seconds }),
  }))
}

function requestTurns(
  bench: Bench,
  workload: "small" | "tcp",
  { rounds, seconds, connections: wanted }: BenchOptions,
): Turn[] {
  const connections = workload === "tcp" ? [tcpConnections] : wanted
  const turn = (round: number, count: number): Turn => ({
    label: `${roundLabel(round, rounds)}, ${count} ${count === 1 ? "connection" : "connections"}`,
    counts: round > 0,
    measure: (contender) =>
      measureRequests(bench, contender, { workload, connections: count, round, seconds }),
  })
  // Many connections warm up best.
  const warmup = turn(0, Math.max(...connections))
  return [warmup, ...counting(rounds).flatMap((round) => connections.map((count) => turn(round, count)))]
}

function transferTurns(
  bench: Bench,
  workload: "download" | "upload",
  { rounds, bytes }: BenchOptions,
): Turn[] {
  const turn = (round: number, size: number): Turn => ({
    label: roundLabel(round, rounds),
    counts: round > 0,
    measure: (contender) => measureTransfer(bench, contender, { workload, round, bytes: size }),
  })
  const warmup = turn(0, Math.ceil(bytes / 4))
  return [warmup, ...counting(rounds).map((round) => turn(round, bytes))]
}

function roundLabel(round: number, rounds: number): string {
  return round === 0 ? "warming up" : `round ${round} of ${rounds}`
}

/** 1 to `last`. */
function counting(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}

/** nginx answers small requests where there is one; the rest is ours, because nothing else swallows an upload without a disk. */
async function startUpstream(
  workload: Workload,
  { nginx }: Machine,
  folder: string,
  owner: AsyncDisposableStack,
): Promise<{ program: Program; port: number }> {
  if ((workload === "small" || workload === "tcp") && nginx !== undefined)
    return nginxUpstream(nginx, join(folder, `${workload}-upstream`), owner)
  const words = [child(workload === "websocket" ? "echo" : "upstream")]
  const program = owner.use(new Program({ role: "upstream", command: process.execPath, words, ipc: true }))
  return { program, port: Number(await program.line(/^(\d+)$/)) }
}
