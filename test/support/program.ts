// One of the project's programs as an own process: the built one, started as an operator would, watched, and ended by its handle.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { until } from "./until.ts"

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProgramOptions {
  readonly name: "proxy-out" | "proxy-in"
  readonly args: readonly string[]
  /** In RESTANTE_TOKEN. */
  readonly token: string | undefined
  /** More variables. */
  readonly environment?: Readonly<Record<string, string>>
}

export class Program implements AsyncDisposable {
  readonly ended: Promise<Ending>
  /** Lines of standard output. */
  readonly said: string[] = []
  /** Lines of the log, as they are. */
  readonly logged: string[] = []
  readonly #name: string
  readonly #process: ChildProcess
  #ending: Ending | undefined
  #peakMemoryBytes = 0

  constructor({ name, args, token, environment }: ProgramOptions) {
    this.#name = name
    const program = fileURLToPath(new URL(`../../packages/${name}/bin/${name}.js`, import.meta.url))
    this.#process = spawn(process.env["RESTANTE_NODE"] ?? process.execPath, [program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        ...environment,
        ...(token === undefined ? {} : { RESTANTE_TOKEN: token }),
      },
    })
    running.add(this.#process)
    const { stdout, stderr } = this.#process
    if (stdout !== null) createInterface(stdout).on("line", (line) => this.said.push(line))
    if (stderr !== null) createInterface(stderr).on("line", (line) => this.logged.push(line))
    this.ended = once(this.#process, "exit").then(([code, signal]) => {
      running.delete(this.#process)
      this.#ending = { code: code as number | null, signal: signal as NodeJS.Signals | null }
      return this.#ending
    })
    this.ended.catch(() => undefined)
  }

  /** The first group of the first line of standard output that matches. Rejects when the process ends before. */
  async line(pattern: RegExp): Promise<string> {
    const found = await until(
      `${this.#name} to say ${String(pattern)}`,
      () => {
        for (const line of this.said) {
          const match = pattern.exec(line)
          if (match !== null) return match[1] ?? match[0]
        }
        if (this.#ending === undefined) return undefined
        throw new Error(`${this.#name} ended (${JSON.stringify(this.#ending)}): ${this.logged.join("\n")}`)
      },
      startLimitMs,
    )
    return found
  }

  /** Whether some line of the log holds this text. */
  hasLogged(text: string): boolean {
    return this.logged.some((line) => line.includes(text))
  }

  /** The reading end of its log is closed, as when `| head` has seen enough. */
  stopReadingLog(): void {
    this.#process.stderr?.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** As `kill -9`; resolves once it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL")
    await this.ended
  }

  /** The most that it ever had resident, in bytes. Keeps the last reading when the process is gone. */
  get peakMemoryBytes(): number {
    if (this.#ending === undefined) {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8")
      this.#peakMemoryBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    }
    return this.#peakMemoryBytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ending !== undefined) return
    this.signal("SIGTERM")
    // What a test left running need not finish.
    const timer = setTimeout(() => this.signal("SIGKILL"), 500)
    await this.ended
    clearTimeout(timer)
  }
}

/** Many at once on a busy machine take their time. */
const startLimitMs = 60_000

// A test that ran out of time never comes to its end, and so cannot stop what it started.
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill("SIGKILL")
})
