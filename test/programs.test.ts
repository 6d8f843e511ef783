// The two built programs as their operator meets them: addresses, exit codes, signals, one-line refusals.
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { startAgent, startEdge, token } from "./support/pair.ts"
import { Program } from "./support/program.ts"
import { passTime, until } from "./support/until.ts"
import { httpUpstream } from "./support/upstream.ts"

const edgeArguments = ["--host", "127.0.0.1", "--port", "0"]
const agentArguments = ["--server", "http://127.0.0.1:1", "--external", "http://127.0.0.1:1", "--port", "0"]

test.each([
  ["proxy-out", edgeArguments, "SIGTERM"],
  ["proxy-out", edgeArguments, "SIGINT"],
  ["proxy-in", agentArguments, "SIGTERM"],
  ["proxy-in", agentArguments, "SIGINT"],
] as const)("%s %j stops on %s with exit status 0", async (name, args, signal) => {
  await using program = new Program({ name, args, token })
  await program.line(/http:\/\/127\.0\.0\.1:\d+/)
  program.signal(signal)
  expect(await program.ended).toEqual({ code: 0, signal: null })
})

test("proxy-out lets what runs finish; a second signal ends it at once", async () => {
  await using upstream = await httpUpstream(() => "never answers")
  await using edge = await startEdge()
  await using agent = await startAgent({ server: upstream.url, external: edge.url })
  await agent.attached()
  const running = fetch(edge.url).then(
    () => "answered",
    () => "cut off",
  )
  await until("the request to reach the private server", () => upstream.seen.length === 1)
  edge.program.signal("SIGTERM")
  await passTime(400)
  edge.program.signal("SIGTERM")
  expect(await edge.program.ended).toEqual({ code: 143, signal: null })
  expect(await running).toBe("cut off")
})

test.each(["proxy-out", "proxy-in"] as const)("%s knows its version", async (name) => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL(`../packages/${name}/package.json`, import.meta.url), "utf8"),
  )
  await using program = new Program({ name, args: ["--version"], token: undefined })
  expect(await program.ended).toEqual({ code: 0, signal: null })
  expect(manifest).toMatchObject({ version: program.said.join() })
})

const tooOld = ["20.20.2", "22.19.0", "23.11.1", "24.6.0"]
test.each(
  (["proxy-out", "proxy-in"] as const).flatMap((name) => tooOld.map((version) => [name, version] as const)),
)("%s says in one line that Node %s is too old for it", async (name, version) => {
  const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(older)}` }
  await using program = new Program({ name, args: ["--version"], token: undefined, environment })
  expect(await program.ended).toEqual({ code: 1, signal: null })
  expect(program.logged).toEqual([
    `${name}: This is Node ${version}. It needs Node 22.20 or later of Node 22, or 24.7 or later.`,
  ])
})

test("a port that is taken is one line with the remedy and exit status 1", async () => {
  const port = await takenPort()
  await using edge = new Program({
    name: "proxy-out",
    args: ["--host", "127.0.0.1", "--port", String(port)],
    token,
  })
  expect(await edge.ended).toEqual({ code: 1, signal: null })
  expect(edge.said).toEqual([])
  expect(edge.logged).toEqual([
    `proxy-out: Cannot listen on 127.0.0.1:${port}: another program listens there. Stop it, or choose another port with --port.`,
  ])
})

test("a token that proxy-out made is neither in its output nor in its log when these are pipes", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "restante-test-"))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const args = [...edgeArguments, "--data-dir", dataDir, "--log-level", "trace"]
  await using edge = new Program({ name: "proxy-out", args, token: undefined })
  await edge.line(/^ {2}(proxy-in --server .+)$/)
  edge.signal("SIGTERM")
  await edge.ended
  const made = readFileSync(join(dataDir, "token"), "utf8").trim()
  expect([...edge.said, ...edge.logged].filter((line) => line.includes(made))).toEqual([])
})

async function takenPort(): Promise<number> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("not listening")
  return address.port
}

test.each([
  ["proxy-out", edgeArguments],
  ["proxy-in", agentArguments],
] as const)("%s stops politely also when nobody reads its log any more", async (name, args) => {
  await using program = new Program({ name, args: [...args, "--log-level", "debug"], token })
  await program.line(/http:\/\/127\.0\.0\.1:\d+/)
  program.stopReadingLog()
  program.signal("SIGTERM")
  expect(await program.ended).toEqual({ code: 0, signal: null })
})
