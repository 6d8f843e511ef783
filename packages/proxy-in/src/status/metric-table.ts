// Every number that an agent shows to Prometheus: its kind and what it means. docs/agent-metrics.md is checked against it.

export const metricTable = {
  restante_agent_start_time_seconds: ["gauge", "When the tunnel's agent started, in seconds since 1970."],
  restante_agent_attached: ["gauge", "1 while the tunnel is attached to its edge, else 0."],
  restante_agent_transport: ["gauge", "1 for the transport that carries the tunnel's messages now, else 0."],
  restante_agent_round_trip_seconds: ["gauge", "Last measured time to the edge and back."],
  restante_agent_attaches_total: [
    "counter",
    "How often the tunnel has been attached; more than 1: it was lost.",
  ],
  restante_agent_link_failures_total: ["counter", "Troubles with the link to the edge, every try, by code."],
  restante_agent_requests_active: ["gauge", "Requests that are being replayed now."],
  restante_agent_requests_total: [
    "counter",
    "Requests that ended: answered by the private server (with the class of its status), failed, or cancelled by the client.",
  ],
  restante_agent_failures_total: ["counter", "Requests that failed, by the code that the edge was told."],
  restante_agent_refused_datagrams_total: [
    "counter",
    "Datagrams that, as the system says, did not reach the private server, by UDP port: nobody listens there, or it cannot be reached.",
  ],
  restante_agent_dropped_datagrams_total: [
    "counter",
    "Datagrams that the agent had no room for, or could not send, either way, by UDP port.",
  ],
  restante_agent_request_body_bytes_total: ["counter", "Bytes of request bodies from the edge."],
  restante_agent_response_body_bytes_total: ["counter", "Bytes of response bodies from the private server."],
  restante_agent_upstream_seconds: [
    "histogram",
    "From sending a request to the private server to the head of its answer.",
  ],
  restante_agent_upstream_up: [
    "gauge",
    "0 since a connection to the private server failed and none has served since, else 1.",
  ],
  restante_agent_upstream_connections: ["gauge", "Connections to the private server, idle or busy."],
  restante_agent_upstream_connections_opened_total: [
    "counter",
    "Connections to the private server ever begun.",
  ],
} as const satisfies Readonly<Record<string, readonly ["gauge" | "counter" | "histogram", string]>>

export type MetricName = keyof typeof metricTable
