// The kept-alive connections to the one configured upstream. Each serves one exchange at a time; the one used last is
// used first, so that a burst's surplus ages out.
import { defaultHttp1Limits, WindowBudget } from "@restante/protocol"
import type { Http1Limits } from "@restante/protocol"
import type { UpstreamAddress } from "../agent-options.ts"
import { BodyBuffers } from "./body-buffers.ts"
import { UpstreamConnection } from "./connection.ts"
import type { ConnectionOptions, ConnectionUser } from "./connection.ts"
import type { Upstreams } from "./upstreams.ts"

export interface UpstreamPoolOptions {
  readonly upstream: UpstreamAddress
  /** How long a new connection may take, name lookup and TLS included, in milliseconds. Default 10 s. */
  readonly connectTimeoutMs?: number
  /** Most connections that are kept without an exchange. Default 256. */
  readonly maxIdle?: number
  /**
   * How long a connection is kept without an exchange, in milliseconds; less when the upstream announces less.
   * Default 4 s, below the 5 s after which many servers close without announcing anything.
   */
  readonly idleMs?: number
  /** Bounds on response heads and trailers. */
  readonly limits?: Http1Limits
  /** Bytes that the windows of all request bodies together may grow by. Default 64 MiB. */
  readonly windowBudgetBytes?: number
  /** Whose buffers and windows it uses. Default: its own. */
  readonly shared?: Pick<UpstreamPool, "buffers" | "windows"> | undefined
  /** Milliseconds; only differences count. */
  readonly clock: { now(): number }
}

export interface UpstreamPoolStats {
  /** Connections now: being made, with an exchange, or idle. */
  readonly connections: number
  readonly idle: number
  /** Since the pool was made. */
  readonly dialled: number
  readonly exchanges: number
}

export class UpstreamPool implements Upstreams, AsyncDisposable {
  readonly upstream: UpstreamAddress
  readonly limits: Http1Limits
  /** What response bodies travel in. */
  readonly buffers: BodyBuffers
  /** What the request bodies' windows grow from. */
  readonly windows: WindowBudget
  readonly #maxIdle: number
  readonly #connectionOptions: ConnectionOptions
  readonly #connections = new Set<UpstreamConnection>()
  readonly #idle: UpstreamConnection[] = []
  readonly #closed = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | undefined
  #closing = false
  #dialled = 0
  #exchanges = 0

  constructor(options: UpstreamPoolOptions) {
    this.upstream = options.upstream
    this.limits = options.limits ?? defaultHttp1Limits
    this.buffers = options.shared?.buffers ?? new BodyBuffers()
    this.windows = options.shared?.windows ?? new WindowBudget(options.windowBudgetBytes ?? 64 * 1024 * 1024)
    this.#maxIdle = options.maxIdle ?? 256
    this.#connectionOptions = {
      address: options.upstream,
      limits: this.limits,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      idleMs: options.idleMs ?? 4000,
      halfOpen: false,
      clock: options.clock,
      keep: (connection) => this.#keep(connection),
      onClosed: (connection) => this.#forget(connection),
    }
  }

  get stats(): UpstreamPoolStats {
    return {
      connections: this.#connections.size,
      idle: this.#idle.length,
      dialled: this.#dialled,
      exchanges: this.#exchanges,
    }
  }

  /** Connections are kept, so a request need not ask for its connection to be closed. */
  get persistent(): boolean {
    return this.#maxIdle > 0
  }

  /**
   * A connection for one exchange: one that is idle, which is ready, or a new one, which says so by `onReady`.
   * `fresh`: not one that has served before. `halfOpen`: the exchange may switch protocols on it, and it comes back to nobody; always
   * fresh. Undefined once the pool is closing.
   */
  acquire(user: ConnectionUser, fresh = false, halfOpen = false): UpstreamConnection | undefined {
    if (this.#closing) return undefined
    this.#exchanges += 1
    const kept = fresh || halfOpen ? undefined : this.#idle.pop()
    if (kept !== undefined) {
      kept.use(user)
      return kept
    }
    const options = this.#connectionOptions
    const connection = new UpstreamConnection(halfOpen ? { ...options, halfOpen } : options, user)
    this.#dialled += 1
    this.#connections.add(connection)
    this.#timer ??= setTimeout(() => this.#tick(), tickMs)
    return connection
  }

  /** Takes no exchange any more, closes what is idle, and waits for the exchanges that run. */
  close(): Promise<void> {
    this.#closing = true
    for (const connection of this.#idle.splice(0)) connection.close()
    if (this.#connections.size === 0) this.#closed.resolve()
    return this.#closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #keep(connection: UpstreamConnection): boolean {
    if (this.#closing || this.#idle.length >= this.#maxIdle) return false
    this.#idle.push(connection)
    return true
  }

  #forget(connection: UpstreamConnection): void {
    this.#connections.delete(connection)
    const at = this.#idle.lastIndexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    if (this.#connections.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#closing) this.#closed.resolve()
  }

  #tick(): void {
    this.#timer = setTimeout(() => this.#tick(), tickMs)
    const now = this.#connectionOptions.clock.now()
    for (const connection of this.#connections) connection.tick(now)
  }
}

/** Resolution of every deadline: one timer for all connections instead of one or more per exchange. */
const tickMs = 100
