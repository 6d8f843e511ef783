// The agent, composed: attaches to the edge, replays what it is given, and attaches again, for ever, whatever happens.
import { createHash } from "node:crypto"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { WindowBudget } from "@restante/protocol"
import type { PortRequest } from "@restante/protocol"
import { externalText } from "./addresses.ts"
import { defaultMaxConnections, defaultMaxUpgrades } from "./agent-options.ts"
import type { AgentOptions } from "./agent-options.ts"
import { Backoff } from "./attach/backoff.ts"
import { EdgeClient } from "./attach/edge-client.ts"
import { Link } from "./attach/link.ts"
import { LinkError } from "./attach/link-error.ts"
import { monotonicMs, systemClock } from "./clock.ts"
import { LogLimit } from "./observe/log-limit.ts"
import { TunnelRecord } from "./observe/tunnel-record.ts"
import { PortTargets } from "./port-targets.ts"
import { servedText } from "./ports.ts"
import type { PortMapping } from "./ports.ts"
import { Replays } from "./replays.ts"
import type { AgentCounters, AgentStatus, LinkState } from "./status/status.ts"
import { Http2Upstreams } from "./upstream/h2/http2-upstreams.ts"
import { BodyBuffers } from "./upstream/body-buffers.ts"
import { UpstreamPool } from "./upstream/pool.ts"

/** SIGTERM's patience: what runs may finish within this time. */
const drainMs = 30_000
/** How long the last words may take to reach the edge. */
const farewellMs = 2000
/** Bytes that the windows of all streams together may grow by. */
const windowBudgetBytes = 64 * 1024 * 1024
/** A path that is cut again and again is told of this often at most. */
const transportRepeatMs = 60_000

export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions
  readonly #clock = systemClock
  readonly #client: EdgeClient
  readonly #shared = { buffers: new BodyBuffers(), windows: new WindowBudget(windowBudgetBytes) }
  /** Undefined without a private server for requests. */
  readonly #pool: UpstreamPool | undefined
  /** Instead of the pool's connections, for an upstream that is spoken to in HTTP/2. */
  readonly #http2: Http2Upstreams | undefined
  readonly #targets: PortTargets
  readonly #backoff: Backoff
  /** For what only a person can put right. */
  readonly #patientBackoff: Backoff
  readonly #stopping = new AbortController()
  readonly #startedAt = systemClock.now()
  readonly #record: TunnelRecord
  readonly #transportLimit = new LogLimit(transportRepeatMs, () => systemClock.now())
  #state: LinkState = { kind: "connecting" }
  #trouble: string | undefined
  #roundTripMs: number | undefined
  #link: Link | undefined
  #replays: Replays | undefined
  #running: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  constructor(options: AgentOptions) {
    this.#options = options
    this.#client = new EdgeClient({
      external: options.external,
      ca: options.externalCa,
      identity: options.externalIdentity,
      proxy: options.proxy,
      token: options.token,
    })
    const { server } = options
    if (server !== undefined) {
      this.#pool = new UpstreamPool({
        upstream: server,
        clock: this.#clock,
        maxIdle: options.concurrency,
        shared: this.#shared,
      })
    }
    if (server?.kind === "tcp" && server.http2 === true)
      this.#http2 = new Http2Upstreams({ upstream: server, shared: this.#shared, clock: this.#clock })
    this.#targets = new PortTargets({
      ports: options.ports ?? [],
      proxyProtocol: options.proxyProtocol ?? false,
      shared: this.#shared,
      clock: this.#clock,
    })
    this.#backoff = new Backoff({ firstMs: 200, mostMs: 5000 }, this.#clock)
    this.#patientBackoff = new Backoff({ firstMs: 1000, mostMs: 15_000 }, this.#clock)
    this.#record = new TunnelRecord({
      tunnel: options.tunnel,
      upstream: servedText(options),
      log: options.log,
      logRequests: options.logRequests ?? false,
      onRequest: options.onRequest,
      now: () => this.#clock.now(),
    })
  }

  /** Begins to attach; does not wait for it. */
  start(): Promise<void> {
    this.#running ??= this.#run(this.#stopping.signal)
    return Promise.resolve()
  }

  /** Takes nothing more, lets what runs finish (30 s at most), says goodbye. Twice is fine. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  status(): AgentStatus {
    const { external, tunnel, transport } = this.#options
    return {
      link: this.#state,
      edge: externalText(external),
      tunnel,
      upstream: servedText(this.#options),
      transport,
      carriedOn: this.#link?.carriedOn,
      roundTripMs: this.#roundTripMs,
      startedAt: this.#startedAt,
      requests: { active: this.#replays?.active ?? 0, ...this.#record.counts(monotonicMs()) },
      counters: { ...this.#record.counters, connections: this.#connections() },
      upstreamUp: this.#record.upstreamUp,
      lastErrors: this.#record.errors,
    }
  }

  #connections(): AgentCounters["connections"] {
    const { connections, idle, dialled } = (this.#http2 ?? this.#pool)?.stats ?? {
      connections: 0,
      idle: 0,
      dialled: 0,
    }
    return { open: connections, idle, opened: dialled }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#serve(signal)
      } catch (reason) {
        if (signal.aborted) return
        const error = LinkError.from(reason)
        const retryMs = (error.needsPerson ? this.#patientBackoff : this.#backoff).next()
        this.#inTrouble(error, retryMs)
        await sleep(retryMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** One session, from attaching to its end. Rejects with what ended it. */
  async #serve(signal: AbortSignal): Promise<void> {
    const { tunnel, routes, stripPrefix, concurrency, transport, hostHeader } = this.#options
    const { ports = [], maxConnections = defaultMaxConnections, onPorts } = this.#options
    const welcome = await this.#client.attach(
      {
        tunnel,
        routes,
        stripPrefix,
        concurrency,
        instance: this.#instance(),
        ...(this.#pool === undefined ? { http: false } : {}),
        ...(ports.length === 0 ? {} : { ports: portRequests(ports), connections: maxConnections }),
        software,
      },
      signal,
    )
    signal.throwIfAborted()
    // An edge that does not know ports says nothing of them.
    if (welcome.ports.length < ports.length) throw new LinkError("version", "the edge opens no ports")
    if (ports.length > 0) onPorts?.(welcome.ports)
    const over = Promise.withResolvers<never>()
    const replays: Replays = new Replays({
      pool: this.#http2 ?? this.#pool,
      hostHeader,
      concurrency,
      now: monotonicMs,
      maxUpgrades: this.#options.maxUpgrades ?? defaultMaxUpgrades,
      targets: this.#targets,
      maxConnections,
      link: () => link,
      tracing: this.#options.tracing,
      flows: this.#record.lost,
      onSettled: (request, outcome) => this.#record.settled(request, outcome),
    })
    const link: Link = new Link({
      client: this.#client,
      welcome,
      transport,
      clock: this.#clock,
      sink: replays,
      onAlive: () => this.#attached(),
      onTrouble: (error) => this.#inTrouble(error, 0),
      onTransport: (carriedOn) => this.#transportChanged(carriedOn),
      onRoundTrip: (roundTripMs) => (this.#roundTripMs = roundTripMs),
      onReleased: (buffers) => this.#shared.buffers.release(buffers),
      onOver: (error) => over.reject(error),
      onWritable: () => replays.resume(),
    })
    this.#link = link
    this.#replays = replays
    link.start()
    try {
      await over.promise
    } finally {
      replays.abandon()
      this.#link = undefined
      this.#replays = undefined
    }
  }

  async #stop(): Promise<void> {
    this.#state = { kind: "stopping" }
    const { tunnel, log } = this.#options
    const link = this.#link
    const replays = this.#replays
    this.#stopping.abort()
    log.info({ tunnel, running: replays?.active ?? 0 }, "stopping")
    if (link !== undefined && replays !== undefined) {
      link.out.drain()
      const waiting = new AbortController()
      await Promise.race([
        replays.drained(),
        sleep(drainMs, undefined, { signal: waiting.signal }).catch(() => {}),
      ])
      waiting.abort()
      await this.#lastWords(link)
      link.end()
      await this.#client.detach(link.session)
    }
    await this.#running
    await this.#targets.close()
    await this.#http2?.close()
    await this.#pool?.close()
    await this.#client.close()
    this.#state = { kind: "stopped" }
    const { served, failed, cancelled } = this.#record.tally
    log.info({ tunnel, served, failed, cancelled }, "stopped")
  }

  /** Waits until the edge has what the replays said. */
  async #lastWords(link: Link): Promise<void> {
    const until = this.#clock.now() + farewellMs
    while (!link.settled && this.#clock.now() < until) await sleep(10)
  }

  #attached(): void {
    if (this.#state.kind === "connected" || this.#stopping.signal.aborted) return
    this.#state = { kind: "connected", since: this.#clock.now() }
    this.#record.attaches++
    this.#trouble = undefined
    this.#backoff.reset()
    this.#patientBackoff.reset()
    const { tunnel, external, log } = this.#options
    log.info({ tunnel, edge: externalText(external) }, "attached")
  }

  #transportChanged(carriedOn: "poll" | "websocket"): void {
    if (this.#stopping.signal.aborted) return
    const notTold = this.#transportLimit.pass(carriedOn)
    if (notTold === undefined) return
    const { tunnel, log } = this.#options
    log.info({ tunnel, transport: carriedOn, ...(notTold === 0 ? {} : { notTold }) }, "transport changed")
  }

  /** Says what is wrong once, not at every try. */
  #inTrouble(error: LinkError, retryMs: number): void {
    if (this.#stopping.signal.aborted) return
    const attempt = this.#state.kind === "reconnecting" ? this.#state.attempt + 1 : 1
    this.#state = {
      kind: "reconnecting",
      attempt,
      retryAt: this.#clock.now() + retryMs,
      reason: error.message,
    }
    const { code, detail, remedy } = error
    this.#record.linkFailed(code, detail, remedy)
    if (this.#trouble === code) return
    this.#trouble = code
    const { tunnel, external, log } = this.#options
    log.warn({ tunnel, edge: externalText(external), code, detail, remedy }, "reconnecting")
  }

  /** The same for every process that is started at this place for this purpose: a new one replaces the old one's session. */
  #instance(): string {
    const { external, tunnel } = this.#options
    const place = JSON.stringify([hostname(), servedText(this.#options), external.href, tunnel])
    return createHash("sha256").update(place).digest("base64url").slice(0, 22)
  }
}

/** Without where they lead: that is nobody's business but ours. */
function portRequests(ports: readonly PortMapping[]): readonly PortRequest[] {
  return ports.map(({ kind, name, port }) => ({ kind, name, port }))
}

const software = "proxy-in/0.1.0"
