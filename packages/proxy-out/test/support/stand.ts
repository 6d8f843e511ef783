// A stand for exchanges: real exchanges behind a real memory queue, clients on fake sockets, and agents that write down
// what they are told and say what the test has them say.
import { headFlags } from "@restante/protocol"
import type { ResetCode } from "@restante/protocol"
import type { AgentStream, StreamLoss, StreamSink } from "../../src/exchange/agent-stream.ts"
import { Exchanges } from "../../src/exchange/exchanges.ts"
import type { ExchangesOptions } from "../../src/exchange/exchanges.ts"
import { ClientConnection } from "../../src/ingress/client-connection.ts"
import type { ConnectionPort } from "../../src/ingress/client-connection.ts"
import type { LeaseOutcome, Subscription, Ticket } from "../../src/queue/broker.ts"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import { onlyAnswerIn } from "./answers.ts"
import type { Answer } from "./answers.ts"
import { FakeSocket } from "./fake-socket.ts"
import { quietLog } from "./log.ts"

export const dateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

export class Stand {
  readonly broker = new MemoryBroker()
  readonly exchanges: Exchanges
  /** Every lease, in order. */
  readonly leases: Lease[] = []
  readonly #subscription: Subscription
  #room = 0

  constructor(options: Partial<ExchangesOptions> = {}) {
    this.exchanges = new Exchanges({
      broker: this.broker,
      clock: { now: () => Date.now() },
      edgeId: "edge-a",
      log: quietLog,
      holdMs: 30_000,
      timeoutMs: 60_000,
      maxQueue: 100,
      tunnelOf: () => ({ tunnel: "default", strip: "" }),
      dateLine: () => dateLine,
      ...options,
    })
    this.#subscription = this.broker.subscribe("default", {
      room: () => this.#room,
      lease: (ticket) => this.#lease(ticket),
    })
  }

  /** A client that has connected. */
  client(): FakeSocket {
    const socket = new FakeSocket()
    const port: ConnectionPort = {
      onRequest: (head, connection) => this.exchanges.accept(head, connection.client.next(head)),
      badRequest: () => badRequest,
      onClosed: () => {},
    }
    // oxlint-disable-next-line no-new -- it listens to the socket
    new ClientConnection(socket.asSocket, port)
    return socket
  }

  /** A client that has sent this. */
  asks(text: string | Buffer): FakeSocket {
    const socket = this.client()
    socket.send(text)
    return socket
  }

  /** Agents take this many exchanges more. */
  agentsTake(count: number): void {
    this.#room += count
    this.#subscription.ready()
  }

  /** What a client asks, and the agent's end of it. */
  leased(text: string | Buffer): { readonly socket: FakeSocket; readonly lease: Lease } {
    this.agentsTake(1)
    const socket = this.asks(text)
    return { socket, lease: this.lastLease }
  }

  get lastLease(): Lease {
    const lease = this.leases.at(-1)
    if (lease === undefined) throw new Error("nothing was leased")
    return lease
  }

  #lease(ticket: Ticket): LeaseOutcome {
    const leasable = this.exchanges.get(ticket.id)
    if (leasable?.waiting !== true) return "gone"
    this.#room--
    const lease = new Lease(leasable.ticket)
    this.leases.push(lease)
    lease.sink = leasable.leased(lease)
    return "taken"
  }
}

/** The agent's end of one exchange. */
export class Lease implements AgentStream {
  readonly ticket: Ticket
  /** What the edge said, in order; body bytes as text. */
  readonly told: string[] = []
  sink: StreamSink | undefined
  congested = false
  lastResort: boolean | undefined = undefined
  creditBytes = 0
  readonly #body: Buffer[] = []

  constructor(ticket: Ticket) {
    this.ticket = ticket
  }

  /** Request body bytes that were streamed so far. */
  get body(): Buffer {
    return Buffer.concat(this.#body)
  }

  /** The codes of the resets that came. */
  get resets(): string[] {
    return this.told.filter((said) => said.startsWith("reset "))
  }

  // The agent speaks.

  taken(): this {
    this.sink?.onTaken()
    return this
  }

  /** The whole answer at once. `head` without its final empty line. */
  answers(head = "HTTP/1.1 200 OK\r\nContent-Length: 2", body = "ok"): this {
    this.sink?.onHead(
      headFlags.final,
      `${head}\r\n\r\n`,
      body === "" ? undefined : Buffer.from(body, "latin1"),
    )
    return this
  }

  /** A head whose body follows. */
  begins(head = "HTTP/1.1 200 OK"): this {
    this.sink?.onHead(headFlags.body, `${head}\r\n\r\n`, undefined)
    return this
  }

  informs(head: string): this {
    this.sink?.onHead(headFlags.informational, `${head}\r\n\r\n`, undefined)
    return this
  }

  sends(body: string | Buffer): this {
    this.sink?.onData(Buffer.from(body as string, "latin1"))
    return this
  }

  ends(trailers = ""): this {
    this.sink?.onEnd(trailers)
    return this
  }

  breaksOff(code: ResetCode): this {
    this.sink?.onReset(code)
    return this
  }

  isLost(begun: StreamLoss["begun"]): this {
    this.sink?.onLost({ begun })
    return this
  }

  // The edge speaks.

  data(bytes: Buffer): void {
    this.#body.push(bytes)
    this.told.push(`data ${bytes.length}`)
  }

  end(trailers: string): void {
    this.told.push(`end ${JSON.stringify(trailers)}`)
  }

  reset(code: ResetCode): void {
    this.told.push(`reset ${code}`)
  }

  window(creditBytes: number): void {
    this.creditBytes += creditBytes
  }
}

/** The one refusal that the client got, read as what it is. */
export function refusalOf(socket: FakeSocket): {
  readonly answer: Answer
  readonly status: number
  readonly code: string | undefined
  readonly proxyStatus: string | undefined
  readonly forwarded: unknown
} {
  const answer = onlyAnswerIn(socket.text)
  const { forwarded } = JSON.parse(answer.body) as { forwarded: unknown }
  return {
    answer,
    status: answer.status,
    code: answer.get("restante-error"),
    proxyStatus: answer.get("proxy-status"),
    forwarded,
  }
}

const badRequest = Buffer.from("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
