// The edge, composed: the public port, the exchanges, the queue and the agents' sessions. It is put
// together when it starts, because a shared queue is loaded only where one is asked for.
import { nanoid } from "nanoid"
import { AdminPages } from "./admin/admin-pages.ts"
import { Endpoints } from "./attach/endpoints.ts"
import { Sessions } from "./attach/sessions.ts"
import type { TicketSource } from "./attach/tunnel-sessions.ts"
import { systemClock } from "./clock.ts"
import { Credentials } from "./credentials/credentials.ts"
import { defaultFlowMs, defaultKeepMs, defaultMaxConnections, defaultMaxPerAddress } from "./edge-options.ts"
import type { EdgeOptions, EdgeSettings } from "./edge-options.ts"
import { Exchanges } from "./exchange/exchanges.ts"
import { dateLineOf } from "./http-date.ts"
import { Ingress } from "./ingress/ingress.ts"
import { TrustedProxies } from "./ingress/trusted-proxies.ts"
import { ExchangeTracing } from "./observe/exchange-tracing.ts"
import { Observers } from "./observe/observers.ts"
import { Recorder } from "./observe/recorder.ts"
import { spanExporter } from "./observe/span-post.ts"
import { openQueue } from "./queue/open-queue.ts"
import { KnownTunnels } from "./routing/known-tunnels.ts"
import { Ports } from "./ports/ports.ts"
import { PortStreams } from "./ports/port-streams.ts"
import type { PortStream } from "./ports/port-streams.ts"
import { TcpPort } from "./ports/tcp-port.ts"
import { UdpPort } from "./ports/udp-port.ts"
import { RelayedExchanges } from "./relay/relayed-exchanges.ts"

/** SIGTERM's patience: what runs may finish within this time. */
const drainMs = 30_000
/** Datagrams are not worth more: a client repeats them by then. */
const flowHoldMs = 1000
const maxWaitingFlows = 1000

export class Edge implements AsyncDisposable {
  readonly #options: EdgeOptions
  #running: Promise<RunningEdge> | undefined
  #stopped: Promise<void> | undefined

  constructor(options: EdgeOptions) {
    this.#options = options
  }

  /** Opens the port. Rejects with the system's error when it cannot be opened. */
  async start(): Promise<{ port: number }> {
    this.#running ??= startEdge(this.#options)
    return { port: (await this.#running).port }
  }

  /** For requests that come from now on; those that wait keep the deadline that they have. Agents that came with another token are let go. */
  change(settings: EdgeSettings): void {
    // One that does not start has nothing to change.
    this.#running?.then(
      (running) => running.change(settings),
      () => undefined,
    )
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
    const running = await this.#running?.catch(() => undefined)
    await running?.stop()
  }
}

interface RunningEdge {
  readonly port: number
  change(settings: EdgeSettings): void
  stop(): Promise<void>
}

async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  let settings: EdgeSettings = options
  let trustedProxies = trustedOf(options)
  const { log, token, host, domain } = options
  const clock = systemClock
  const edgeId = nanoid(10)
  const dateLine = dateLineOf(clock)
  const { broker, relay, tunnels: store } = await openQueue(options, edgeId)
  const recorder = new Recorder()
  const { accessLog } = options
  const spans = options.tracing && spanExporter(options.tracing, log)
  const tracing = options.tracing && spans && new ExchangeTracing(options.tracing, spans)
  const observers = new Observers({ recorder, clock, log, tracing, access: accessLog })
  const exchanges = new Exchanges({
    broker,
    clock,
    edgeId,
    log,
    get holdMs() {
      return settings.holdMs
    },
    get timeoutMs() {
      return settings.timeoutMs
    },
    get maxQueue() {
      return settings.maxQueue
    },
    get maxBodyBytes() {
      return settings.maxBodyBytes
    },
    get trustedProxies() {
      return trustedProxies
    },
    tunnelOf: (requested, target) => tunnels.match(requested, target),
    dateLine,
    get errorPage() {
      return settings.errorPage
    },
    observer: observers,
    tracing,
  })
  const connections = new PortStreams({
    broker,
    clock,
    get holdMs() {
      return settings.holdMs
    },
    get maxQueue() {
      return settings.maxQueue
    },
  })
  const flows = new PortStreams({ broker, clock, holdMs: flowHoldMs, maxQueue: maxWaitingFlows })
  const waitingAt = (id: string): PortStream | undefined => connections.get(id) ?? flows.get(id)
  const ports = new Ports({
    edgeId,
    host,
    ranges: { tcp: options.ports?.tcp ?? [], udp: options.ports?.udp ?? [] },
    streams: { tcp: connections, udp: flows },
    flowMs: options.ports?.flowMs ?? defaultFlowMs,
    clock,
    limits: {
      most: options.ports?.maxConnections ?? defaultMaxConnections,
      mostPerAddress: options.ports?.maxPerAddress ?? defaultMaxPerAddress,
    },
    observer: observers,
    keepMs: options.ports?.keepMs ?? defaultKeepMs,
    make: { tcp: (made) => new TcpPort(made), udp: (made) => new UdpPort(made) },
    log,
  })
  const relayed = relay && new RelayedExchanges({ relay, find: (id) => exchanges.get(id) ?? waitingAt(id) })
  const tickets: TicketSource = {
    own: (ticket) => exchanges.get(ticket.id) ?? waitingAt(ticket.id),
    isForeign: (ticket) => ticket.owner !== edgeId,
    claim: (ticket, onGranted, onRefused) =>
      relayed ? relayed.claim(ticket, onGranted, onRefused) : onRefused(),
  }
  const sessions = new Sessions({
    broker,
    clock,
    log,
    tickets,
    get timeoutMs() {
      return settings.timeoutMs
    },
    observer: recorder,
    onServed: (queue, served) => (served ? ports.served(queue) : ports.unserved(queue)),
  })
  const tunnels = new KnownTunnels({
    store,
    domain,
    isServed: (tunnel) => sessions.serves(tunnel),
    onTaken: (tunnel) => sessions.endThose((session) => session.tunnel === tunnel, "refused"),
  })
  const credentials: Credentials = new Credentials({
    token,
    file: options.tokensFile,
    clock,
    log,
    onChange: () =>
      sessions.endThose(
        ({ credentialId, tunnel, ports: given }) =>
          !credentials.allows(credentialId, tunnel, tunnels.routesOf(tunnel), given),
        "refused",
      ),
  })
  const endpoints = new Endpoints({
    sessions,
    credentials,
    tunnels,
    ports,
    clock,
    log,
    software,
    clientOf: ({ fields }, peer) => trustedProxies?.clientOf(fields, peer) ?? peer,
    onRefused: (code) => recorder.attachRefused(code),
  })
  const pages: AdminPages = new AdminPages({
    options,
    limits: () => settings,
    software,
    edgeId,
    clock,
    broker,
    exchanges,
    sessions,
    recorder,
    ports,
    connections: () => ingress.connections,
    droppedLines: () => accessLog?.file.dropped ?? 0,
  })
  const ingress = new Ingress({
    host,
    port: options.port,
    log,
    dateLine,
    get patience() {
      return settings.patience
    },
    get errorPage() {
      return settings.errorPage
    },
    get trustedProxies() {
      return trustedProxies
    },
    onRefused: (refused) => observers.refused(refused),
    maxOpenConnections: options.maxOpenConnections,
    certificates: options.certificates,
    redirectPort: options.redirectPort,
    h2c: options.h2c,
    accept: (head, connection) => exchanges.accept(head, connection.client.next(head)),
    acceptHttp2: (head, client) => exchanges.accept(head, client),
    attach: (head, connection) => endpoints.route(head, connection),
    admin: (socket) => pages.take(socket),
  })
  relay?.onMessage((from, payload) => relayed?.receive(from, payload))
  relay?.onPeerLost((edge) => relayed?.lost(edge))

  const change = (changed: EdgeSettings): void => {
    settings = changed
    trustedProxies = trustedOf(changed)
    credentials.change(changed.token)
    pages.change(changed)
  }
  const stop = async (): Promise<void> => {
    log.info({ running: exchanges.live }, "stopping")
    exchanges.refuseNew()
    ingress.refuseNew()
    ports.stop()
    await Promise.all([exchanges.drain(drainMs), connections.drain(drainMs), flows.drain(0)])
    credentials.stop()
    sessions.stop()
    endpoints.stop()
    pages.stop()
    await ingress.stop()
    await relay?.stop()
    await tunnels.stop()
    await broker.stop()
    await accessLog?.file.stop()
    await spans?.flush()
    log.info("stopped")
  }
  try {
    await Promise.all([tunnels.start(), credentials.start()])
    await pages.start()
    const { port } = await ingress.start()
    pages.opened()
    sessions.start()
    log.info({ host, port, queue: options.redisUrl === undefined ? "memory" : "redis" }, "listening")
    return { port, change, stop }
  } catch (error) {
    pages.stop()
    ports.stop()
    credentials.stop()
    await tunnels.stop()
    await relay?.stop()
    await broker.stop()
    throw error
  }
}

function trustedOf({ trustedProxies }: EdgeSettings): TrustedProxies | undefined {
  return trustedProxies?.length ? new TrustedProxies(trustedProxies) : undefined
}

const software = "proxy-out/0.1.0"
