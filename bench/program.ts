// One of the benchmark's processes: started, found ready, its costs read, stopped for good.
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { familyCpuMs, peakMemoryBytes } from "./costs.ts"

export interface ProgramOptions {
  /** What it does for its contender; one name per contender. */
  readonly role: string
  readonly command: string
  readonly words: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Gives it an IPC channel; a child of ours ends by itself when that closes. */
  readonly ipc?: boolean
}

const readyMs = 30_000
/** Enough for writing a profile; nothing else that it still does is worth waiting for. */
const graceMs = 5000
const maxErrorLines = 20

export class Program implements AsyncDisposable {
  readonly role: string
  readonly child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #errorLines: string[] = []
  #isOver = false

  /** Starts it; `line` or `listening` say when it is ready. */
  constructor({ role, command, words, environment, ipc = false }: ProgramOptions) {
    this.role = role
    this.child = spawn(command, words, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe", ...(ipc ? (["ipc"] as const) : [])],
    })
    this.#ended = once(this.child, "exit").then(
      () => (this.#isOver = true),
      (error: unknown) => {
        this.#isOver = true
        this.#errorLines.push(String(error))
      },
    )
    if (this.child.stderr !== null) {
      createInterface(this.child.stderr).on("line", (line) => {
        this.#errorLines.push(line)
        if (this.#errorLines.length > maxErrorLines) this.#errorLines.shift()
      })
    }
  }

  /** The last lines of standard error. */
  get errorText(): string {
    return this.#errorLines.join("\n")
  }

  /** Time on a processor so far, its children's too, in milliseconds; undefined where there is no /proc. */
  cpuMs(): number | undefined {
    return familyCpuMs(this.child.pid)
  }

  /** Most memory it has held so far, in bytes; undefined where there is no /proc. */
  peakMemoryBytes(): number | undefined {
    return peakMemoryBytes(this.child.pid)
  }

  /** The first group of the first line of standard output that matches. Rejects when it ends before or takes too long. */
  line(pattern: RegExp): Promise<string> {
    const found = new Promise<string>((resolve) => {
      const { stdout } = this.child
      if (stdout === null) return
      createInterface(stdout).on("line", (line) => {
        const match = pattern.exec(line)
        if (match !== null) resolve(match[1] ?? match[0])
      })
    })
    return this.#inTime(found)
  }

  /** Resolves when something listens on the port. Rejects when it ends before or takes too long. */
  listening(port: number): Promise<void> {
    return this.#inTime(this.#connected(port))
  }

  /** Resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.child.kill("SIGTERM")
    const killing = setTimeout(() => this.child.kill("SIGKILL"), graceMs)
    await this.#ended
    clearTimeout(killing)
  }

  async #connected(port: number): Promise<void> {
    while (!this.#isOver) {
      const socket = connect({ port, host: "127.0.0.1" })
      const open = await once(socket, "connect").then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (open) return
      await sleep(20)
    }
  }

  async #inTime<T>(ready: Promise<T>): Promise<T> {
    const waiting = new AbortController()
    const problem = (what: string): Error => new Error(`${this.role} ${what}\n${this.errorText}`)
    try {
      return await Promise.race([
        ready,
        this.#ended.then(() => Promise.reject(problem("ended before it was ready"))),
        sleep(readyMs, undefined, { signal: waiting.signal }).then(() =>
          Promise.reject(problem("did not become ready")),
        ),
      ])
    } finally {
      waiting.abort()
    }
  }
}
