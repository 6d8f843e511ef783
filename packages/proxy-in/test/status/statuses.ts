// A status for tests, as it would be a moment after start; each test says only what matters to it.
import type { AgentCounters, AgentStatus, ProgramStatus, StatusError } from "../../src/status/status.ts"

export function statusOf(differences: Partial<AgentStatus> = {}): AgentStatus {
  return {
    link: { kind: "connecting" },
    edge: "http://edge.example",
    tunnel: "default",
    upstream: "http://127.0.0.1:3000",
    transport: "auto",
    carriedOn: undefined,
    roundTripMs: undefined,
    startedAt: Date.UTC(2026, 10, 21, 9, 30),
    requests: { active: 0, served: 0, failed: 0, cancelled: 0, perSecond: 0 },
    counters: noCounters,
    upstreamUp: true,
    lastErrors: [],
    ...differences,
  }
}

export const noCounters: AgentCounters = {
  answered: {},
  failed: {},
  refusedDatagrams: {},
  droppedDatagrams: {},
  requestBytes: 0,
  responseBytes: 0,
  upstream: { boundsMs: [], counts: [], sumMs: 0 },
  connections: { open: 0, idle: 0, opened: 0 },
  attaches: 0,
  linkFailures: {},
}

/** An error that happened once; each test says only what matters to it. */
export function errorOf(differences: Partial<StatusError> = {}): StatusError {
  const at = differences.at ?? Date.UTC(2026, 10, 21, 9, 32)
  return {
    at,
    firstAt: at,
    count: 1,
    code: "upstream_refused",
    detail: "ECONNREFUSED",
    remedy: "Nothing listens at http://127.0.0.1:3000: start the server or change --server.",
    message: "upstream_refused ECONNREFUSED",
    ...differences,
  }
}

/** Of a program with these tunnels. */
export function programStatusOf(first: AgentStatus, ...others: readonly AgentStatus[]): ProgramStatus {
  return { ...first, tunnels: [first, ...others] }
}
