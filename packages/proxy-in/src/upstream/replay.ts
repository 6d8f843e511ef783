// One exchange at the agent: the edge's OPEN becomes a request to the upstream, the upstream's answer goes back on the
// stream. Ends exactly once, with the upstream's answer, with a reset that says what went wrong, or because the client left.
import { Http1Error, isWebSocket, openKind, switchesTo } from "@restante/protocol"
import type { OpenFrame, ResetCode, ResponseHead } from "@restante/protocol"
import type { HostHeader } from "../agent-options.ts"
import type { ReplayTrace, ReplayTracing } from "../observe/replay-tracing.ts"
import type { SettledRequest } from "../observe/settled-request.ts"
import type { ConnectionUser } from "./connection.ts"
import type { UpstreamFailure } from "./failures.ts"
import { RawRelay } from "./raw-relay.ts"
import type { ReplyStream } from "./reply-stream.ts"
import { RequestBody } from "./request-body.ts"
import { upstreamRequest } from "./request-head.ts"
import type { UpstreamRequest } from "./request-head.ts"
import type { RunningStream } from "./running-stream.ts"
import { ResponseRelay } from "./response-relay.ts"
import type { UpstreamLink, Upstreams } from "./upstreams.ts"

export interface ReplayOptions {
  readonly pool: Upstreams
  readonly hostHeader: HostHeader
  /** From the end of the request to the response head, and for every pause of the upstream in taking the request, in milliseconds; 0: no limit. */
  readonly headTimeoutMs: number
  /** Longest silence in the middle of a response body that the edge is ready to take, in milliseconds; 0: no limit. */
  readonly readTimeoutMs: number
  /** Milliseconds that only go forward. */
  now(): number
  readonly tracing?: ReplayTracing | undefined
  /** The upstream has switched protocols: from now on it may take days. */
  onSwitched?(): void
  /** Called exactly once, when both sides have ended or one has reset the stream; possibly within `start`. */
  onSettled(outcome: ReplayOutcome): void
}

export type ReplayOutcome =
  /** The upstream's answer is with the session, whatever its status. */
  | { readonly kind: "answered"; readonly status: number }
  /** Reset by us. `detail` is for logs. */
  | { readonly kind: "failed"; readonly code: ResetCode; readonly detail: string }
  /** Reset by the edge before the answer was whole. */
  | { readonly kind: "cancelled" }

export class Replay implements RunningStream, ConnectionUser, SettledRequest {
  readonly exchange: string
  /** When the agent got it, when the upstream did, when its answer began and when all was over; 0: not yet. */
  readonly startedAt: number
  #sentAt = 0
  #headAt = 0
  endedAt = 0
  requestBytes: number
  /** Until the request is made of it: it may lie in a large message. */
  #open: OpenFrame | undefined
  readonly #reply: ReplyStream
  readonly #options: ReplayOptions
  readonly #response: ResponseRelay
  #request: UpstreamRequest | undefined
  /** Only for a body that follows the OPEN. */
  #body: RequestBody | undefined
  #connection: UpstreamLink | undefined
  /** Once the upstream has switched protocols; the connection is its then. */
  #raw: RawRelay | undefined
  #retried = false
  #trace: ReplayTrace | undefined
  #settled = false

  constructor(open: OpenFrame, reply: ReplyStream, options: ReplayOptions) {
    this.#open = open
    this.#reply = reply
    this.#options = options
    this.exchange = open.exchangeId
    this.startedAt = options.now()
    this.requestBytes = open.body?.length ?? 0
    this.#response = new ResponseRelay(reply, options.pool.buffers, options.pool.http2)
  }

  /** For logs; "" until `start` found the head valid. */
  get method(): string {
    return this.#request?.method ?? ""
  }

  /** For logs, as the client sent it; "" until `start` found the head valid. */
  get target(): string {
    return this.#request?.target ?? ""
  }

  /** Of the upstream's response; 0 before. */
  get status(): number {
    return this.#response.status
  }

  get upstreamMs(): number | undefined {
    return this.#headAt === 0 ? undefined : this.#headAt - this.#sentAt
  }

  get responseBytes(): number {
    return this.#raw?.fromUpstreamBytes ?? this.#response.bodyBytes
  }

  start(): void {
    const { pool, hostHeader } = this.#options
    const open = this.#open
    if (open === undefined) throw new Error("start: twice")
    this.#open = undefined
    if (open.kind !== openKind.http && open.kind !== openKind.upgrade)
      return this.#fail({ code: "kind_unsupported", detail: "OPEN" })
    const { upstream, persistent } = pool
    const trace = (this.#trace = this.#options.tracing?.begin(open.traceparent))
    try {
      this.#request = upstreamRequest(open, { upstream, hostHeader, persistent, trace })
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error
      return this.#fail({ code: "request_rejected", detail: error.code })
    }
    const { bodyFollows } = this.#request
    if (bodyFollows !== undefined) this.#body = new RequestBody(bodyFollows, this.#reply, pool.windows)
    this.#connect(this.#request)
  }

  // The edge's side.

  /** Request body, or what the client says after a 101. Throws WireError when the edge overdraws its credit; the session is over then. */
  onData(bytes: Buffer): void {
    if (this.#settled) return
    if (this.#raw !== undefined) {
      this.requestBytes += bytes.length
      return this.#raw.onData(bytes)
    }
    const body = this.#body
    if (body === undefined) return
    this.requestBytes += bytes.length
    if (!body.data(bytes))
      return this.#fail({ code: "internal", detail: "more request body than Content-Length" })
    this.#expectProgress(body)
  }

  /** The request body is whole. `trailers`: raw field lines. */
  onEnd(trailers: string): void {
    if (this.#raw !== undefined) return this.#raw.onEnd()
    const body = this.#body
    if (this.#settled || body === undefined) return
    try {
      if (!body.end(trailers))
        return this.#fail({ code: "internal", detail: "less request body than Content-Length" })
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error
      return this.#fail({ code: "request_rejected", detail: error.code })
    }
    this.#expectProgress(body)
    if (this.#response.received) this.#leaveConnection(true)
    this.#settleWhenOver()
  }

  /** The client left, or has its answer and sends no more: the upstream's connection ends at once. */
  onReset(): void {
    this.#raw?.abort()
    this.#leave()
    const { complete, status } = this.#response
    this.#settle(complete ? { kind: "answered", status } : { kind: "cancelled" })
  }

  /** The edge takes more response bytes. Throws WireError when that is more than a window may be; the session is over then. */
  onWindow(creditBytes: number): void {
    if (this.#raw !== undefined) return this.#raw.onWindow(creditBytes)
    if (this.#settled) return
    this.#response.grant(creditBytes)
    this.resume()
  }

  /** The session has room again. */
  resume(): void {
    if (this.#raw !== undefined) return this.#raw.resume()
    if (this.#settled) return
    this.#response.pump()
    if (!this.#response.full && this.#response.begun && this.#connection !== undefined) {
      this.#connection.resume()
      if (!this.#response.received) this.#connection.expectWithin(this.#options.readTimeoutMs)
    }
    this.#settleWhenOver()
  }

  /** The agent stops: what would never end by itself is told to. */
  leave(): void {
    this.#raw?.leave()
  }

  /** The agent gives the exchange up: the edge is told `code`. */
  abort(code: ResetCode, detail = ""): void {
    this.#fail({ code, detail })
  }

  // The upstream's side.

  onReady(): void {
    if (this.#request !== undefined && this.#connection !== undefined)
      this.#send(this.#request, this.#connection)
  }

  onInformational(head: ResponseHead): void {
    if (!this.#settled) this.#response.informational(head)
  }

  onHead(head: ResponseHead): void {
    if (this.#settled) return
    this.#headAt = this.#options.now()
    this.#reply.timing((this.#headAt - this.#sentAt) * 1000)
    if (head.status === 101) return this.#switch(head)
    if (this.#request !== undefined) this.#request.bytes = "" // not to be sent again
    this.#response.head(head)
  }

  onBody(bytes: Buffer): void {
    if (!this.#settled) this.#response.body(bytes)
  }

  onBodyEnd(trailers: string): void {
    if (!this.#settled) this.#response.end(trailers)
  }

  onReadEnd(): void {
    const response = this.#response
    const connection = this.#connection
    if (this.#settled || connection === undefined || !response.begun) return
    response.flush()
    if (response.received) {
      if (this.#body === undefined || this.#body.ended || !connection.persistent)
        this.#leaveConnection(this.#request?.upgrade !== undefined)
      else this.#expectProgress(this.#body)
      this.#settleWhenOver()
    } else if (response.full) {
      connection.pause()
      connection.expectWithin(0) // it is the edge that we wait for
    } else connection.expectWithin(this.#options.readTimeoutMs)
  }

  onBroken(failure: UpstreamFailure, stale: boolean, unprocessed = false): void {
    this.#connection = undefined
    if (this.#settled) return
    // The answer is here; what is left of the request has no reader.
    if (this.#response.received) return this.#body?.discard()
    // RFC 9112 section 9.3.1: the upstream closed an idle connection just as we used it.
    const request = this.#request
    const repeatable =
      stale && (unprocessed || request?.idempotent === true) && request?.bodyFollows === undefined
    if (repeatable && !this.#retried && request !== undefined) {
      this.#retried = true
      return this.#connect(request)
    }
    this.#fail(failure)
  }

  onOverdue(): void {
    if (this.#response.received) {
      this.#leave()
      this.#body?.discard()
      return
    }
    const waited = this.#response.begun ? "upstream_read_timeout" : "upstream_timeout"
    this.#fail({ code: waited, detail: this.#response.begun ? "body" : "head" })
  }

  #connect(request: UpstreamRequest): void {
    const connection = this.#options.pool.acquire(this, this.#retried, request.upgrade !== undefined)
    if (connection === undefined) return this.#fail({ code: "agent_stopping", detail: "pool closed" })
    this.#connection = connection
    if (connection.ready) this.#send(request, connection)
  }

  #send(request: UpstreamRequest, connection: UpstreamLink): void {
    // From here on the upstream may have seen it; what is idempotent may be repeated all the same.
    if (!request.idempotent) this.#reply.taken()
    this.#sentAt = this.#options.now()
    connection.begin(request.method)
    connection.write(request.bytes)
    const body = this.#body
    if (body === undefined) return connection.expectWithin(this.#options.headTimeoutMs)
    body.attach(connection, () => this.#expectProgress(body))
    this.#expectProgress(body)
  }

  /** RFC 9110 section 15.2.2: only to what was asked for. */
  #switch(head: ResponseHead): void {
    const offer = this.#request?.upgrade
    const connection = this.#connection
    if (offer === undefined || connection === undefined)
      return this.#fail({ code: "upstream_protocol", detail: "unsolicited 101" })
    if (head.upgrade === undefined || !switchesTo(offer, head))
      return this.#fail({ code: "upgrade_failed", detail: "101 to what was not offered" })
    this.#connection = undefined
    this.#response.switched(head)
    this.#raw = new RawRelay({
      connection,
      reply: this.#reply,
      pool: this.#options.pool,
      websocket: isWebSocket(head.upgrade),
      onOver: (failure) => {
        if (failure === undefined) this.#settle({ kind: "answered", status: head.status })
        else this.#fail(failure)
      },
    })
    this.#options.onSwitched?.()
    this.#raw.start()
  }

  /** While no response is being read: the upstream has to move when it has the whole request or part of it before it. */
  #expectProgress(body: RequestBody): void {
    const connection = this.#connection
    if (connection === undefined || !connection.ready || (this.#response.begun && !this.#response.received))
      return
    connection.expectWithin(body.ended || body.blocked ? this.#options.headTimeoutMs : 0)
  }

  /** The response is whole. `early`: it was so before the request was, and then the connection serves no other. */
  #leaveConnection(early: boolean): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.release(early)
    if (this.#body !== undefined && !this.#body.ended) this.#body.discard()
  }

  #leave(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.abort()
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#settled) return
    this.#leave()
    this.#reply.reset(failure.code, failure.detail)
    this.#settle({ kind: "failed", ...failure })
  }

  #settleWhenOver(): void {
    if (!this.#response.complete || (this.#body !== undefined && !this.#body.ended)) return
    this.#settle({ kind: "answered", status: this.#response.status })
  }

  #settle(outcome: ReplayOutcome): void {
    if (this.#settled) return
    this.#settled = true
    this.endedAt = this.#options.now()
    if (this.#trace !== undefined) this.#options.tracing?.settled(this, this.#trace, outcome)
    this.#body?.release()
    this.#options.onSettled(outcome)
  }
}
