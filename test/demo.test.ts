// The demo, run and stopped as its user would, through npm.
import { spawn, type ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, onTestFinished, test } from "vitest"
import { startRedis } from "./support/redis.ts"
import { until } from "./support/until.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

describe("npm run demo", { timeout: 90_000 }, () => {
  test("shows a page, an API, a file, an event stream and an upload through the tunnel", async () => {
    const demo = new Demo()
    const url = await demo.url()
    expect(await (await fetch(url)).text()).toContain("<title>A private server</title>")

    const note = await fetch(new URL("/api/notes", url), { method: "POST", body: "grüße" })
    expect([note.status, await note.json()]).toEqual([201, { at: expect.any(String), text: "grüße" }])
    expect(await (await fetch(new URL("/api/notes", url))).json()).toMatchObject([{ text: "grüße" }])

    const file = await fetch(new URL("/file", url))
    expect((await file.arrayBuffer()).byteLength).toBe(8 * 1024 * 1024)
    expect(file.headers.get("content-disposition")).toContain("letter.txt")

    const events = await fetch(new URL("/events", url))
    const first = await events.body?.getReader().read()
    expect(Buffer.from(first?.value ?? []).toString()).toMatch(/^id: 1\ndata: \d{4}-/)

    const body = Buffer.alloc(3_000_000, "upload")
    const sha256 = createHash("sha256").update(body).digest("hex")
    const upload = await fetch(new URL("/upload", url), { method: "POST", body })
    expect(await upload.json()).toEqual({ bytes: body.length, sha256 })
  })

  test("lets its user stop proxy-in, reload, and start it again: the reload is answered", async () => {
    const demo = new Demo()
    const url = await demo.url()
    const pid = Number(await demo.line(/Stop proxy-in:\s+kill (\d+)/))
    const command = await demo.line(/^ {5}(node_modules\/\.bin\/proxy-in .+)$/)
    process.kill(pid, "SIGTERM")
    await demo.line(/^(proxy-in ended .+)$/)

    const reload = fetch(url)
    const again = spawn("sh", ["-c", `exec ${command}`], { cwd: root, stdio: "ignore" })
    onTestFinished(() => void again.kill("SIGKILL"))
    expect((await reload).status).toBe(200)
    expect(demo.running).toBe(true)
  })

  test("ends on Ctrl-C, which reaches every process of the terminal, and leaves nothing behind", async () => {
    const demo = new Demo()
    await demo.url()
    const directory = await demo.line(/--data-dir (\S+)/)
    expect(existsSync(directory)).toBe(true)
    demo.signalGroup("SIGINT")
    await demo.ended
    await until("every process of the demo to be gone", () => demo.groupIsEmpty())
    expect(existsSync(directory)).toBe(false)
    expect(demo.output).toMatch(/\nStopping\.\n$/)
  })

  test("ends when npm alone is told to, with an open event stream, and leaves nothing behind", async () => {
    const demo = new Demo()
    const events = await fetch(new URL("/events", await demo.url()))
    const directory = await demo.line(/--data-dir (\S+)/)
    demo.signalNpm("SIGTERM")
    await events.text().catch(() => "cut off")
    await until("every process of the demo to be gone", () => demo.groupIsEmpty(), 20_000)
    expect(existsSync(directory)).toBe(false)
  })

  test("ends when npm is killed without a chance to say so", async () => {
    const demo = new Demo()
    await demo.url()
    demo.signalNpm("SIGKILL")
    await until("every process of the demo to be gone", () => demo.groupIsEmpty(), 20_000)
    expect(demo.processes()).toEqual([])
  })

  test("says so and stops when one of its processes breaks", async () => {
    const demo = new Demo()
    const port = new URL(await demo.url()).port
    const edge = demo.processes().find(({ command }) => command.includes(`--port ${port} --data-dir`))
    process.kill(edge?.pid ?? Number.NaN, "SIGKILL")
    expect(await demo.ended).toBe(1)
    expect(demo.output).toContain("The demo failed: proxy-out ended unexpectedly (SIGKILL)")
    expect(demo.groupIsEmpty()).toBe(true)
  })

  test("puts its queue into the Redis of --redis", async () => {
    await using redis = await startRedis()
    const demo = new Demo("--redis", redis.url)
    expect((await fetch(await demo.url())).status).toBe(200)
    expect(demo.output).toContain(`--redis ${redis.url}`)
  })

  test("refuses an option that it does not have", async () => {
    const demo = new Demo("--rediss", "redis://127.0.0.1")
    expect(await demo.ended).toBe(2)
    expect(demo.output).toContain("The demo knows one option: npm run demo -- --redis redis://HOST:PORT")
  })
})

/** The demo with everything it starts, as one process group, like a terminal's foreground job. */
class Demo {
  output = ""
  /** npm's exit code, the demo's own. */
  readonly ended: Promise<number | null>
  readonly #npm: ChildProcess

  constructor(...options: string[]) {
    const args = ["run", "demo", ...(options.length > 0 ? ["--", ...options] : [])]
    this.#npm = spawn("npm", args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    const keep = (chunk: Buffer): void => void (this.output += chunk.toString())
    this.#npm.stdout?.on("data", keep)
    this.#npm.stderr?.on("data", keep)
    this.ended = once(this.#npm, "close").then(([code]) => (typeof code === "number" ? code : null))
    onTestFinished(async () => {
      this.signalGroup("SIGTERM")
      await until("the demo to end", () => this.groupIsEmpty(), 20_000).catch(() =>
        this.signalGroup("SIGKILL"),
      )
    })
  }

  get running(): boolean {
    return this.#npm.exitCode === null && this.#npm.signalCode === null
  }

  url(): Promise<string> {
    return this.line(/^ {2}(http:\/\/127\.0\.0\.1:\d+\/)$/)
  }

  /** The first group of the first line that matches. */
  line(pattern: RegExp): Promise<string> {
    const anyLine = new RegExp(pattern.source, "m")
    return until(
      `the demo to say ${String(pattern)}`,
      () => {
        const found = anyLine.exec(this.output)?.[1]
        if (found === undefined && !this.running) throw new Error(`the demo ended: ${this.output}`)
        return found
      },
      60_000,
    )
  }

  signalGroup(signal: NodeJS.Signals): void {
    if (!this.groupIsEmpty()) process.kill(-this.#pid, signal)
  }

  signalNpm(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal)
  }

  groupIsEmpty(): boolean {
    return this.processes().length === 0
  }

  /** What runs of the demo. A process that ended and that nobody asked about does not count. */
  processes(): RunningProcess[] {
    return runningProcesses().filter(({ group }) => group === this.#pid)
  }

  get #pid(): number {
    if (this.#npm.pid === undefined) throw new Error("npm did not start")
    return this.#npm.pid
  }
}

interface RunningProcess {
  readonly pid: number
  readonly group: number
  readonly command: string
}

function runningProcesses(): RunningProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // proc(5): the name in brackets may hold anything; after it come state, parent, group.
        const [state, , group] = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ")
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")
        return state === "Z" ? [] : [{ pid: Number(name), group: Number(group), command }]
      } catch {
        // It ended while we looked.
        return []
      }
    })
}
