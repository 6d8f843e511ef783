// What /.restante/v1/status says: the edge at this moment. The shape is a promise, written down in openapi.ts.
import type { Carrier } from "../attach/carrier.ts"
import type { AgentSession } from "../attach/agent-session.ts"
import type { Exchanges } from "../exchange/exchanges.ts"
import type { PortKind } from "@restante/protocol"
import type { PortPlace, PortTraffic } from "../ports/port-traffic.ts"
import type { Broker } from "../queue/broker.ts"

export interface EdgeStatus {
  readonly software: string
  /** Of this process: other edges on the same queue have other ones. */
  readonly edge: string
  readonly uptimeSeconds: number
  readonly state: "running" | "stopping"
  readonly queue: {
    readonly kind: "memory" | "redis"
    readonly state: "ready" | "degraded"
    readonly waiting: number
    readonly limit: number
  }
  readonly exchanges: {
    readonly live: number
    readonly accepted: number
    readonly answered: number
    readonly failed: number
  }
  readonly limits: { readonly holdMs: number; readonly timeoutMs: number; readonly maxQueue: number }
  readonly tunnels: readonly TunnelStatus[]
}

export interface TunnelStatus {
  readonly tunnel: string
  /** Agents that are attached. */
  readonly sessions: number
  readonly active: number
  readonly waiting: number
  readonly agents: readonly AgentStatus[]
  /** Those that are open for it at this edge. */
  readonly ports: readonly PortStatus[]
}

export interface PortStatus {
  readonly kind: PortKind
  readonly port: number
  /** Connections, or flows, that an agent has. */
  readonly running: number
  /** Those that wait for one. */
  readonly waiting: number
  readonly accepted: number
  /** Since the start, as `accepted`, for whatever reason. */
  readonly refused: number
}

export interface AgentStatus {
  /** The beginning of the session's id, as logs show it. */
  readonly session: string
  readonly software: string
  readonly attached: boolean
  readonly transport: "websocket" | "streamed" | "poll" | "none"
  /** RFC 3339, UTC. */
  readonly since: string
  readonly active: number
  readonly capacity: number
  readonly unacknowledgedBytes: number
}

export interface StatusSources {
  readonly software: string
  readonly edgeId: string
  readonly startedAt: number
  readonly now: number
  readonly queue: "memory" | "redis"
  readonly limits: EdgeStatus["limits"]
  readonly broker: Broker
  readonly exchanges: Exchanges
  readonly sessions: Iterable<AgentSession>
  readonly ports: Iterable<PortPlace & { readonly traffic: PortTraffic }>
}

export function statusOf(sources: StatusSources): EdgeStatus {
  const { broker, exchanges, limits } = sources
  const tunnels = new Map<string, TunnelEntry>()
  for (const session of sources.sessions) {
    const entry = entryOf(tunnels, session.tunnel)
    entry.sessions += session.attached ? 1 : 0
    entry.active += session.active
    entry.agents.push(agentStatus(session))
  }
  for (const { tunnel, kind, port, traffic } of sources.ports)
    entryOf(tunnels, tunnel).ports.push(portStatus(kind, port, traffic))
  const waiting = new Map<string, number>()
  for (const exchange of exchanges.all) {
    if (!exchange.waiting) continue
    const { tunnel } = exchange.ticket
    entryOf(tunnels, tunnel)
    waiting.set(tunnel, (waiting.get(tunnel) ?? 0) + 1)
  }
  return {
    software: sources.software,
    edge: sources.edgeId,
    uptimeSeconds: Math.floor((sources.now - sources.startedAt) / 1000),
    state: exchanges.admitting ? "running" : "stopping",
    queue: {
      kind: sources.queue,
      state: broker.health.state,
      waiting: exchanges.waiting,
      limit: limits.maxQueue,
    },
    exchanges: { live: exchanges.live, ...exchanges.counts },
    limits,
    tunnels: [...tunnels].map(([tunnel, { sessions, active, agents, ports }]) => ({
      tunnel,
      sessions,
      active,
      waiting: waiting.get(tunnel) ?? 0,
      agents,
      ports,
    })),
  }
}

interface TunnelEntry {
  sessions: number
  active: number
  readonly agents: AgentStatus[]
  readonly ports: PortStatus[]
}

function entryOf(tunnels: Map<string, TunnelEntry>, tunnel: string): TunnelEntry {
  let entry = tunnels.get(tunnel)
  if (entry === undefined) tunnels.set(tunnel, (entry = { sessions: 0, active: 0, agents: [], ports: [] }))
  return entry
}

function portStatus(
  kind: PortKind,
  port: number,
  { live, waiting, accepted, refused }: PortTraffic,
): PortStatus {
  const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0)
  return { kind, port, running: live.size - waiting, waiting, accepted, refused: refusals }
}

function agentStatus(session: AgentSession): AgentStatus {
  const { software = "", since = 0, concurrency } = session.about
  return {
    session: session.id.slice(0, 6),
    software,
    attached: session.attached,
    transport: bestOf(session.carriers),
    since: new Date(since).toISOString(),
    active: session.active,
    capacity: concurrency,
    unacknowledgedBytes: session.session.unacknowledgedBytes,
  }
}

function bestOf(carriers: readonly Carrier["kind"][]): AgentStatus["transport"] {
  const kinds = ["websocket", "streamed", "poll"] as const
  return kinds.find((kind) => carriers.includes(kind)) ?? "none"
}
