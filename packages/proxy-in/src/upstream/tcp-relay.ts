// One stream of kind tcp: dials what the port leads to by this agent's configuration, then passes bytes both ways.
import { parsePortHead } from "@restante/protocol"
import type { OpenFrame, PortHead } from "@restante/protocol"
import type { SettledRequest } from "../observe/settled-request.ts"
import type { ConnectionUser } from "./connection.ts"
import type { UpstreamFailure } from "./failures.ts"
import type { UpstreamPool } from "./pool.ts"
import { proxyHeader } from "./proxy-protocol.ts"
import { RawRelay } from "./raw-relay.ts"
import type { ReplayOutcome } from "./replay.ts"
import type { ReplyStream } from "./reply-stream.ts"
import type { RunningStream } from "./running-stream.ts"

/** Where a port leads. */
export interface TcpTarget {
  readonly pool: UpstreamPool
  /** As a person writes it. */
  readonly upstream: string
  /** Whether the private server is told the client's address before its first byte. */
  readonly proxyProtocol: boolean
}

export interface TcpRelayOptions {
  /** Undefined for a port that this agent does not serve. */
  readonly targetOf: (head: PortHead) => TcpTarget | undefined
  /** Milliseconds that only go forward. */
  now(): number
  /** Called exactly once; possibly within `start`. */
  onSettled(outcome: ReplayOutcome): void
}

export class TcpRelay implements RunningStream, ConnectionUser, SettledRequest {
  readonly method = "TCP"
  readonly status = 0
  readonly exchange: string
  readonly startedAt: number
  endedAt = 0
  requestBytes = 0
  upstreamMs: number | undefined
  readonly #head: PortHead | undefined
  readonly #target: TcpTarget | undefined
  readonly #reply: ReplyStream
  readonly #options: TcpRelayOptions
  #raw: RawRelay | undefined
  #settled = false

  constructor(open: OpenFrame, reply: ReplyStream, options: TcpRelayOptions) {
    this.#reply = reply
    this.#options = options
    this.exchange = open.exchangeId
    this.startedAt = options.now()
    this.#head = parsePortHead(open.head)
    this.#target = this.#head && options.targetOf(this.#head)
  }

  /** The edge's port. */
  get target(): string {
    return this.#head?.name ?? ""
  }

  get upstream(): string {
    return this.#target?.upstream ?? ""
  }

  get responseBytes(): number {
    return this.#raw?.fromUpstreamBytes ?? 0
  }

  start(): void {
    const target = this.#target
    if (target === undefined || this.#head === undefined)
      return this.#fail({ code: "request_rejected", detail: "no such port" })
    const { pool, proxyProtocol } = target
    // Before the first SYN: what the edge has heard of it never goes to another agent.
    this.#reply.taken()
    const connection = pool.acquire(this, true, true)
    if (connection === undefined) return this.#fail({ code: "agent_lost", detail: "pool closed" })
    this.#raw = new RawRelay({
      connection,
      reply: this.#reply,
      pool,
      websocket: false,
      onOver: (failure) => {
        if (failure === undefined) this.#settle({ kind: "answered", status: 0 })
        else this.#fail(failure)
      },
    })
    // What is written before the connection stands waits in the socket.
    if (proxyProtocol) connection.write(proxyHeader(this.#head))
  }

  // The edge's side.

  onData(bytes: Buffer): void {
    if (this.#settled) return
    this.requestBytes += bytes.length
    this.#raw?.onData(bytes)
  }

  onEnd(): void {
    this.#raw?.onEnd()
  }

  /** The private server gets a RST. */
  onReset(): void {
    this.#raw?.abort()
    this.#settle({ kind: "cancelled" })
  }

  onWindow(creditBytes: number): void {
    this.#raw?.onWindow(creditBytes)
  }

  resume(): void {
    this.#raw?.resume()
  }

  leave(): void {
    // Of what the bytes mean we know no last word: it may go on until the agent's patience ends.
  }

  // The private server's side, until the connection stands; then it is the raw relay's.

  onReady(): void {
    if (this.#settled) return
    this.upstreamMs = this.#options.now() - this.startedAt
    this.#raw?.start()
  }

  onBroken(failure: UpstreamFailure): void {
    this.#raw?.abort()
    this.#fail(failure)
  }

  onInformational(): void {}

  onHead(): void {}

  onBody(): void {}

  onBodyEnd(): void {}

  onReadEnd(): void {}

  onOverdue(): void {}

  #fail(failure: UpstreamFailure): void {
    if (this.#settled) return
    this.#reply.reset(failure.code, failure.detail)
    this.#settle({ kind: "failed", ...failure })
  }

  #settle(outcome: ReplayOutcome): void {
    if (this.#settled) return
    this.#settled = true
    this.endedAt = this.#options.now()
    this.#options.onSettled(outcome)
  }
}
