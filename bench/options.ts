// The benchmark's command line.
import { parseArgs } from "node:util"
import { CommandError } from "@restante/protocol"

export interface BenchOptions {
  readonly rounds: number
  /** Of each measurement of small requests. */
  readonly seconds: number
  /** Connections of small requests, each number measured on its own. */
  readonly connections: readonly number[]
  /** Body of a transfer, in bytes. */
  readonly bytes: number
  /** Contenders and workloads whose names hold one of these; all when empty. */
  readonly only: readonly string[]
  readonly jsonFile: string | undefined
  /** Folder for CPU profiles of edges and agents. */
  readonly profileFolder: string | undefined
}

export const usage = `npm run bench -- [--quick] [options]

Measures Restante beside nginx and a plain Node hop, in turns, on this machine.

  --quick              a few minutes: 3 rounds of 1 s, 1 and 50 connections
                       (without it: 7 rounds of 3 s, and 500 connections too)
  --rounds N           how often every contender has its turn
  --seconds S          length of each measurement of small requests
  --connections N,N    connections of small requests
  --bytes SIZE         size of the transfers, as 1GiB or 64MiB
  --only TEXT          only contenders or workloads with TEXT in their name (may be repeated),
                       e.g. --only small --only memory/poll
  --json FILE          every single figure, for a program
  --profile FOLDER     CPU profiles of edges and agents; slower, so use it with --only`

/** "help", or what was asked for. Raises `CommandError("usage")`. */
export function parseOptions(argv: readonly string[]): BenchOptions | "help" {
  const values = parse(argv)
  if (values.help === true) return "help"
  const usual =
    values.quick === true
      ? { rounds: 3, seconds: 1, connections: [1, 50] }
      : { rounds: 7, seconds: 3, connections: [1, 50, 500] }
  return {
    rounds: positive("--rounds", values.rounds, usual.rounds),
    seconds: positive("--seconds", values.seconds, usual.seconds),
    connections:
      values.connections?.split(",").map((text) => positive("--connections", text, 0)) ?? usual.connections,
    bytes: values.bytes === undefined ? 1024 ** 3 : parseBytes(values.bytes),
    only: values.only ?? [],
    jsonFile: values.json,
    profileFolder: values.profile,
  }
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof table }>>["values"] {
  try {
    return parseArgs({ args: [...argv], options: table }).values
  } catch (error) {
    throw new CommandError("usage", error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const table = {
  quick: { type: "boolean" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  connections: { type: "string" },
  bytes: { type: "string" },
  only: { type: "string", multiple: true },
  json: { type: "string" },
  profile: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const

function positive(option: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new CommandError("usage", `${option} wants a number above 0.`)
}

function parseBytes(text: string): number {
  const found = /^(\d+)(KiB|MiB|GiB)$/.exec(text)
  const [, count, unit] = found ?? []
  if (unit !== "KiB" && unit !== "MiB" && unit !== "GiB")
    throw new CommandError("usage", "--bytes wants a size such as 1GiB, 64MiB or 512KiB.")
  return Number(count) * { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }[unit]
}
