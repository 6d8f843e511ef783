// The pairs that conformance cases run through: the real programs, one edge per setup and one agent per tunnel, each started
// when the first case wants it and used by all that follow.
import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { createServer } from "node:tls"
import { certificate, certificateKey } from "../../packages/proxy-in/test/upstream/certificate.ts"
import { type Agent, type Edge, edgeStatus, startAgent, startEdge, type Transport } from "../support/pair.ts"
import { type Queue, startQueue } from "../support/queue.ts"
import { closedPort, httpUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"
import type { Setup, Tunnel } from "./case.ts"
import { ScriptedUpstream } from "./upstream.ts"

const edgeArguments: Readonly<Record<Setup, readonly string[]>> = {
  // A test waits for its end; and on a busy machine an agent is not always back from its last poll at once.
  plain: ["--hold", "1500ms"],
  // Limits that a test can wait for.
  tuned: [
    ...[
      "--timeout",
      "700ms",
      "--max-queue",
      "1",
      "--trusted-proxies",
      "127.0.0.0/8",
      "--trusted-proxies",
      "::1",
    ],
    ...["--head-timeout", "1s", "--body-timeout", "1s", "--idle-timeout", "1s", "--max-body-size", "100kB"],
  ],
}

const adminToken = "an-admin-token-that-only-these-tests-use-0123"

const other = (setup: Setup): Setup => (setup === "plain" ? "tuned" : "plain")

const refuse = (_request: unknown, response: ServerResponse): void => {
  response.end()
}

export class World implements AsyncDisposable {
  readonly #queue: Queue
  readonly upstream = new ScriptedUpstream()
  readonly #transport: Transport
  readonly #stack = new AsyncDisposableStack()
  readonly #edges = new Map<Setup, Promise<Edge>>()
  readonly #agents = new Map<string, Agent>()
  readonly #pseudonyms = new Map<Setup, string>()
  #queueArguments: readonly string[] = []
  #upstreamPort = 0

  constructor(queue: Queue, transport: Transport) {
    this.#queue = queue
    this.#transport = transport
  }

  async start(): Promise<void> {
    const queue = this.#stack.use(await startQueue(this.#queue))
    this.#queueArguments = queue.args
    this.#stack.use(this.upstream)
    this.#upstreamPort = await this.upstream.start()
  }

  /**
   * Where this setup's edge keeps its queue; undefined: in memory. Edges that share a queue would take each other's requests,
   * so each has a database of its own.
   */
  redisUrl(setup: Setup): string | undefined {
    const [, url] = this.#queueArguments
    return url === undefined ? undefined : `${url}/${setup === "plain" ? 0 : 1}`
  }

  edge(setup: Setup): Promise<Edge> {
    const started = this.#edges.get(setup)
    if (started !== undefined) return started
    const url = this.redisUrl(setup)
    const queue = url === undefined ? [] : ["--redis", url]
    const edge = startEdge({ args: [...edgeArguments[setup], ...queue], adminToken })
    this.#edges.set(setup, edge)
    return edge.then((running) => this.#stack.use(running))
  }

  /** Opens clients' connections. */
  async connector(setup: Setup): Promise<() => Socket> {
    const { port } = await this.edge(setup)
    return () => connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  }

  /** Resolves when the agent of this tunnel is attached; "absent" is a tunnel that nobody serves. */
  async attach(setup: Setup, tunnel: Tunnel): Promise<void> {
    const key = `${setup} ${tunnel}`
    if (this.#agents.has(key)) return
    const edge = await this.edge(setup)
    const { server, args } = await this.#upstreamOf(setup, tunnel)
    const agent = await startAgent({ server, external: edge.url, transport: this.#transport, tunnel, args })
    this.#agents.set(key, this.#stack.use(agent))
    await agent.attached()
    await until("the edge to know the tunnel", () => this.#serves(setup, tunnel))
  }

  /** As a crash does; resolves when the edge has seen it go. The next `attach` starts another one at the same place. */
  async kill(setup: Setup, tunnel: Tunnel): Promise<void> {
    await this.#agents.get(`${setup} ${tunnel}`)?.program.kill()
    this.#agents.delete(`${setup} ${tunnel}`)
    await until("the edge to see the agent go", async () => !(await this.#serves(setup, tunnel)))
  }

  async waitingExchanges(setup: Setup): Promise<number> {
    return (await edgeStatus(await this.edge(setup))).queue.waiting
  }

  /** After a case that failed: nothing of it is left for the next one to meet. */
  async recover(setup: Setup): Promise<void> {
    const edge = await this.edge(setup)
    await until("the edge to be done with the case before", async () => {
      this.upstream.reset()
      return (await edgeStatus(edge)).exchanges.live === 0
    })
  }

  /** The edge's name in Via, learned from its answers. */
  pseudonym(setup: Setup, found?: string): string {
    if (found !== undefined) this.#pseudonyms.set(setup, found)
    return this.#pseudonyms.get(setup) ?? ""
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }

  async #serves(setup: Setup, tunnel: Tunnel): Promise<boolean> {
    const { tunnels } = await edgeStatus(await this.edge(setup))
    return tunnels.some((known) => known.tunnel === tunnel && known.sessions > 0)
  }

  /** Port of a server whose certificate nobody trusts. */
  async #distrusted(): Promise<number> {
    const server = createServer({ cert: certificate, key: certificateKey }).listen(0, "127.0.0.1")
    await once(server, "listening")
    this.#stack.defer(() => void server.close())
    return (server.address() as AddressInfo).port
  }

  async #upstreamOf(setup: Setup, tunnel: Tunnel): Promise<{ server: string; args: readonly string[] }> {
    const here = `127.0.0.1:${this.#upstreamPort}`
    switch (tunnel) {
      case "upstream-host":
        return { server: `http://localhost:${this.#upstreamPort}`, args: ["--host-header", "upstream"] }
      case "fixed-host":
        return { server: `http://${here}`, args: ["--host-header", "fixed.example:8080"] }
      case "based":
        return { server: `http://${here}/base/path`, args: [] }
      case "refusing":
        return { server: `http://127.0.0.1:${await closedPort()}`, args: [] }
      case "nameless":
        return { server: "http://no-such-host.invalid:1234", args: [] }
      case "no-tls":
        return { server: `https://127.0.0.1:${this.#stack.use(await httpUpstream(refuse)).port}`, args: [] }
      case "distrusted":
        return { server: `https://localhost:${await this.#distrusted()}`, args: [] }
      case "loop":
        return { server: (await this.edge(setup)).url, args: [] }
      case "round":
        return { server: (await this.edge(other(setup))).url, args: [] }
      case "default":
      case "mortal":
        return { server: `http://${here}`, args: [] }
    }
  }
}
