// An edge and agents in this process, a relay between them, and an upstream behind the agents.
import { deafSink, headFlags, Secret } from "@restante/protocol"
import { Agent } from "../../packages/proxy-in/src/agent.ts"
import type { AgentOptions, Transport } from "../../packages/proxy-in/src/agent-options.ts"
import { Edge } from "../../packages/proxy-out/src/edge.ts"
import type { EdgeOptions } from "../../packages/proxy-out/src/edge-options.ts"
import { EdgeClient } from "../../packages/proxy-in/src/attach/edge-client.ts"
import { Link } from "../../packages/proxy-in/src/attach/link.ts"
import { quietLog } from "../../packages/proxy-out/test/support/log.ts"
import { BufferingProxy, Relay } from "./relays.ts"

const token = new Secret("a-token-that-only-these-tests-use-0123456789")

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
    await eventually("the agent to be attached", () => {
      const { carriedOn, link } = agent.status()
      return carriedOn === wanted && link.kind === "connected"
    })
    await eventually("the edge to know it", async () => (await this.sessions()) > 0)
  }

  /** A process that can die: it is attached, answers what it is given or keeps it, and ends without a word. */
  async process(instance: string, { answers }: { readonly answers: boolean }): Promise<Process> {
    const { transport } = this.options
    const client = new EdgeClient({ external: new URL(this.relay.url), ca: undefined, token })
    const welcome = await client.attach(
      { tunnel: "default", instance, concurrency: 10, software: "test" },
      new AbortController().signal,
    )
    const opened: number[] = []
    const ignore = (): void => {}
    const link: Link = new Link({
      client,
      welcome,
      transport,
      clock: { now: () => Date.now(), random: () => 1 },
      sink: {
        ...deafSink,
        onOpen: (stream, { attempt }) => {
          opened.push(attempt)
          if (answers)
            link.out.head(stream, headFlags.final, `HTTP/1.1 200 OK\r\nX-Attempt: ${attempt}\r\n\r\n`)
        },
      },
      onAlive: ignore,
      onTrouble: ignore,
      onTransport: ignore,
      onRoundTrip: ignore,
      onReleased: ignore,
      onOver: ignore,
      onWritable: ignore,
    })
    const die = async (): Promise<void> => {
      link.end()
      await client.close()
    }
    this.#stack.defer(die)
    link.start()
    return { opened, die }
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

export interface Process {
  /** The attempt of everything that it was given. */
  readonly opened: number[]
  die(): Promise<void>
}

/** Looks until it holds, by turns of the event loop, so that it works while the timers are fake. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadlineAt = performance.now() + withinMs
  // oxlint-disable-next-line no-await-in-loop -- that is what waiting is
  while (!(await holds())) {
    if (performance.now() > deadlineAt) throw new Error(`not within ${withinMs} ms: ${what}`)
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export interface Status {
  readonly queue: { readonly waiting: number }
  readonly exchanges: { readonly live: number }
  readonly tunnels: readonly { readonly tunnel: string; readonly sessions: number; readonly active: number }[]
}
