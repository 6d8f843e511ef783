// The broker of edges that share a Redis: one BullMQ queue per tunnel, two connections for all of them, and an edge that
// goes on serving its own agents while Redis is away.
import type { Clock } from "../clock.ts"
import { systemClock } from "../clock.ts"
import type { Dispatch } from "../edge-options.ts"
import type { Broker, BrokerHealth, Consumer, Subscription, Ticket } from "./broker.ts"
import { BullmqStore, queueNameOf } from "./bullmq-store.ts"
import type { BullmqQueue } from "./bullmq-store.ts"
import { BullmqTunnel } from "./bullmq-tunnel.ts"
import { RedisLink, describe, withinMs } from "./redis-link.ts"
import type { Log } from "./redis-link.ts"
import { RedisTunnels } from "./redis-tunnels.ts"
import type { RedisTarget } from "./redis-target.ts"
import { WakeUps } from "./wake-ups.ts"

export interface BullmqBrokerOptions {
  readonly redis: RedisTarget
  /** The owner of the tickets that this edge offers: letters, digits, "-" and "_", at most 64. */
  readonly edgeId: string
  readonly dispatch: Dispatch
  readonly log: Log
  /** The clocks of edges that share a Redis should agree within a few seconds. */
  readonly clock?: Clock
  /** What all keys begin with. Default "restante". */
  readonly prefix?: string
}

export class BullmqBroker implements Broker {
  /** What the edges that share this Redis know of tunnels, over the same connections. */
  readonly tunnels: RedisTunnels
  readonly #options: Required<BullmqBrokerOptions>
  readonly #commands: RedisLink
  readonly #listener: RedisLink
  readonly #store: BullmqStore
  readonly #wakeUps: WakeUps
  readonly #tunnels = new Map<string, BullmqTunnel>()
  /** Unique to this run: no job of an earlier one is taken for ours. */
  readonly #run: string
  #jobs = 0
  #phase = 0
  #second = 0
  #tickTimer: NodeJS.Timeout | undefined
  #stopping: Promise<void> | undefined
  /** Why Redis, though it answers, does not do what it is asked; undefined when it does. */
  #refusal: string | undefined
  #checked = false

  /** Throws TypeError for a malformed URL or edge id. */
  constructor(options: BullmqBrokerOptions) {
    if (!/^[\w-]{1,64}$/.test(options.edgeId))
      throw new TypeError("an edge id is 1 to 64 letters, digits, - and _")
    this.#options = { clock: systemClock, prefix: "restante", ...options }
    const { redis: target, edgeId, log, prefix, clock } = this.#options
    this.#run = `${edgeId}.${crypto.randomUUID().slice(0, 8)}`
    this.#commands = new RedisLink({
      target,
      name: `${prefix}-${edgeId}`,
      log,
      onUp: () => this.#up(),
      onDown: () => this.#down(),
    })
    this.#listener = new RedisLink({
      target,
      name: `${prefix}-${edgeId}-wake`,
      log,
      reported: false,
      onUp: () => this.#wakeUps.listenerUp(),
      onDown: () => this.#wakeUps.listenerDown(),
    })
    const { client } = this.#commands
    this.#store = new BullmqStore(client, { prefix, token: this.#run, clock })
    this.#wakeUps = new WakeUps({ prefix, edgeId, listener: this.#listener.client, sender: client })
    this.tunnels = new RedisTunnels({ client, wakeUps: this.#wakeUps, prefix, log })
  }

  /** Resolves when Redis is connected, or after two seconds without: then the edge starts degraded. */
  async start(): Promise<void> {
    if (this.#stopping || this.#tickTimer) return
    this.#tickTimer = setTimeout(() => this.#tick(), tickMs).unref()
    const connected = [this.#commands.start(), this.#listener.start()]
    await withinMs(Promise.all(connected), startLimitMs).catch(() => undefined)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get health(): BrokerHealth {
    const link = [this.#commands, this.#listener].find(({ up }) => !up)
    if (link) return { state: "degraded", reason: `redis is unreachable: ${link.reason}` }
    if (this.#refusal !== undefined) return { state: "degraded", reason: `redis refuses: ${this.#refusal}` }
    return { state: "ready" }
  }

  offer(ticket: Ticket): void {
    if (!this.#stopping) this.#tunnel(ticket.tunnel).offer(ticket)
  }

  reoffer(ticket: Ticket): void {
    if (!this.#stopping) this.#tunnel(ticket.tunnel).reoffer(ticket)
  }

  withdraw(ticket: Ticket): void {
    this.#tunnels.get(ticket.tunnel)?.withdraw(ticket)
  }

  subscribe(name: string, consumer: Consumer): Subscription {
    return this.#tunnel(name).subscribe(consumer)
  }

  /** Without a name this looks at every tunnel. */
  depth(name?: string): number {
    if (name !== undefined) return this.#tunnels.get(name)?.depth ?? 0
    let depth = 0
    for (const tunnel of this.#tunnels.values()) depth += tunnel.depth
    return depth
  }

  #tunnel(name: string): BullmqTunnel {
    let tunnel = this.#tunnels.get(name)
    if (!tunnel) {
      tunnel = this.#openTunnel(name)
      this.#tunnels.set(name, tunnel)
    }
    return tunnel
  }

  #openTunnel(name: string): BullmqTunnel {
    const { edgeId, dispatch, clock, log } = this.#options
    const queueName = queueNameOf(name)
    const tunnel = new BullmqTunnel({
      name,
      edgeId,
      queue: this.#store.queue(queueName),
      dispatch,
      clock,
      log,
      up: this.#commands.up,
      phase: this.#phase++,
      newJobId: () => `${this.#run}.${(this.#jobs++).toString(36)}`,
      announce: () => this.#wakeUps.announce(queueName),
      onOpen: () => this.#remember(queueName),
      onAccepted: () => this.#accepted(),
      onFailed: (error) => this.#failed(error),
    })
    this.#wakeUps.watch(queueName, () => tunnel.wake())
    return tunnel
  }

  #up(): void {
    for (const tunnel of this.#tunnels.values()) void tunnel.up()
    this.tunnels.refresh()
    void this.#checkServer()
  }

  #down(): void {
    for (const tunnel of this.#tunnels.values()) tunnel.down()
  }

  /** The connection's own troubles are the link's to report; these are answers. */
  #failed(error: unknown): void {
    if (!(error instanceof Error) || error.name !== "ReplyError") return
    if (this.#refusal === undefined)
      this.#options.log.warn({ reason: describe(error) }, "redis refuses to queue")
    this.#refusal = describe(error)
  }

  #accepted(): void {
    if (this.#refusal === undefined) return
    this.#refusal = undefined
    this.#options.log.info("redis queues again")
  }

  #tick(): void {
    this.#tickTimer = setTimeout(() => this.#tick(), tickMs).unref()
    if (!this.#commands.up) return
    this.#second++
    for (const [name, tunnel] of this.#tunnels) {
      if (tunnel.idle) this.#closeTunnel(name)
      else tunnel.tick(this.#second)
    }
    if (this.#second % leftoversEverySeconds === 0)
      this.#sweepLeftovers().catch((error: unknown) => this.#failed(error))
  }

  #closeTunnel(name: string): void {
    const queueName = queueNameOf(name)
    this.#tunnels.delete(name)
    this.#wakeUps.unwatch(queueName)
    this.#sweep(this.#store.queue(queueName), queueName).catch(() => undefined)
  }

  /** Which queues there are, and when each was last in use: so that somebody sweeps what dead edges left. */
  #remember(queueName: string): void {
    this.#commands.client.zadd(this.#registry, this.#options.clock.now(), queueName).catch(() => undefined)
  }

  async #sweepLeftovers(): Promise<void> {
    const { client } = this.#commands
    const now = this.#options.clock.now()
    for (const name of this.#tunnels.keys()) this.#remember(queueNameOf(name))
    const names = await client.zrangebyscore(
      this.#registry,
      0,
      now - leftAfterMs,
      "LIMIT",
      0,
      leftoversAtOnce,
    )
    await Promise.all(names.map((name) => this.#sweep(this.#store.queue(name), name)))
  }

  async #sweep(queue: BullmqQueue, queueName: string): Promise<void> {
    if (await queue.sweep()) await this.#commands.client.zrem(this.#registry, queueName)
  }

  get #registry(): string {
    return `${this.#options.prefix}:queues`
  }

  async #checkServer(): Promise<void> {
    if (this.#checked) return
    try {
      const info = await this.#commands.client.info()
      this.#checked = true
      const [, version = ""] = /^redis_version:(\S+)/m.exec(info) ?? []
      const [major = 0, minor = 0] = version.split(".").map(Number)
      if (version !== "" && (major < 6 || (major === 6 && minor < 2))) {
        this.#options.log.warn({ version }, "redis is too old to share a queue: 6.2 is the oldest that works")
      }
      const [, policy = "noeviction"] = /^maxmemory_policy:(\S+)/m.exec(info) ?? []
      if (policy !== "noeviction") {
        this.#options.log.warn(
          { policy },
          "redis may drop queued requests when it is full: set maxmemory-policy noeviction",
        )
      }
    } catch {
      // A server that does not answer INFO can be used all the same.
    }
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#tickTimer)
    const names = [...this.#tunnels.keys()]
    const handedBack = Promise.all([...this.#tunnels.values()].map((tunnel) => tunnel.stop()))
    if (this.#commands.up) {
      const swept = handedBack.then(() =>
        Promise.all(names.map(queueNameOf).map((name) => this.#sweep(this.#store.queue(name), name))),
      )
      await withinMs(swept, stopLimitMs).catch(() => undefined)
    }
    this.#tunnels.clear()
    await Promise.all([this.#commands.stop(), this.#listener.stop()])
  }
}

const tickMs = 1000
const startLimitMs = 2000
const stopLimitMs = 3000
const leftoversEverySeconds = 60
const leftoversAtOnce = 100
const leftAfterMs = 180_000
