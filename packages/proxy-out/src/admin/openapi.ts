// The edge's own pages as OpenAPI 3.1: served at /.restante/v1/openapi.json and kept in docs/openapi.json.

const count = { type: "integer", minimum: 0 } as const
const text = { type: "string" } as const

function object(
  properties: Readonly<Record<string, object>>,
  description?: string,
): Readonly<Record<string, unknown>> {
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    required: Object.keys(properties),
    properties,
  }
}

const agent = object(
  {
    session: { ...text, description: "The beginning of the session's id, as logs show it." },
    software: { ...text, description: "What the agent says it is." },
    attached: { type: "boolean", description: "False while its connection is away and may come back." },
    transport: { enum: ["websocket", "streamed", "poll", "none"] },
    since: { ...text, format: "date-time" },
    active: { ...count, description: "Requests under way." },
    capacity: { ...count, description: "Requests that it takes at a time." },
    unacknowledgedBytes: { ...count, description: "On their way to it." },
  },
  "A running proxy-in.",
)

const port = object(
  {
    kind: { enum: ["tcp", "udp"] },
    port: { type: "integer", minimum: 1, maximum: 65_535 },
    running: { ...count, description: "Connections, or flows, that an agent has." },
    waiting: { ...count, description: "Those that wait for an agent." },
    accepted: { ...count, description: "Since this edge started." },
    refused: { ...count, description: "Since this edge started, because there were too many." },
  },
  "A port of the public host that is open for the tunnel.",
)

const tunnel = object({
  tunnel: text,
  sessions: { ...count, description: "Agents that are attached." },
  active: { ...count, description: "Requests that its agents have under way." },
  waiting: { ...count, description: "Requests at this edge that wait for an agent." },
  agents: { type: "array", items: { $ref: "#/components/schemas/Agent" } },
  ports: { type: "array", items: { $ref: "#/components/schemas/Port" } },
})

const status = object({
  software: text,
  edge: { ...text, description: "Made anew at every start." },
  uptimeSeconds: count,
  state: { enum: ["running", "stopping"] },
  queue: object({
    kind: { enum: ["memory", "redis"] },
    state: { enum: ["ready", "degraded"] },
    waiting: count,
    limit: count,
  }),
  exchanges: object(
    { live: count, accepted: count, answered: count, failed: count },
    "Requests since the start; live are those that are not over.",
  ),
  limits: object({ holdMs: count, timeoutMs: count, maxQueue: count }),
  tunnels: { type: "array", items: { $ref: "#/components/schemas/Tunnel" } },
})

const problem = {
  ...object({ title: text, status: { type: "integer" }, code: text }, "RFC 9457 problem details."),
}

function json(schema: string): object {
  return { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } }
}

const refusal = (description: string): object => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
})

const refusals = {
  "401": refusal("No token, or a wrong one."),
  "403": refusal("This edge has no admin token, and shows this page to its own machine only."),
  "429": refusal("Too many wrong tokens from this address."),
}

export const openApi = {
  openapi: "3.1.0",
  info: {
    title: "Restante edge",
    version: "1",
    description:
      "What a running proxy-out says of itself. Later versions may add members to answers; those that are here stay.",
    license: { name: "MIT", identifier: "MIT" },
  },
  paths: {
    "/.restante/healthz": {
      get: {
        operationId: "healthz",
        summary: "The process is alive",
        security: [],
        responses: { "200": { description: "It is.", content: json("Health") } },
      },
    },
    "/.restante/readyz": {
      get: {
        operationId: "readyz",
        summary: "Requests should be sent here",
        security: [],
        responses: {
          "200": { description: "They should.", content: json("Health") },
          "503": refusal("It is about to stop, or its queue cannot be used."),
        },
      },
    },
    "/.restante/v1/status": {
      get: {
        operationId: "status",
        summary: "Queue, requests, tunnels and agents at this moment",
        responses: { "200": { description: "The status.", content: json("Status") }, ...refusals },
      },
    },
    "/.restante/metrics": {
      get: {
        operationId: "metrics",
        summary: "Numbers for Prometheus",
        responses: {
          "200": {
            description: "Prometheus text format 0.0.4.",
            content: { "text/plain": { schema: text } },
          },
          ...refusals,
        },
      },
    },
    "/.restante/v1/openapi.json": {
      get: {
        operationId: "openapi",
        summary: "This description",
        responses: {
          "200": {
            description: "OpenAPI 3.1.",
            content: { "application/json": { schema: { type: "object" } } },
          },
          ...refusals,
        },
      },
    },
  },
  security: [{ adminToken: [] }, {}],
  components: {
    securitySchemes: {
      adminToken: {
        type: "http",
        scheme: "bearer",
        description: "The admin token. From this machine itself, not through a proxy, none is needed.",
      },
    },
    schemas: {
      Health: object({ status: { enum: ["ok"] } }),
      Status: status,
      Tunnel: tunnel,
      Agent: agent,
      Port: port,
      Problem: problem,
    },
  },
} as const
