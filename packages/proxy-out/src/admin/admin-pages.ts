// The pages of one edge, composed: what they show, who may see it, and the two ways to them (the public port, and one of their own).
import type { Duplex } from "node:stream"
import type { Sessions } from "../attach/sessions.ts"
import type { Clock } from "../clock.ts"
import type { EdgeLimits, EdgeOptions, EdgeSettings } from "../edge-options.ts"
import type { Exchanges } from "../exchange/exchanges.ts"
import { TrustedProxies } from "../ingress/trusted-proxies.ts"
import type { Metrics } from "../observe/metrics.ts"
import type { Recorder } from "../observe/recorder.ts"
import type { Ports } from "../ports/ports.ts"
import type { Broker } from "../queue/broker.ts"
import { AdminAccess, type AdminAccessOptions } from "./access.ts"
import { AdminListener } from "./admin-listener.ts"
import { LazyPeople } from "./lazy-people.ts"
import { statusOf } from "./status.ts"
import type { EdgeStatus } from "./status.ts"

export interface AdminPagesOptions {
  readonly options: EdgeOptions
  /** As they are now. */
  readonly limits: () => EdgeLimits
  readonly software: string
  readonly edgeId: string
  readonly clock: Clock
  readonly broker: Broker
  readonly exchanges: Exchanges
  readonly sessions: Sessions
  readonly recorder: Recorder
  readonly ports: Ports
  readonly connections: () => { readonly clients: number; readonly agents: number }
  /** Lines of the access log that were given up. */
  readonly droppedLines: () => number
}

export class AdminPages {
  readonly #sources: AdminPagesOptions
  readonly #access: AdminAccess
  readonly #people: LazyPeople
  readonly #listener: AdminListener | undefined
  readonly #startedAt: number
  #metrics: Promise<Metrics> | undefined
  #open = false

  constructor(sources: AdminPagesOptions) {
    const { options, clock, broker, exchanges } = sources
    this.#sources = sources
    this.#startedAt = clock.now()
    this.#access = new AdminAccess({ ...accessOf(options), clock })
    this.#people = new LazyPeople({
      access: this.#access,
      status: () => this.#status(),
      ready: () => this.#open && exchanges.admitting && broker.health.state === "ready",
      metrics: async () => {
        const metrics = await (this.#metrics ??= this.#loadMetrics())
        return { type: metrics.contentType, text: await metrics.text() }
      },
    })
    this.#listener = options.admin && new AdminListener({ ...options.admin, people: this.#people })
  }

  /** Another admin token, or none, and other proxies count from now on. */
  change(settings: EdgeSettings): void {
    this.#access.change(accessOf(settings))
  }

  /** Opens the port of their own, if there is to be one. Rejects with a `CommandError`. */
  async start(): Promise<void> {
    const port = await this.#listener?.start()
    if (port !== undefined)
      this.#sources.options.log.info({ host: this.#sources.options.admin?.host, port }, "admin pages")
  }

  /** The public port is open: the edge is ready from now on. */
  opened(): void {
    this.#open = true
  }

  /** Goes on with a connection of the public port whose next bytes are a request for a page. */
  take(socket: Duplex): void {
    this.#people.take(socket)
  }

  stop(): void {
    this.#listener?.stop()
    this.#people.stop()
  }

  #status(): EdgeStatus {
    const { software, edgeId, clock, broker, exchanges, sessions, ports, options } = this.#sources
    const { holdMs, timeoutMs, maxQueue } = this.#sources.limits()
    return statusOf({
      software,
      edgeId,
      broker,
      exchanges,
      startedAt: this.#startedAt,
      now: clock.now(),
      queue: options.redisUrl === undefined ? "memory" : "redis",
      limits: { holdMs, timeoutMs, maxQueue },
      sessions: sessions.all,
      ports,
    })
  }

  async #loadMetrics(): Promise<Metrics> {
    const { Metrics } = await import("../observe/metrics.ts")
    const { software, edgeId, recorder, exchanges, sessions, broker, limits } = this.#sources
    return new Metrics({
      software,
      edgeId,
      recorder,
      exchanges: () => exchanges.all,
      sessions: () => sessions.all,
      maxQueue: () => limits().maxQueue,
      queueReady: () => broker.health.state === "ready",
      windowBudget: () => ({ bytes: exchanges.budgetBytes, leftBytes: exchanges.budget.leftBytes }),
      connections: this.#sources.connections,
      droppedLines: this.#sources.droppedLines,
    })
  }
}

function accessOf({
  adminToken,
  trustedProxies,
}: EdgeSettings): Pick<AdminAccessOptions, "token" | "proxies"> {
  return { token: adminToken, proxies: trustedProxies && new TrustedProxies(trustedProxies) }
}
