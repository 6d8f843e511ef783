// `npm run demo [-- --redis redis://…]`: a private server, proxy-out and proxy-in, each its own process, on free loopback ports.
// Runs until Ctrl-C and leaves nothing behind.
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { stopSignal } from "@restante/protocol"
import { Child } from "./child.ts"

/** Open pages hold event streams, which a polite stop would wait for; nobody wants that of a demo. */
const graceMs = 3000
const bin = "node_modules/.bin"

const signal = stopSignal(process, () => performance.now())
stopWhenAlone()
const { redis } = demoOptions()
const directory = await mkdtemp(join(tmpdir(), "restante-demo-"))
const children: Child[] = []
try {
  await run()
} catch (error) {
  // Told to stop while starting, the rest of the start fails: as wished.
  if (!signal.aborted) {
    console.error(`The demo failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
} finally {
  await Promise.all(children.map((child) => child.stop(graceMs)))
  await rm(directory, { recursive: true, force: true })
}
// Nothing that somebody may still hold open keeps a finished demo alive.
process.exit()

async function run(): Promise<void> {
  const server = start("private server", [process.execPath, "demo/private-server.ts"], /^http:.*$/)
  const upstream = await server.ready
  const [port, statusPort] = await freePorts()
  const url = `http://127.0.0.1:${port}`
  const outCommand = [
    `${bin}/proxy-out`,
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--data-dir",
    directory,
  ]
  if (redis !== undefined) outCommand.push("--redis", redis)
  const inCommand = [`${bin}/proxy-in`, "--server", upstream, "--external", url, "--port", String(statusPort)]
  inCommand.push("--token-file", join(directory, "token"))
  for (const command of [outCommand, inCommand]) command.push("--log-level", "warn")
  const edge = start("proxy-out", outCommand, /^Listening on /)
  await edge.ready
  const agent = start("proxy-in", inCommand, /^Status on /)
  await agent.ready
  await answersThrough(url)
  console.log(introduction({ url, statusPort, outCommand, inCommand, agentPid: agent.pid ?? 0 }))
  void agent.ended.then((how) => sayThatAgentEnded(how, inCommand))
  await Promise.race([aborted(), endedByItself(server), endedByItself(edge)])
  console.log("\nStopping.")
}

function start(name: string, command: readonly string[], firstLine: RegExp): Child {
  const child = new Child(name, command, firstLine)
  children.push(child)
  return child
}

async function answersThrough(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]) })
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`)
  await response.body?.cancel()
}

interface Introduction {
  readonly url: string
  readonly statusPort: number
  readonly outCommand: readonly string[]
  readonly inCommand: readonly string[]
  readonly agentPid: number
}

function introduction({ url, statusPort, outCommand, inCommand, agentPid }: Introduction): string {
  return `
A private server is reachable through the tunnel:

  ${url}/

Two commands did it (run in this folder; the token is in the file, not in the command):

  ${outCommand.join(" ")}
  ${inCommand.join(" ")}

Try this:
  1. Stop proxy-in:                 kill ${agentPid}
  2. Reload the page: it waits (up to 30 s) instead of failing.
  3. Start proxy-in again, in a second terminal in this folder, and the page appears:
     ${inCommand.join(" ")}

What proxy-in says about itself:  http://127.0.0.1:${statusPort}/
Ctrl-C stops everything.`
}

function sayThatAgentEnded(how: string, inCommand: readonly string[]): void {
  if (signal.aborted) return
  console.log(`\nproxy-in ended (${how}). Requests wait now. Start it again with:\n  ${inCommand.join(" ")}`)
}

/** Rejects when a process that nobody should stop ends before the demo does. */
async function endedByItself(child: Child): Promise<void> {
  const how = await child.ended
  // A Ctrl-C reaches all processes at the same time; ours may be told last.
  await sleep(200)
  if (!signal.aborted) throw new Error(`${child.name} ended unexpectedly (${how})`)
}

function aborted(): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}

/** Two different ports that nobody listens on: both are held until both are known. */
async function freePorts(): Promise<[number, number]> {
  const first = createServer()
  const second = createServer()
  const ports: [number, number] = [await portOf(first), await portOf(second)]
  await Promise.all([first, second].map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function portOf(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (typeof address === "object" && address !== null) resolve(address.port)
    })
  })
}

/** When the terminal is closed, or whoever started the demo is killed without a word to us, we stop as if told to. */
function stopWhenAlone(): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) stop()
  }, 500).unref()
  process.on("SIGHUP", stop)
  for (const output of [process.stdout, process.stderr]) output.on("error", stop)
}

function stop(): void {
  if (!signal.aborted) process.kill(process.pid, "SIGTERM")
}

function demoOptions(): { redis: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { redis: { type: "string" }, help: { type: "boolean", short: "h" } },
    })
    if (values.help !== true) return { redis: values.redis }
    console.log(
      "npm run demo [-- --redis redis://HOST:PORT]    shows a private server through the tunnel; Ctrl-C ends it",
    )
    process.exit(0)
  } catch {
    console.error("The demo knows one option: npm run demo -- --redis redis://HOST:PORT")
    process.exit(2)
  }
}
