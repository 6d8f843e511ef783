// An edge and an agent as own processes on loopback, attached to each other when the test begins.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vi } from "vitest"
import { fetchWhole } from "./client.ts"
import { Program } from "./program.ts"
import { until } from "./until.ts"

// On a busy machine programs take their time to start.
vi.setConfig({ testTimeout: 60_000 })

export const transports = ["poll", "websocket"] as const
export type Transport = (typeof transports)[number]

/** What edge and agent of one test share. */
export const token = "a-token-that-only-these-tests-use-0123456789"

export interface Edge extends AsyncDisposable {
  readonly program: Program
  readonly port: number
  readonly url: string
  readonly adminToken?: string | undefined
}

export interface EdgeOptions {
  readonly args?: readonly string[]
  /** 0: a free one. */
  readonly port?: number
  /** Another address of the loopback interface, so that several edges may have the same port. */
  readonly host?: string
  readonly token?: string
  /** One that outlives this edge. Without it one of its own. */
  readonly dataDir?: string
  /** Variables of its environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Opens its pages where being on this machine does not: at an edge that trusts proxies here. */
  readonly adminToken?: string
}

export async function startEdge(options: EdgeOptions = {}): Promise<Edge> {
  const ownDir = await mkdtemp(join(tmpdir(), "restante-e2e-"))
  const dataDir = options.dataDir ?? ownDir
  const { host = "127.0.0.1" } = options
  const program = new Program({
    name: "proxy-out",
    args: [
      ...["--host", host, "--port", String(options.port ?? 0)],
      ...["--data-dir", dataDir, ...(options.args ?? [])],
    ],
    token: options.token ?? token,
    environment: {
      ...options.environment,
      ...(options.adminToken === undefined ? {} : { PROXY_OUT_ADMIN_TOKEN: options.adminToken }),
    },
  })
  const dispose = async (): Promise<void> => {
    await program[Symbol.asyncDispose]()
    await rm(ownDir, { recursive: true, force: true })
  }
  try {
    const origin = await program.line(/^Listening on (https?:\/\/127\.0\.0\.\d+:\d+)$/)
    const { protocol, port } = new URL(origin)
    return {
      program,
      port: Number(port),
      url: `${protocol}//${host}:${port}`,
      adminToken: options.adminToken,
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

export interface Agent extends AsyncDisposable {
  readonly program: Program
  /** What the agent says of itself on its status port. */
  status(): Promise<AgentStatus>
  /** Resolves once it is attached, over the transport that it was asked for. */
  attached(withinMs?: number): Promise<void>
}

export interface AgentStatus {
  readonly link: { readonly kind: string; readonly attempt?: number }
  readonly carriedOn?: string
  readonly requests: { readonly active: number; readonly served: number; readonly failed: number }
  readonly counters: { readonly refusedDatagrams: Readonly<Record<string, number>> }
}

export interface AgentOptions {
  /** The upstream's URL; without it only ports are served. */
  readonly server?: string
  /** The edge's URL, or that of a relay on the way to it. */
  readonly external: string
  readonly transport?: Transport | "auto"
  readonly tunnel?: string
  readonly token?: string
  readonly args?: readonly string[]
  /** Variables of its environment. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Resolves once the agent runs; whether it is attached by then `attached` tells. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { server, external, transport = "websocket", tunnel = "default", args = [] } = options
  const program = new Program({
    name: "proxy-in",
    args: [
      ...(server === undefined ? [] : ["--server", server]),
      ...["--external", external, "--port", "0"],
      ...["--transport", transport, "--tunnel", tunnel, ...args],
    ],
    token: options.token ?? token,
    environment: options.environment ?? {},
  })
  try {
    const statusUrl = `${await program.line(/^Status on (http:\/\/127\.0\.0\.1:\d+)\/$/)}/status.json`
    const status = async (): Promise<AgentStatus> =>
      JSON.parse((await fetchWhole(statusUrl)).text) as AgentStatus
    const attached = async (withinMs = 60_000): Promise<void> => {
      await until(
        `the agent to be attached over ${transport}`,
        async () => {
          const { link, carriedOn } = await status()
          return link.kind === "connected" && (transport === "auto" || carriedOn === transport)
        },
        withinMs,
      )
    }
    return { program, status, attached, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() }
  } catch (error) {
    await program[Symbol.asyncDispose]()
    throw error
  }
}

export interface PairOptions {
  /** The upstream's URL. */
  readonly server: string
  readonly transport?: Transport | "auto"
  readonly edgeArgs?: readonly string[]
  readonly agentArgs?: readonly string[]
}

export interface Pair extends AsyncDisposable {
  readonly edge: Edge
  readonly agent: Agent
  /** Where clients go. */
  readonly url: string
  readonly port: number
}

/** Both, attached. */
export async function startPair(options: PairOptions): Promise<Pair> {
  const { server, transport = "websocket", edgeArgs = [], agentArgs = [] } = options
  await using stack = new AsyncDisposableStack()
  const edge = stack.use(await startEdge({ args: edgeArgs }))
  const agent = stack.use(await startAgent({ server, external: edge.url, transport, args: agentArgs }))
  await agent.attached()
  const owned = stack.move()
  return {
    edge,
    agent,
    url: edge.url,
    port: edge.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What the edge says of itself to this machine. */
export interface EdgeStatus {
  readonly queue: { readonly state: string; readonly waiting: number }
  readonly exchanges: { readonly live: number; readonly accepted: number }
  readonly tunnels: readonly { readonly tunnel: string; readonly sessions: number; readonly active: number }[]
}

export async function edgeStatus({
  url,
  adminToken,
}: {
  readonly url: string
  readonly adminToken?: string | undefined
}): Promise<EdgeStatus> {
  const headers: Record<string, string> =
    adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` }
  return JSON.parse((await fetchWhole(`${url}/.restante/v1/status`, { headers })).text) as EdgeStatus
}
