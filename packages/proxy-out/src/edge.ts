// The edge, composed: the public port, the exchanges, the queue and the agents' sessions. The only place that names a
// concrete broker.
import type { RequestHead } from "@restante/protocol"
import { nanoid } from "nanoid"
import { People } from "./admin/people.ts"
import type { EdgeStatus } from "./admin/people.ts"
import { Endpoints } from "./attach/endpoints.ts"
import { Sessions } from "./attach/sessions.ts"
import type { TicketSource } from "./attach/tunnel-sessions.ts"
import { systemClock } from "./clock.ts"
import type { EdgeOptions } from "./edge-options.ts"
import { Exchanges } from "./exchange/exchanges.ts"
import { dateLineOf } from "./http-date.ts"
import { Ingress } from "./ingress/ingress.ts"
import type { Broker } from "./queue/broker.ts"
import { BullmqBroker } from "./queue/bullmq-broker.ts"
import { MemoryBroker } from "./queue/memory-broker.ts"

/** SIGTERM's patience: what runs may finish within this time. */
const drainMs = 30_000
const defaultTunnel = "default"

export class Edge implements AsyncDisposable {
  readonly #options: EdgeOptions
  readonly #broker: Broker
  readonly #exchanges: Exchanges
  readonly #sessions: Sessions
  readonly #endpoints: Endpoints
  readonly #people: People
  readonly #ingress: Ingress
  #stopped: Promise<void> | undefined

  constructor(options: EdgeOptions) {
    this.#options = options
    const { log, holdMs, timeoutMs, maxQueue, token, host, port } = options
    const clock = systemClock
    const edgeId = nanoid(10)
    const dateLine = dateLineOf(clock)
    this.#broker = brokerFor(options, edgeId)
    this.#exchanges = new Exchanges({
      broker: this.#broker,
      clock,
      edgeId,
      log,
      holdMs,
      timeoutMs,
      maxQueue,
      tunnelOf: (head) => this.#tunnelOf(head),
      dateLine,
    })
    const tickets: TicketSource = {
      own: (ticket) => this.#exchanges.get(ticket.id),
      isForeign: (ticket) => ticket.owner !== edgeId,
      claim: (_ticket, _onGranted, onRefused) => onRefused(),
    }
    this.#sessions = new Sessions({ broker: this.#broker, clock, log, tickets, timeoutMs })
    this.#endpoints = new Endpoints({ sessions: this.#sessions, token, clock, log, software })
    this.#people = new People({ status: () => this.#status() })
    this.#ingress = new Ingress({
      host,
      port,
      log,
      dateLine,
      accept: (head, connection) => this.#exchanges.accept(head, connection),
      attach: (head, connection) => this.#endpoints.route(head, connection),
      admin: (socket) => this.#people.take(socket),
    })
  }

  /** Opens the port. Rejects with the system's error when it cannot be opened. */
  async start(): Promise<{ port: number }> {
    await this.#broker.start()
    try {
      const { port } = await this.#ingress.start()
      this.#sessions.start()
      this.#options.log.info(
        { host: this.#options.host, port, queue: this.#options.redisUrl === undefined ? "memory" : "redis" },
        "listening",
      )
      return { port }
    } catch (error) {
      await this.#broker.stop()
      throw error
    }
  }

  /** Refuses new requests, lets what runs finish (30 s at most), then ends everything. Twice is fine. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    this.#options.log.info({ running: this.#exchanges.live }, "stopping")
    this.#exchanges.refuseNew()
    this.#ingress.refuseNew()
    await this.#exchanges.drain(drainMs)
    this.#sessions.stop()
    this.#endpoints.stop()
    this.#people.stop()
    this.#ingress.stop()
    await this.#broker.stop()
    this.#options.log.info("stopped")
  }

  /** The first label of the host names the tunnel when agents have served one of that name; the rest is the default tunnel's. */
  #tunnelOf(head: RequestHead): string {
    const { host } = head
    const dot = host?.indexOf(".") ?? -1
    if (host === undefined || dot <= 0) return defaultTunnel
    const label = host.slice(0, dot).toLowerCase()
    return this.#sessions.knows(label) ? label : defaultTunnel
  }

  #status(): EdgeStatus {
    const tunnels = new Map<string, { tunnel: string; sessions: number; active: number }>()
    for (const { tunnel, active, attached } of this.#sessions.all) {
      const entry = tunnels.get(tunnel) ?? { tunnel, sessions: 0, active: 0 }
      entry.sessions += attached ? 1 : 0
      entry.active += active
      tunnels.set(tunnel, entry)
    }
    return {
      software,
      queue: { state: this.#broker.health.state, waiting: this.#exchanges.waiting },
      exchanges: { live: this.#exchanges.live, ...this.#exchanges.counts },
      tunnels: [...tunnels.values()],
    }
  }
}

const software = "proxy-out/0.1.0"

function brokerFor(options: EdgeOptions, edgeId: string): Broker {
  const { redisUrl, dispatch, log } = options
  if (redisUrl === undefined) return new MemoryBroker()
  return new BullmqBroker({ redis: redisUrl, edgeId, dispatch, log, clock: systemClock })
}
