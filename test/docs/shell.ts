// Runs a page's blocks of commands, one after the other, each in a shell of its own in the same folder.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { afterAll } from "vitest"
import { until } from "../support/until.ts"
import type { Stage } from "./stage.ts"

export interface Outcome {
  readonly code: number
  /** Standard output and standard error, as they came. */
  readonly output: string
}

export class Shell implements AsyncDisposable {
  readonly #stage: Stage
  /** Oldest first. */
  readonly #kept: Running[] = []

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** Runs the block to its end. */
  run(text: string): Promise<Outcome> {
    return new Running(text, this.#stage).ended
  }

  /**
   * Starts the block and resolves once it does what it is for, and has said what it should; it runs until it is
   * interrupted or the page is over.
   */
  async keep(text: string, port: number | undefined, says: RegExp): Promise<void> {
    const running = this.#start(text)
    await until(
      () => `the command to be ready:\n${text}\n${running.output}`,
      async () => {
        if (running.isOver) throw new Error(`ended instead of running on:\n${text}\n${running.output}`)
        if (!says.test(this.#stage.asWritten(running.output))) return false
        return port === undefined ? isReady.test(running.output) : answers(port)
      },
      60_000,
    )
  }

  /** Starts the block, which is expected to wait for what comes later in the page. */
  wait(text: string): Promise<Outcome> {
    return this.#start(text).ended
  }

  /** As Ctrl-C in the terminal of the last program of that name that was started. */
  async interrupt(name: string): Promise<void> {
    const running = this.#kept.findLast((candidate) => !candidate.isOver && candidate.text.includes(name))
    if (running === undefined) throw new Error(`no ${name} is running`)
    await running.stop("SIGINT")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#kept.toReversed()) await running.stop("SIGTERM")
  }

  #start(text: string): Running {
    const running = new Running(text, this.#stage)
    this.#kept.push(running)
    return running
  }
}

/** What proxy-out says when it listens, and proxy-in when it is attached. */
const isReady = /^Listening on|"msg":"attached"/m

// A test that ran out of time never comes to its end, and so cannot stop what it started.
const everything = new Set<Running>()
afterAll(async () => {
  for (const running of everything) await running.stop("SIGKILL")
})

class Running {
  readonly text: string
  readonly ended: Promise<Outcome>
  output = ""
  isOver = false
  readonly #child: ChildProcess

  constructor(text: string, stage: Stage) {
    this.text = text
    this.#child = spawn("bash", ["-euo", "pipefail", "-c", stage.fit(text)], {
      cwd: stage.folder,
      env: { ...stage.environment },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: what the shell started is stopped with it.
      detached: true,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (bytes: Buffer) => (this.output += bytes.toString()))
    everything.add(this)
    this.ended = once(this.#child, "close").then(([code]) => {
      this.isOver = true
      everything.delete(this)
      return { code: (code as number | null) ?? -1, output: this.output }
    })
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.isOver) return
    this.#signal(signal)
    const timer = setTimeout(() => this.#signal("SIGKILL"), 5000)
    await this.ended
    clearTimeout(timer)
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal)
    } catch {
      // Already gone.
    }
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => resolve(false))
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
  })
}
