// One end of a connection, played by a script: says bytes, waits for bytes, and knows how the connection ended.
import { once } from "node:events"
import type { Socket } from "node:net"
import type { Step } from "./case.ts"
import { match, type Part } from "./template.ts"

/** What steps need beside their own connection. */
export interface Stage {
  /** Resolves `awaits` of this name, on whichever side. */
  tell(what: string): void
  told(what: string): Promise<void>
  /** Text for a placeholder in what is said. */
  fill(bytes: string): string
  waitingExchanges(): Promise<number>
  killAgent(): Promise<void>
  startAgent(): Promise<void>
}

/** How long bytes may take that have to come. */
const patienceMs = 15_000

export class Line {
  readonly socket: Socket
  /** How many requests it had carried before the present one. */
  served = 0
  /** Told whenever something arrives or the connection ends. */
  onChange: (() => void) | undefined
  #received = ""
  #read = 0
  #ending: "open" | "end" | "reset" = "open"
  #changed = Promise.withResolvers<void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on("data", (bytes) => this.#change(() => (this.#received += bytes.toString("latin1"))))
    socket.on("end", () => this.#change(() => (this.#ending = "end")))
    socket.on("error", () => this.#change(() => (this.#ending = "reset")))
    socket.on("close", () =>
      this.#change(() => (this.#ending = this.#ending === "open" ? "end" : this.#ending)),
    )
  }

  /** What has arrived and nobody has asked for. */
  get unread(): string {
    return this.#received.slice(this.#read)
  }

  async play(steps: readonly Step[], stage: Stage): Promise<void> {
    for (const step of steps) {
      // oxlint-disable-next-line no-await-in-loop -- a script goes step by step
      await this.#do(step, stage)
    }
  }

  async #do(step: Step, stage: Stage): Promise<void> {
    switch (step.does) {
      case "says":
        this.socket.write(stage.fill(step.bytes), "latin1")
        return
      case "gets":
        return this.#gets(step.parts)
      case "ends":
        this.socket.end()
        return
      case "resets":
        // What was said before is to be sent before.
        if (this.socket.writableLength > 0) await once(this.socket, "drain")
        this.socket.resetAndDestroy()
        return
      case "leaves":
        this.socket.destroySoon()
        return
      case "sees":
        return this.#sees(step.ending, step.withinMs)
      case "tells":
        return stage.tell(step.what)
      case "awaits":
        return stage.told(step.what)
      case "is on":
        if (this.served > 0 !== (step.connection === "kept"))
          throw new Error(`came on a connection that is not ${step.connection}`)
        return
      case "sees waiting":
        while ((await stage.waitingExchanges()) !== step.count) {
          // oxlint-disable-next-line no-await-in-loop -- asks again until it is so; the case's time limit ends it
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        return
      case "kills the agent":
        return stage.killAgent()
      case "starts the agent":
        return stage.startAgent()
    }
  }

  async #gets(parts: readonly Part[]): Promise<void> {
    const giveUpAt = performance.now() + patienceMs
    for (;;) {
      const found = match(parts, this.#received, this.#read)
      if (found.kind === "match") {
        this.#read = found.end
        return
      }
      const late = performance.now() > giveUpAt
      if (found.kind === "other" || this.#ending !== "open" || late) {
        const state = late ? "nothing more comes" : this.#ending
        const before = this.#received.slice(this.#read, found.at)
        throw new Error(
          `wanted ${found.wanted}\nhave   ${JSON.stringify(this.#received.slice(found.at, found.at + 2000))} (${state})\nbehind ${JSON.stringify(before)}`,
        )
      }
      // oxlint-disable-next-line no-await-in-loop -- until enough has arrived
      await this.#next(giveUpAt)
    }
  }

  async #sees(ending: "end" | "reset" | "end or reset", withinMs: number): Promise<void> {
    const giveUpAt = performance.now() + withinMs
    while (this.#ending === "open") {
      if (performance.now() > giveUpAt) throw new Error(`still open after ${withinMs} ms; wanted ${ending}`)
      // oxlint-disable-next-line no-await-in-loop -- until it ends
      await this.#next(giveUpAt)
    }
    if (!ending.split(" or ").includes(this.#ending)) throw new Error(`wanted ${ending}, saw ${this.#ending}`)
  }

  #change(change: () => void): void {
    change()
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
    this.onChange?.()
  }

  /** Resolves when something has changed, or the time is over. */
  async #next(giveUpAt: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(1, giveUpAt - performance.now() + 1))
    })
    await Promise.race([this.#changed.promise, late])
    clearTimeout(timer)
  }
}
