// Who is compared: their names, and how each is put together from processes of its own, as in real life.
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "../test/support/redis.ts"
import type { Machine } from "./machine.ts"
import { nginxHop } from "./nginx.ts"
import { Program } from "./program.ts"

export type Dispatch = "memory" | "direct" | "queue"
export type Transport = "websocket" | "poll"
export type HopName = "no hop" | "nginx" | "node"
export type ContenderName = HopName | `${Dispatch}/${Transport}`

const dispatches: readonly Dispatch[] = ["memory", "direct", "queue"]
const transports: readonly Transport[] = ["websocket", "poll"]

/** For small requests, in the order of their turns. "no hop" is the private server itself: what the load generator can see at most. */
export const requestContenders: readonly ContenderName[] = [
  "no hop",
  "nginx",
  "node",
  ...dispatches.flatMap((dispatch) => transports.map((transport) => `${dispatch}/${transport}` as const)),
]

/** For large bodies. */
export const transferContenders: readonly ContenderName[] = [
  "no hop",
  "nginx",
  "node",
  "memory/websocket",
  "memory/poll",
]

export interface Contender {
  readonly name: ContenderName
  /** Where its clients go, on loopback. */
  readonly port: number
  /** Its processes, without the private server, in the order in which they are to be stopped. */
  readonly programs: readonly Program[]
}

export interface Place {
  readonly machine: Machine
  readonly upstreamPort: number
  /** For files of this workload. */
  readonly folder: string
  readonly profileFolder: string | undefined
}

/** Starts it. `started` is told of every process at once, so that none is left behind whatever happens. */
export async function startContender(
  name: ContenderName,
  place: Place,
  started: (program: Program) => void,
): Promise<Contender> {
  switch (name) {
    case "no hop":
      return { name, port: place.upstreamPort, programs: [] }
    case "nginx": {
      const { program, port } = await nginxHop({
        command: place.machine.nginx,
        folder: join(place.folder, "nginx-hop"),
        upstreamPort: place.upstreamPort,
        started,
      })
      return { name, port, programs: [program] }
    }
    case "node": {
      const words = [child("node-hop"), String(place.upstreamPort)]
      const program = new Program({ role: "hop", command: process.execPath, words, ipc: true })
      started(program)
      return { name, port: Number(await program.line(/^(\d+)$/)), programs: [program] }
    }
    default:
      return startPair(name, place, started)
  }
}

export function child(name: "load" | "node-hop" | "upstream"): string {
  return fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))
}

async function startPair(
  name: `${Dispatch}/${Transport}`,
  place: Place,
  started: (program: Program) => void,
): Promise<Contender> {
  const [dispatch, transport] = name.split("/")
  const redis = dispatch === "memory" ? undefined : await startRedis(place, started)
  const queue = redis === undefined ? [] : ["--redis", redis.url, "--dispatch", dispatch ?? ""]
  const label = `${name.replace("/", "-")}-${place.upstreamPort}`
  const edge = new Program({
    role: "edge",
    ...ours("proxy-out", label, place),
    arguments: ["--host", "127.0.0.1", "--port", "0", "--log-level", "warn", ...queue],
    environment,
  })
  started(edge)
  const port = Number(await edge.line(/^Listening on http:\/\/127\.0\.0\.1:(\d+)$/))
  const agent = new Program({
    role: "agent",
    ...ours("proxy-in", label, place),
    arguments: [
      ...["--server", `http://127.0.0.1:${place.upstreamPort}`, "--external", `http://127.0.0.1:${port}`],
      ...["--transport", transport ?? "", "--port", "off", "--log-level", "warn"],
    ],
    environment,
  })
  started(agent)
  await agent.line(/ -> /)
  return { name, port, programs: [agent, edge, ...(redis === undefined ? [] : [redis.program])] }
}

/** An own Redis for each pair that needs one: pairs that share one would wake each other. */
async function startRedis(
  { machine, folder }: Place,
  started: (program: Program) => void,
): Promise<{ program: Program; url: string }> {
  const port = await freePort()
  const program = new Program({
    role: "redis",
    command: machine.redis,
    words: ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"],
  })
  started(program)
  await program.listening(port)
  return { program, url: `redis://127.0.0.1:${port}` }
}

/** The token that edges and agents of the benchmark share. */
const environment = { RESTANTE_TOKEN: "a-token-that-only-the-benchmark-uses-0123456789" }

/** The built program; for a profile the same from its sources, whose lines a reader can find. */
function ours(
  program: "proxy-out" | "proxy-in",
  label: string,
  { profileFolder }: Place,
): { command: string; words: readonly string[] } {
  const packageFolder = fileURLToPath(new URL(`../packages/${program}/`, import.meta.url))
  const words =
    profileFolder === undefined
      ? [join(packageFolder, "bin", `${program}.js`)]
      : [
          ...["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${label}-${program}.cpuprofile`],
          ...["--conditions=@restante/source", join(packageFolder, "src", "cli.ts")],
        ]
  return { command: process.execPath, words }
}
