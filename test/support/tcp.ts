// Plain TCP for the tests: a server that says what the test says, a client that remembers what became of it, and a pair with a port.
import { once } from "node:events"
import net, { type AddressInfo } from "node:net"
import type { Agent, Edge, Transport } from "./pair.ts"
import { startAgent, startEdge } from "./pair.ts"
import { until } from "./until.ts"

export interface TcpServer extends AsyncDisposable {
  readonly port: number
  /** Every connection that came, in order. */
  readonly ends: TcpEnd[]
}

/** One end of a connection: all that it heard, and how it ended. */
export class TcpEnd implements Disposable {
  readonly socket: net.Socket
  readonly #heard: Buffer[] = []
  /** The other side has ended its direction. */
  ended = false
  /** The system's error code, of a RST for example. */
  error: string | undefined
  closed = false

  constructor(socket: net.Socket) {
    this.socket = socket
    socket
      .on("data", (bytes) => this.#heard.push(bytes))
      .on("end", () => (this.ended = true))
      .on("error", (error: NodeJS.ErrnoException) => (this.error = error.code))
      .on("close", () => (this.closed = true))
  }

  static async to(port: number, host = "127.0.0.1"): Promise<TcpEnd> {
    const socket = net.connect({ port, host, allowHalfOpen: true, noDelay: true })
    await once(socket, "connect")
    return new TcpEnd(socket)
  }

  get heard(): Buffer {
    return Buffer.concat(this.#heard)
  }

  get text(): string {
    return this.heard.toString("latin1")
  }

  /** Resolves once it has heard just this much, or more. */
  async hears(text: string): Promise<void> {
    await until(
      () => `to hear ${JSON.stringify(text)}, not ${JSON.stringify(this.text)}`,
      () => this.text.includes(text),
    )
  }

  async isReset(withinMs?: number): Promise<void> {
    await until(
      () => `a RST, not ${this.error ?? (this.closed ? "a clean end" : "nothing")}`,
      () => this.error === "ECONNRESET",
      withinMs,
    )
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

/** `serve` is called for every connection; both directions of it end for themselves. */
export async function tcpServer(serve: (end: TcpEnd) => unknown, path?: string): Promise<TcpServer> {
  const ends: TcpEnd[] = []
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const end = new TcpEnd(socket)
    ends.push(end)
    serve(end)
  })
  if (path === undefined) server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 })
  else server.listen(path)
  await once(server, "listening")
  return {
    ends,
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      for (const end of ends) end.socket.destroy()
      await closed
    },
  }
}

/** Says back what it hears, and ends when the other side does. */
export function echoBytes({ socket }: TcpEnd): void {
  socket.pipe(socket)
}

/** Some ports that other tests rarely have, as --tcp-ports takes them. Below those that the system gives out itself. */
export function somePorts(count = 16): string {
  const first = 10_000 + Math.floor(Math.random() * 20_000)
  return `${first}-${first + count - 1}`
}

export interface TcpPair extends AsyncDisposable {
  readonly edge: Edge
  readonly agent: Agent
  /** The edge's port. */
  readonly port: number
}

export interface TcpPairOptions {
  /** HOST:PORT or unix:/path. */
  readonly target: string
  readonly transport?: Transport
  readonly edgeArgs?: readonly string[]
  readonly agentArgs?: readonly string[]
}

/** An edge with one port, chosen by it, that leads to the target. */
export async function startTcpPair(options: TcpPairOptions): Promise<TcpPair> {
  const { target, transport = "websocket", edgeArgs = [], agentArgs = [] } = options
  await using stack = new AsyncDisposableStack()
  const edge = stack.use(await startEdge({ args: ["--tcp-ports", somePorts(), ...edgeArgs] }))
  const agent = stack.use(
    await startAgent({
      external: edge.url,
      transport,
      args: ["--tcp", `auto=${target}`, ...agentArgs],
    }),
  )
  await agent.attached()
  const port = await portOf(agent)
  const owned = stack.move()
  return { edge, agent, port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** What the agent says of the port that the edge opened for it. */
export async function portOf({ program }: Agent, kind = "tcp"): Promise<number> {
  return Number(await program.line(new RegExp(String.raw`^${kind}://127\.0\.0\.\d+:(\d+) -> `)))
}
