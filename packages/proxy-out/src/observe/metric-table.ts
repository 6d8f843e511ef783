// Every metric of our own with its type, labels and meaning. /metrics is written from it, docs/observability.md is checked against it.

export interface MetricTraits {
  readonly type: "counter" | "gauge" | "histogram"
  readonly labels: readonly string[]
  readonly help: string
}

export const metricTable = {
  restante_build: { type: "gauge", labels: ["software", "edge"], help: "Always 1; what runs here." },
  restante_exchanges_total: {
    type: "counter",
    labels: ["tunnel", "outcome"],
    help: "Requests that ended: answered by the private server, broken off in the middle of the answer, cancelled by the client, or failed with an error of ours.",
  },
  restante_responses_total: {
    type: "counter",
    labels: ["tunnel", "status"],
    help: "Answers of private servers by the class of their status.",
  },
  restante_failures_total: {
    type: "counter",
    labels: ["code"],
    help: "Requests that got an error of ours, by its code; those refused at the door included.",
  },
  restante_request_bytes_total: {
    type: "counter",
    labels: ["tunnel"],
    help: "Bytes of request bodies (and of what clients said on switched connections).",
  },
  restante_response_bytes_total: {
    type: "counter",
    labels: ["tunnel"],
    help: "Bytes of response bodies (and of what private servers said on switched connections).",
  },
  restante_redeliveries_total: {
    type: "counter",
    labels: [],
    help: "Times that a request was offered to an agent again.",
  },
  restante_queue_wait_seconds: {
    type: "histogram",
    labels: ["tunnel"],
    help: "How long a request waited until an agent took it, all attempts together.",
  },
  restante_link_seconds: {
    type: "histogram",
    labels: ["tunnel"],
    help: "From handing a request to an agent to the head of its answer, less what the private server took.",
  },
  restante_upstream_seconds: {
    type: "histogram",
    labels: ["tunnel"],
    help: "How long the private server took to begin its answer, as the agent measured it.",
  },
  restante_exchange_duration_seconds: {
    type: "histogram",
    labels: ["tunnel"],
    help: "From the head of a request to the end of its answer.",
  },
  restante_exchanges: {
    type: "gauge",
    labels: ["state"],
    help: "Requests that are not over: collecting their body, queued, leased to an agent, responding, or switched to another protocol.",
  },
  restante_queue_depth: {
    type: "gauge",
    labels: ["tunnel"],
    help: "Requests of this edge that wait for an agent.",
  },
  restante_queue_limit: { type: "gauge", labels: [], help: "Most requests that may wait at this edge." },
  restante_queue_ready: {
    type: "gauge",
    labels: [],
    help: "1 when the queue can be used, 0 when it cannot (Redis is away).",
  },
  restante_sessions: { type: "gauge", labels: ["tunnel"], help: "Agents that are attached to this edge." },
  restante_session_streams: {
    type: "gauge",
    labels: ["tunnel"],
    help: "Requests that this edge's agents have under way.",
  },
  restante_session_capacity: {
    type: "gauge",
    labels: ["tunnel"],
    help: "Requests that this edge's agents take at a time.",
  },
  restante_session_unacknowledged_bytes: {
    type: "gauge",
    labels: ["tunnel"],
    help: "Bytes on their way to agents that these have not acknowledged.",
  },
  restante_session_queued_bytes: {
    type: "gauge",
    labels: ["tunnel"],
    help: "Bytes for agents that no connection has taken yet.",
  },
  restante_window_budget_bytes: {
    type: "gauge",
    labels: [],
    help: "What the windows of all responses together may grow by.",
  },
  restante_window_budget_used_bytes: {
    type: "gauge",
    labels: [],
    help: "What the windows of all responses together have grown by.",
  },
  restante_connections: {
    type: "gauge",
    labels: ["peer"],
    help: "Open connections to the public port: of clients, or of agents as far as they speak plain HTTP.",
  },
  restante_port_connections: {
    type: "gauge",
    labels: ["kind", "port", "tunnel", "state"],
    help: "Open TCP connections and UDP flows of a port: waiting for an agent, or with one.",
  },
  restante_port_connections_total: {
    type: "counter",
    labels: ["kind", "port", "tunnel"],
    help: "TCP connections and UDP flows that a port has let in.",
  },
  restante_port_connections_ended_total: {
    type: "counter",
    labels: ["kind", "port", "tunnel", "outcome"],
    help: "Those that ended: closed by both sides, silent for too long (UDP), left by the client, broken by the private server's side, taken by no agent in time, or stopped with the port or this edge.",
  },
  restante_port_refused_total: {
    type: "counter",
    labels: ["kind", "port", "tunnel", "reason"],
    help: "TCP connections that were reset at once, and datagrams of new UDP clients that were not heard: the port had as many as it takes, the client's address had, or the queue was full.",
  },
  restante_port_bytes_total: {
    type: "counter",
    labels: ["kind", "port", "tunnel", "direction"],
    help: "Bytes of these connections and flows, in: from clients, out: to clients.",
  },
  restante_port_dropped_datagrams_total: {
    type: "counter",
    labels: ["port", "tunnel"],
    help: "Datagrams that had no room, either way.",
  },
  restante_attaches_total: { type: "counter", labels: [], help: "Agents that attached." },
  restante_attach_failures_total: {
    type: "counter",
    labels: ["code"],
    help: "Agents that were refused, by the code that they were told.",
  },
  restante_sessions_ended_total: {
    type: "counter",
    labels: ["why"],
    help: "Sessions that ended: detached politely, replaced by a restart, expired without a sign of life, broken, or stopped with this edge.",
  },
  restante_access_log_dropped_lines_total: {
    type: "counter",
    labels: [],
    help: "Lines of the access log that were given up because its destination was too slow or failed.",
  },
} as const satisfies Readonly<Record<string, MetricTraits>>

export type MetricName = keyof typeof metricTable
