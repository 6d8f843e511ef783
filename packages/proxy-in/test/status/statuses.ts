// A status for tests, as it would be a moment after start; each test says only what matters to it.
import type { AgentStatus, ProgramStatus } from "../../src/status/status.ts"

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
    requests: { active: 0, served: 0, failed: 0 },
    lastErrors: [],
    ...differences,
  }
}

/** Of a program with these tunnels. */
export function programStatusOf(first: AgentStatus, ...others: readonly AgentStatus[]): ProgramStatus {
  return { ...first, tunnels: [first, ...others] }
}
