// The private server of the conformance cases: a bare socket that follows a case's scripts, one for each request that arrives,
// and complains about whatever arrives beyond them.
import { once } from "node:events"
import { createServer, type AddressInfo, type Server } from "node:net"
import type { Step } from "./case.ts"
import { Line, type Stage } from "./line.ts"

export class ScriptedUpstream implements AsyncDisposable {
  readonly #server: Server
  readonly #lines = new Set<Line>()
  readonly #playing = new Map<Line, Promise<void>>()
  #scripts: (readonly Step[])[] = []
  #stage: Stage | undefined
  #failed = Promise.withResolvers<never>()
  #changed: () => void = () => undefined

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const line = new Line(socket)
      this.#lines.add(line)
      line.onChange = () => this.#look(line)
      socket.on("end", () => this.#endIdle(line))
      socket.on("close", () => this.#lines.delete(line))
    })
  }

  /** Resolves with the port. */
  async start(): Promise<number> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return (this.#server.address() as AddressInfo).port
  }

  /** A case begins. */
  begin(stage: Stage): void {
    this.#scripts = []
    this.#stage = stage
    this.#failed = Promise.withResolvers()
    this.#failed.promise.catch(() => undefined)
  }

  /** Resolves when these scripts too have been played to their end. */
  async plays(scripts: readonly (readonly Step[])[]): Promise<void> {
    this.#scripts.push(...scripts)
    while (this.#scripts.length > 0 || this.#playing.size > 0) {
      // oxlint-disable-next-line no-await-in-loop -- until all have been played
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
  }

  /** Rejects with the first thing that went otherwise in this case. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** What is still to be asked for, for a case that takes too long. */
  get missing(): string {
    return `${this.#scripts.length} requests have not come, ${this.#playing.size} scripts run`
  }

  /** No case can rely on what is left of one that failed. */
  reset(): void {
    this.#scripts = []
    for (const line of this.#lines) line.socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset()
    const closed = once(this.#server, "close")
    this.#server.close()
    await closed
  }

  /** Bytes on a connection whose script is over are the next request. */
  #look(line: Line): void {
    if (this.#playing.has(line) || line.unread === "") return
    const script = this.#scripts.shift()
    const stage = this.#stage
    if (script === undefined || stage === undefined)
      return this.#fail(
        new Error(`nobody may have sent this to the upstream: ${JSON.stringify(line.unread)}`),
      )
    const played = line
      .play(script, stage)
      .catch((error: unknown) => this.#fail(new Error(`upstream: ${String(error)}`)))
      .finally(() => {
        line.served += 1
        this.#playing.delete(line)
        this.#changed()
        if (line.socket.readableEnded) this.#endIdle(line)
        else this.#look(line)
      })
    this.#playing.set(line, played)
  }

  #endIdle(line: Line): void {
    if (!this.#playing.has(line)) line.socket.end()
  }

  #fail(error: unknown): void {
    this.#failed.reject(error)
  }
}
