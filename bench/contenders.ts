// Who is compared: their names, and how each is put together from processes of its own, as in real life.
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "../test/support/redis.ts"
import { needed, type Machine } from "./machine.ts"
import { nginxHop } from "./nginx.ts"
import { Program } from "./program.ts"
import { ratholePeer, sshPeer } from "./tcp-peers.ts"

const dispatches = ["memory", "direct", "queue"] as const
const transports = ["websocket", "poll"] as const
type Dispatch = (typeof dispatches)[number]
type Transport = (typeof transports)[number]
/** Edge and agent: how the edge hands requests over, and what carries them to the agent. */
type PairName = `${Dispatch}/${Transport}`
/** Edge and agent with a TCP port, which carries bytes and knows no HTTP. */
type PortName = `tcp/${Transport}`

/** "no hop" is the private server itself: what the load generator sees at most. nginx and Node are one hop before it. */
export type ContenderName =
  | ("no hop" | "nginx" | "nginx tuned" | "node" | "access log" | PairName)
  | ("net pipe" | "ssh -R" | "rathole" | PortName)

/** For small requests, in the order of their turns. */
export const requestContenders: readonly ContenderName[] = [
  "no hop",
  "nginx",
  "node",
  ...dispatches.flatMap((dispatch) => transports.map((transport): PairName => `${dispatch}/${transport}`)),
  "access log",
]

/** For WebSockets: how their request was handed over makes no difference to their messages. */
export const webSocketContenders: readonly ContenderName[] = ["no hop", "memory/websocket", "memory/poll"]

/** For bytes: a Node hop that pipes sockets, and tunnels that never look at HTTP. */
export const tcpContenders: readonly ContenderName[] = [
  "no hop",
  "net pipe",
  "ssh -R",
  "rathole",
  "tcp/websocket",
  "tcp/poll",
]

/** For large bodies: how a request was handed over makes no difference to them. */
export const transferContenders: readonly ContenderName[] = [
  "no hop",
  "nginx",
  "nginx tuned",
  "node",
  "memory/websocket",
  "memory/poll",
]

/** One that runs. */
export interface Contender {
  readonly name: ContenderName
  /** Where its clients go, on loopback. */
  readonly port: number
  /** What it consists of, the private server not counted. */
  readonly programs: readonly Program[]
}

export interface Place {
  readonly machine: Machine
  readonly upstreamPort: number
  /** For files. */
  readonly folder: string
  /** Folder and beginning of the names of CPU profiles. */
  readonly profile: { readonly folder: string; readonly label: string } | undefined
  /** Stops every process, also those of a contender that did not start. */
  readonly owner: AsyncDisposableStack
}

/** Raises `MissingProgram` when it needs one that this machine does not have. */
export function startContender(name: ContenderName, place: Place): Promise<Contender> {
  switch (name) {
    case "no hop":
      return Promise.resolve({ name, port: place.upstreamPort, programs: [] })
    case "nginx":
      return startNginx(name, "usual", place)
    case "nginx tuned":
      return startNginx(name, "large", place)
    case "node":
      return startNode(place)
    case "access log":
      return startLogged(place)
    case "net pipe":
      return startPipe(place)
    case "ssh -R":
      return startPeer(name, sshPeer(needed(place.machine, "ssh"), place))
    case "rathole":
      return startPeer(name, ratholePeer(needed(place.machine, "rathole"), place))
    case "tcp/websocket":
    case "tcp/poll":
      return startPort(name, place)
    case "memory/websocket":
    case "memory/poll":
    case "direct/websocket":
    case "direct/poll":
    case "queue/websocket":
    case "queue/poll":
      return startPair(name, place)
  }
}

/** Path of one of the benchmark's own processes. */
export function child(name: "load" | "node-hop" | "pipe-hop" | "upstream" | "echo"): string {
  return fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))
}

async function startNginx(
  name: ContenderName,
  buffers: "usual" | "large",
  { machine, folder, upstreamPort, owner }: Place,
): Promise<Contender> {
  const command = needed(machine, "nginx")
  const { program, port } = await nginxHop(command, join(folder, "hop"), { buffers, upstreamPort }, owner)
  return { name, port, programs: [program] }
}

function startNode(place: Place): Promise<Contender> {
  return startHop("node", "node-hop", place)
}

function startPipe(place: Place): Promise<Contender> {
  return startHop("net pipe", "pipe-hop", place)
}

async function startHop(
  name: ContenderName,
  file: "node-hop" | "pipe-hop",
  { upstreamPort, owner }: Place,
): Promise<Contender> {
  const words = [child(file), String(upstreamPort)]
  const program = owner.use(new Program({ role: "hop", command: process.execPath, words, ipc: true }))
  return { name, port: Number(await program.line(/^(\d+)$/)), programs: [program] }
}

async function startPeer(name: ContenderName, peer: Promise<Omit<Contender, "name">>): Promise<Contender> {
  return { name, ...(await peer) }
}

/** "memory/websocket" that writes a line into a file for every request. */
async function startLogged(place: Place): Promise<Contender> {
  const log = ["--access-log", "json", "--access-log-file", join(place.folder, "access.log")]
  return { ...(await startPair("memory/websocket", place, log)), name: "access log" }
}

async function startPair(
  name: PairName,
  place: Place,
  edgeOptions: readonly string[] = [],
): Promise<Contender> {
  const { upstreamPort, owner } = place
  const [dispatch = "", transport = ""] = name.split("/")
  const redis = dispatch === "memory" ? undefined : await startRedis(place)
  const queue = redis === undefined ? [] : ["--redis", redis.url, "--dispatch", dispatch]
  const edge = owner.use(
    ourProgram("edge", name, place, ["--host", "127.0.0.1", "--port", "0", ...queue, ...edgeOptions]),
  )
  const port = Number(await edge.line(/^Listening on http:\/\/127\.0\.0\.1:(\d+)$/))
  const ends = ["--server", `http://127.0.0.1:${upstreamPort}`, "--external", `http://127.0.0.1:${port}`]
  const agent = owner.use(
    ourProgram("agent", name, place, [...ends, "--transport", transport, "--port", "off"]),
  )
  await agent.line(/ -> /)
  return { name, port, programs: [edge, agent, ...(redis === undefined ? [] : [redis.program])] }
}

async function startPort(name: PortName, place: Place): Promise<Contender> {
  const { upstreamPort, owner } = place
  const [, transport = ""] = name.split("/")
  const tcpPort = String(await freePort())
  const listen = ["--host", "127.0.0.1", "--port", "0", "--tcp-ports", tcpPort]
  const edge = owner.use(ourProgram("edge", name, place, listen))
  const external = await edge.line(/^Listening on (http:\/\/127\.0\.0\.1:\d+)$/)
  const ends = ["--tcp", `${tcpPort}=127.0.0.1:${upstreamPort}`, "--external", external]
  const agent = owner.use(
    ourProgram("agent", name, place, [...ends, "--transport", transport, "--port", "off"]),
  )
  const port = Number(await agent.line(/^tcp:\/\/127\.0\.0\.1:(\d+) -> /))
  return { name, port, programs: [edge, agent] }
}

/** Each pair that needs one has its own: pairs that share a Redis would wake each other. */
async function startRedis({ machine, folder, owner }: Place): Promise<{ program: Program; url: string }> {
  const command = needed(machine, "redis")
  const port = await freePort()
  const listen = ["--port", String(port), "--bind", "127.0.0.1"]
  const words = [...listen, "--dir", folder, "--save", "", "--appendonly", "no"]
  const program = owner.use(new Program({ role: "redis", command, words }))
  await program.listening(port)
  return { program, url: `redis://127.0.0.1:${port}` }
}

/** The built program; for a profile the same from its sources, where a reader finds the lines that it names. */
function ourProgram(
  role: "edge" | "agent",
  contender: PairName | PortName,
  { profile }: Place,
  options: readonly string[],
): Program {
  const name = role === "edge" ? "proxy-out" : "proxy-in"
  const folder = fileURLToPath(new URL(`../packages/${name}/`, import.meta.url))
  const built = [join(folder, "bin", `${name}.js`)]
  const profiled = [
    "--cpu-prof",
    `--cpu-prof-dir=${profile?.folder}`,
    `--cpu-prof-name=${profile?.label}-${contender.replace("/", "-")}-${role}.cpuprofile`,
    "--conditions=@restante/source",
    join(folder, "src", "cli.ts"),
  ]
  return new Program({
    role,
    command: process.execPath,
    words: [...(profile === undefined ? built : profiled), ...options, "--log-level", "warn"],
    environment: { RESTANTE_TOKEN: "a-token-that-only-the-benchmark-uses-0123456789" },
  })
}
