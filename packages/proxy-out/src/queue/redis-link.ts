// One connection to Redis and the knowledge whether it works. It notices a silent death (a host that is gone without a
// FIN), reconnects for ever and says so once an outage, not once an error.
import type { Logger } from "pino"
import { openRedis } from "./redis-target.ts"
import type { RedisClient, RedisTarget } from "./redis-target.ts"

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">

export interface RedisLinkOptions {
  readonly target: RedisTarget
  /** As CLIENT LIST shows it. */
  readonly name: string
  readonly log: Log
  /** Whether outages are news for people; of several connections to the same server one is enough. Default true. */
  readonly reported?: boolean
  /** Whether to send PINGs to find out that the other side is dead. Default true. */
  readonly probed?: boolean
  /** The connection is usable (again). */
  readonly onUp: () => void
  /** The connection is gone: every command that was under way has been or is about to be rejected. */
  readonly onDown: () => void
}

export class RedisLink {
  readonly client: RedisClient
  readonly #options: Required<RedisLinkOptions>
  #state: LinkState = { kind: "connecting" }
  #lastError = "not connected yet"
  #watch: NodeJS.Timeout | undefined

  /** Throws TypeError for a malformed URL. Connects at `start`. */
  constructor(options: RedisLinkOptions) {
    this.#options = { reported: true, probed: true, ...options }
    this.client = openRedis(options.target, { lazyConnect: true, connectionName: options.name })
    this.client.on("error", (error: Error) => this.#failed(describe(error)))
    this.client.on("ready", () => this.#up())
    this.client.on("close", () => this.#down())
  }

  get up(): boolean {
    return this.#state.kind === "up"
  }

  /** Why the link is not up, for people. Never contains credentials or commands. */
  get reason(): string {
    return this.#lastError
  }

  /** Resolves when the link is up for the first time. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.client.once("ready", resolve)
      // A first failure arrives as an "error" event and is retried like any later one.
      this.client.connect().catch(() => undefined)
    })
  }

  /** Ends the connection; commands under way get `graceMs` to be answered. */
  async stop(graceMs = 500): Promise<void> {
    if (this.#state.kind === "stopped") return
    const wasUp = this.up
    this.#state = { kind: "stopped" }
    clearTimeout(this.#watch)
    if (wasUp) await withinMs(this.client.quit(), graceMs).catch(() => undefined)
    this.client.disconnect()
  }

  /** The other side does not answer: ends this connection without waiting for it; a new one follows. */
  cut(): void {
    this.#lastError = "no answer"
    if ("stream" in this.client) this.client.stream.destroy()
    else this.client.disconnect(true)
  }

  #up(): void {
    if (this.#state.kind === "stopped" || this.#state.kind === "up") return
    if (this.#state.kind === "down") {
      this.#tell("info", { downMs: Math.round(performance.now() - this.#state.since) }, "redis is back")
    }
    this.#state = { kind: "up" }
    this.#probeLater()
    this.#options.onUp()
  }

  #down(): void {
    clearTimeout(this.#watch)
    if (this.#state.kind === "up") {
      this.#lastError = "connection lost"
      this.#tell("warn", { reason: this.#lastError }, "redis is unreachable")
      this.#state = { kind: "down", since: performance.now() }
      this.#options.onDown()
    }
  }

  #failed(reason: string): void {
    this.#lastError = reason
    if (this.#state.kind !== "connecting") return
    this.#tell("warn", { reason }, "redis is unreachable")
    this.#state = { kind: "down", since: performance.now() }
  }

  #probeLater(): void {
    if (this.#options.probed) this.#watch = setTimeout(() => void this.#probe(), probeIntervalMs).unref()
  }

  async #probe(): Promise<void> {
    const answer = this.client.ping()
    try {
      await withinMs(answer, probeTimeoutMs).catch(() => withinMs(answer, lateAnswerMs))
      if (this.up) this.#probeLater()
    } catch {
      if (this.up) this.cut()
    }
  }

  #tell(level: "info" | "warn", fields: object, event: string): void {
    this.#options.log[this.#options.reported ? level : "debug"](fields, event)
  }
}

/** The error's kind, for logs: ioredis hangs whole commands (request heads, bodies) on its errors, which must not be printed. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error"
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined
  return code ?? error.message.slice(0, 120)
}

export async function withinMs<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "up" }
  | { readonly kind: "down"; readonly since: number }
  | { readonly kind: "stopped" }

const probeIntervalMs = 500
const probeTimeoutMs = 2000
/** When this process was the one that stood still, the answer is there but not yet read. */
const lateAnswerMs = 200
