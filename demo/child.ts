// One of the demo's processes: started, watched, its lines shown under its name, stopped for good.
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

export class Child {
  readonly name: string
  readonly #process: ChildProcess
  readonly #ended: Promise<string>
  readonly #startedAs: Promise<string>

  /** `firstLine` finds in standard output what says that it is ready; it is not shown. `command` runs without a shell. */
  constructor(name: string, command: readonly string[], firstLine: RegExp) {
    this.name = name
    const [program = "", ...rest] = command
    this.#process = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] })
    const { stdout, stderr } = this.#process
    this.#startedAs = new Promise((resolve, reject) => {
      this.#process.once("error", reject)
      this.#process.once("exit", () => reject(new Error(`${name} ended before it was ready`)))
      if (stdout !== null) {
        createInterface(stdout).on("line", (line) => {
          const found = firstLine.exec(line)
          if (found !== null) resolve(found[1] ?? found[0])
        })
      }
    })
    this.#startedAs.catch(() => {})
    if (stderr !== null) createInterface(stderr).on("line", (line) => console.error(`[${name}] ${line}`))
    this.#ended = once(this.#process, "exit").then(
      ([code, signal]) => (typeof signal === "string" ? signal : `exit status ${String(code)}`),
      () => "it could not be started",
    )
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** What `firstLine` found. Rejects when the process ends before. */
  get ready(): Promise<string> {
    return this.#startedAs
  }

  /** How it ended, in words. Never rejects. */
  get ended(): Promise<string> {
    return this.#ended
  }

  /** Resolves when the process is gone: asked politely first, after the grace killed. */
  async stop(graceMs: number): Promise<void> {
    this.#process.kill("SIGTERM")
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), graceMs)
    await this.#ended
    clearTimeout(timer)
  }
}
