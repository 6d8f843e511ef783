// An edge and an agent in this very process, attached over loopback: for tests that play thousands of exchanges.
import { Secret } from "@restante/protocol"
import type { AgentOptions } from "../../packages/proxy-in/src/agent-options.ts"
import { Agent } from "../../packages/proxy-in/src/agent.ts"
import type { EdgeOptions } from "../../packages/proxy-out/src/edge-options.ts"
import { Edge } from "../../packages/proxy-out/src/edge.ts"
import { quietLog } from "../../packages/proxy-out/test/support/log.ts"
import { until } from "./until.ts"

/** What both share. */
export const nearToken = "a-token-that-only-these-tests-use-0123456789"

export interface NearPairOptions {
  /** Of the private server, on loopback. */
  readonly upstreamPort: number
  readonly edge?: Partial<EdgeOptions>
  readonly agent?: Partial<AgentOptions>
}

export interface NearPair extends AsyncDisposable {
  /** Where clients go. */
  readonly port: number
  readonly edge: Edge
  readonly agent: Agent
}

/** Resolves when the agent serves the tunnel "default". */
export async function startNearPair(options: NearPairOptions): Promise<NearPair> {
  await using stack = new AsyncDisposableStack()
  const { edge, port } = await startNearEdge(options.edge)
  stack.use(edge)
  const agent = stack.use(nearAgent(port, options.upstreamPort, options.agent))
  await agent.start()
  await attached(agent)
  const owned = stack.move()
  return { port, edge, agent, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export async function startNearEdge(
  options: Partial<EdgeOptions> = {},
): Promise<{ edge: Edge; port: number }> {
  const edge = new Edge({
    host: "127.0.0.1",
    port: 0,
    redisUrl: undefined,
    dispatch: "queue",
    holdMs: 30_000,
    timeoutMs: 60_000,
    maxQueue: 10_000,
    token: new Secret(nearToken),
    log: quietLog,
    ...options,
  })
  return { edge, port: (await edge.start()).port }
}

/** Not started yet. */
export function nearAgent(
  edgePort: number,
  upstreamPort: number,
  options: Partial<AgentOptions> = {},
): Agent {
  return new Agent({
    server: {
      kind: "tcp",
      host: "127.0.0.1",
      port: upstreamPort,
      tls: false,
      basePath: "",
      ca: undefined,
    },
    external: new URL(`http://127.0.0.1:${edgePort}`),
    externalCa: undefined,
    tunnel: "default",
    token: new Secret(nearToken),
    transport: "websocket",
    concurrency: 256,
    hostHeader: { kind: "preserve" },
    log: quietLog,
    ...options,
  })
}

export async function attached(agent: Agent): Promise<void> {
  await until("the agent to be attached", () => agent.status().link.kind === "connected")
}
