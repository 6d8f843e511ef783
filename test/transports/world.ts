// An edge and agents in this process, a relay between them, and an upstream behind the agents.
import { Secret } from "@restante/protocol"
import { Agent } from "../../packages/proxy-in/src/agent.ts"
import type { AgentOptions, Transport } from "../../packages/proxy-in/src/agent-options.ts"
import { Edge } from "../../packages/proxy-out/src/edge.ts"
import type { EdgeOptions } from "../../packages/proxy-out/src/edge-options.ts"
import { quietLog } from "../../packages/proxy-out/test/support/log.ts"
import { until } from "../support/until.ts"
import { BufferingProxy, Relay } from "./relays.ts"

export const token = new Secret("a-token-that-only-these-tests-use-0123456789")

/** "plain": bytes pass as they are. "buffering": whole HTTP messages only. */
export type Path = "plain" | "buffering"

export interface WorldOptions {
  readonly transport: Transport
  readonly path: Path
  /** Port of the upstream that agents replay to. */
  readonly upstream: { readonly port: number }
  readonly edge?: Partial<EdgeOptions>
}

export class World implements AsyncDisposable {
  readonly options: WorldOptions
  /** Between the agents and the edge. */
  readonly relay: Relay
  readonly #stack = new AsyncDisposableStack()
  edge: Edge
  edgePort = 0

  private constructor(options: WorldOptions) {
    this.options = options
    this.edge = this.#newEdge(0)
    const proxy = new BufferingProxy(() => this.edgePort)
    this.relay = new Relay(() => (options.path === "plain" ? this.edgePort : proxy.port))
    this.#stack.defer(() => this.edge.stop())
    this.#proxy = proxy
  }

  readonly #proxy: BufferingProxy

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options)
    world.edgePort = (await world.edge.start()).port
    world.#stack.use(await world.#proxy.start())
    world.#stack.use(await world.relay.start())
    return world
  }

  /** Where clients go. */
  get url(): string {
    return `http://127.0.0.1:${this.edgePort}`
  }

  /** An agent that has begun to attach. It is stopped with the world. */
  async agent(options: Partial<AgentOptions> = {}): Promise<Agent> {
    const { upstream, transport } = this.options
    const agent = new Agent({
      server: {
        kind: "tcp",
        host: "127.0.0.1",
        port: upstream.port,
        tls: false,
        basePath: "",
        ca: undefined,
      },
      external: new URL(this.relay.url),
      externalCa: undefined,
      tunnel: "default",
      token,
      transport,
      concurrency: 256,
      hostHeader: { kind: "preserve" },
      log: quietLog,
      ...options,
    })
    this.#stack.use(agent)
    await agent.start()
    return agent
  }

  /** An agent that is attached, over the carrier that its transport ends up with on this path. */
  async attached(options: Partial<AgentOptions> = {}): Promise<Agent> {
    const agent = await this.agent(options)
    await this.isAttached(agent)
    return agent
  }

  async isAttached(agent: Agent): Promise<void> {
    const { transport, path } = this.options
    const wanted = transport === "poll" || path === "buffering" ? "poll" : "websocket"
    await until(
      "the agent to be attached",
      () => agent.status().carriedOn === wanted && agent.status().link.kind === "connected",
    )
    await until("the edge to know it", async () => (await this.sessions()) > 0)
  }

  /** How many attached agents the edge says it has. */
  async sessions(): Promise<number> {
    const { tunnels } = await this.status()
    return tunnels.reduce((sum, { sessions }) => sum + sessions, 0)
  }

  async status(): Promise<Status> {
    return (await (await fetch(`${this.url}/.restante/v1/status`)).json()) as Status
  }

  /** The edge's process dies and another one takes its place at the same port. */
  async restartEdge(): Promise<void> {
    await this.edge.stop()
    this.edge = this.#newEdge(this.edgePort)
    await this.edge.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #newEdge(port: number): Edge {
    return new Edge({
      host: "127.0.0.1",
      port,
      redisUrl: undefined,
      dispatch: "queue",
      holdMs: 10_000,
      timeoutMs: 20_000,
      maxQueue: 1000,
      token,
      log: quietLog,
      ...this.options.edge,
    })
  }
}

export interface Status {
  readonly queue: { readonly waiting: number }
  readonly exchanges: { readonly live: number }
  readonly tunnels: readonly { readonly tunnel: string; readonly sessions: number; readonly active: number }[]
}
