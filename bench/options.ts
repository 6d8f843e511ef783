// The benchmark's command line.
import { parseArgs } from "node:util"
import { CommandError } from "@restante/protocol"
import {
  requestContenders,
  tcpContenders,
  transferContenders,
  webSocketContenders,
  type ContenderName,
} from "./contenders.ts"
import { workloads, type Workload } from "./measurements.ts"

export interface BenchOptions {
  readonly rounds: number
  /** Of each turn with small requests. */
  readonly seconds: number
  /** Connections of small requests, each number measured on its own. */
  readonly connections: readonly number[]
  /** Size of a transfer's body. */
  readonly bytes: number
  readonly workloads: readonly Workload[]
  readonly contenders: readonly ContenderName[]
  /** For every single figure. */
  readonly jsonFile: string | undefined
  /** For CPU profiles of edges and agents. */
  readonly profileFolder: string | undefined
}

const contenderNames = [
  ...new Set([...requestContenders, ...webSocketContenders, ...tcpContenders, ...transferContenders]),
]

export const usage = `npm run bench -- [--quick] [options]

Measures Restante beside nginx, a plain Node hop and tunnels of bytes, in turns, on this machine.

  --quick              a few minutes: 3 rounds of 1 s each, with 1 and 50 connections
                       (without it 7 rounds of 3 s, with 500 connections too)
  --rounds N           how often every contender has its turn
  --seconds S          length of a turn with small requests
  --connections N,...  connections of small requests
  --bytes SIZE         size of a transfer: 1GiB, 64MiB, 512KiB
  --workloads W,...    only these of ${workloads.join(", ")}
  --contenders C,...   only these of ${contenderNames.join(", ")}
  --json FILE          every single figure, for a program
  --profile FOLDER     CPU profiles of edges and agents too; that slows them down.
                       To read them: node bench/profile.ts FOLDER
`

/** Raises `CommandError("usage")`. */
export function parseOptions(argv: readonly string[]): BenchOptions | "help" {
  const values = parse(argv)
  if (values.help === true) return "help"
  const usual =
    values.quick === true
      ? { rounds: 3, seconds: 1, connections: [1, 50] }
      : { rounds: 7, seconds: 3, connections: [1, 50, 500] }
  return {
    rounds: values.rounds === undefined ? usual.rounds : readNumber("--rounds", values.rounds, true),
    seconds: values.seconds === undefined ? usual.seconds : readNumber("--seconds", values.seconds, false),
    connections:
      values.connections?.split(",").map((text) => readNumber("--connections", text, true)) ??
      usual.connections,
    bytes: values.bytes === undefined ? 1024 ** 3 : readBytes(values.bytes),
    workloads: readNames("--workloads", values.workloads, workloads),
    contenders: readNames("--contenders", values.contenders, contenderNames),
    jsonFile: values.json,
    profileFolder: values.profile,
  }
}

const table = {
  quick: { type: "boolean" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  connections: { type: "string" },
  bytes: { type: "string" },
  workloads: { type: "string" },
  contenders: { type: "string" },
  json: { type: "string" },
  profile: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof table }>>["values"] {
  try {
    return parseArgs({ args: [...argv], options: table }).values
  } catch (error) {
    throw new CommandError("usage", error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function readNumber(option: string, text: string, whole: boolean): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return value
  throw new CommandError("usage", `${option} wants a ${whole ? "whole " : ""}number above 0.`)
}

function readBytes(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})(KiB|MiB|GiB)$/.exec(text) ?? []
  const unitBytes = new Map([
    ["KiB", 1024],
    ["MiB", 1024 ** 2],
    ["GiB", 1024 ** 3],
  ]).get(unit)
  if (unitBytes !== undefined && Number(count) > 0) return Number(count) * unitBytes
  throw new CommandError("usage", "--bytes wants a size: 1GiB, 64MiB, 512KiB.")
}

/** All of them when none was asked for. */
function readNames<Name extends string>(
  option: string,
  text: string | undefined,
  names: readonly Name[],
): readonly Name[] {
  if (text === undefined) return names
  return text.split(",").map((asked) => {
    const found = names.find((name) => name === asked)
    if (found === undefined)
      throw new CommandError("usage", `${option} knows ${names.join(", ")}, but not "${asked}".`)
    return found
  })
}
