// Clients for the tests: Node's own HTTP client for whole answers, and a bare socket for everything that one hides.
import { once } from "node:events"
import { Agent, type IncomingMessage, request } from "node:http"
import net from "node:net"
import { bodyOf } from "./upstream.ts"
import { until } from "./until.ts"

export interface Answer {
  readonly status: number
  readonly reason: string
  readonly headers: IncomingMessage["headers"]
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly text: string
  readonly trailers: IncomingMessage["trailers"]
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Keep-alive connections; without it every request has its own. */
  readonly agent?: Agent
}

/** The whole answer. Rejects when it breaks off. */
export async function fetchWhole(url: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await begin(url, options)
  const body = await bodyOf(response)
  if (!response.complete) throw new Error("the answer broke off")
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? "",
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body,
    text: body.toString("utf8"),
    trailers: response.trailers,
  }
}

/** The answer once its head is here. */
export async function begin(url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body, agent } = options
  const outgoing = request(url, { method, headers, agent: agent ?? false })
  outgoing.end(body)
  const [response] = (await once(outgoing, "response")) as [IncomingMessage]
  // Whoever reads the body sees an error there; one that comes after it is nobody's.
  outgoing.on("error", () => undefined)
  return response
}

export function keptAlive(maxSockets: number): Agent & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets })
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() })
}

/** A connection on which the test says every byte itself. */
export class RawClient implements Disposable {
  readonly socket: net.Socket
  readonly #pieces: Buffer[] = []
  /** How it ended: "open" until it has. */
  ending: "open" | "clean" | "reset" = "open"

  constructor(port: number) {
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true })
    this.socket.on("data", (bytes) => this.#pieces.push(bytes))
    this.socket.on("end", () => (this.ending = "clean"))
    this.socket.on("error", () => (this.ending = "reset"))
  }

  /** All that has come so far, latin-1. */
  get received(): string {
    return Buffer.concat(this.#pieces).toString("latin1")
  }

  send(text: string | Buffer): this {
    this.socket.write(text, "latin1")
    return this
  }

  /** Resolves with all that has come once it matches. */
  async receives(pattern: RegExp, withinMs?: number): Promise<string> {
    await until(
      () => `to receive ${String(pattern)}; have ${JSON.stringify(this.received.slice(-300))}`,
      () => pattern.test(this.received),
      withinMs,
    )
    return this.received
  }

  /** Resolves with how the connection ended. */
  async ended(withinMs?: number): Promise<"clean" | "reset"> {
    await until("the connection to end", () => this.ending !== "open", withinMs)
    return this.ending === "reset" ? "reset" : "clean"
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
