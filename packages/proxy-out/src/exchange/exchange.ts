// One request and its response, alive at the edge that holds the client's connection. It is settled exactly once: by
// the upstream's answer, by an error that says truthfully whether the upstream may have seen it, or by the client leaving.
import { headFlags, isWebSocket, notBegunCodes, openKind, wireLimits } from "@restante/protocol"
import type { RequestHead, ResetCode } from "@restante/protocol"
import type { Ticket } from "../queue/broker.ts"
import { Measured } from "../observe/measured.ts"
import type { AgentStream, Leasable, StreamLoss, StreamSink } from "./agent-stream.ts"
import type { Client, ClientFault, RequestHandler } from "./client.ts"
import { UpgradeRefused } from "./client-response.ts"
import type { ClientResponse } from "./client-response.ts"
import type { ExchangeOutcome, ExchangePort } from "./exchange-port.ts"
import { failureOfReset } from "./failures.ts"
import type { FailureCode } from "./failures.ts"
import type { LiveEntry } from "./live-exchanges.ts"
import { RawPipe } from "./raw-pipe.ts"
import { RequestBody } from "./request-body.ts"

/** DESIGN "Life of an exchange": how often a request may be handed to an agent that may have begun it. */
const maxAttempts = 3
/** How often a request that no agent begins is offered: bounds what agents that hand everything back can cost. */
const maxOffers = 20
/** Bodies up to this size with a known end ride inside the ticket and can be replayed. */
const maxInlineBytes = wireLimits.maxInlineBytes

export type Phase = "collecting" | "queued" | "leased" | "responding" | "switched" | "over"

export class Exchange extends Measured implements RequestHandler, StreamSink, Leasable, LiveEntry {
  before: this | undefined = undefined
  after: this | undefined = undefined
  overdueAt = Number.POSITIVE_INFINITY
  readonly client: Client
  readonly request: RequestHead
  readonly #port: ExchangePort
  readonly #response: ClientResponse
  #ticket: Ticket
  #phase: Phase = "collecting"
  #stream: AgentStream | undefined
  #body: RequestBody | undefined
  /** Once the connection has switched protocols. */
  #pipe: RawPipe | undefined
  #taken = false
  /** Agents that were lost and may have begun it. */
  #perhapsBegun = 0
  #bodyBytes = 0

  constructor(
    port: ExchangePort,
    client: Client,
    request: RequestHead,
    ticket: Ticket,
    response: ClientResponse,
  ) {
    super()
    this.#port = port
    this.client = client
    this.request = request
    this.#ticket = ticket
    this.#response = response
    if (request.body.kind !== "none" && ticket.kind === openKind.http) this.#body = new RequestBody(client)
  }

  /** Offers it if its body is to be streamed; otherwise it is offered when it is whole. */
  begin(): void {
    const { body } = this.request
    if (body.kind === "length" && body.length > maxInlineBytes) this.#offerStreamed()
  }

  get ticket(): Ticket {
    return this.#ticket
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Of the upstream's answer; 0 before it has begun. */
  get status(): number {
    return this.#response.status
  }

  get waiting(): boolean {
    return this.#phase === "queued"
  }

  /** An agent that was lost may have begun it, whatever became of it afterwards. */
  get perhapsBegun(): boolean {
    return this.#perhapsBegun > 0
  }

  // The client's side.

  onBody(bytes: Buffer): void {
    if (this.#phase === "over") return
    this.requestBytes += bytes.length
    if (this.#pipe !== undefined) return this.#pipe.clientSaid(bytes)
    if (this.request.body.kind === "chunked") {
      this.#bodyBytes += bytes.length
      if (this.#bodyBytes > this.#port.maxBodyBytes) return this.#bodyTooLarge()
    }
    this.#body?.push(bytes)
    if (this.#phase === "leased") this.#port.progressed(this)
  }

  onBodyEnd(trailers: string): void {
    if (this.#phase === "over") return
    if (this.#pipe !== undefined) return this.#pipe.clientEnded()
    const body = this.#body
    body?.end(trailers)
    if (this.#phase !== "collecting") return
    // Trailers travel in END only, so a body that has them is streamed even when it is small.
    // A chunked body that is empty is still a body, which FINAL could not say.
    const empty = this.request.body.kind === "chunked" && body?.heldBytes === 0
    if (body !== undefined && (empty || trailers !== "" || body.heldBytes > maxInlineBytes))
      return this.#offerStreamed()
    if (body !== undefined) this.#ticket = { ...this.#ticket, body: body.collected() }
    this.#offer()
  }

  /** What the client had sent so far has been read. A chunked body that has not ended by now is streamed. */
  onReadPaused(): void {
    if (this.#phase !== "collecting") {
      if (this.#phase === "queued") this.#body?.hold()
      return
    }
    if (this.request.body.kind === "chunked") this.#offerStreamed()
  }

  onClientDrain(): void {
    if (this.#pipe !== undefined) return this.#pipe.clientDrained()
    const credit = this.#response.drained()
    if (credit > 0) this.#stream?.window(credit)
  }

  /** The client left, or its request broke off. */
  onClientGone(fault?: ClientFault): void {
    if (this.#phase === "over") return
    this.clientFault = fault
    this.#stream?.reset("cancelled")
    this.#settle(fault?.code ?? "cancelled")
  }

  // The queue's side.

  leased(stream: AgentStream): StreamSink {
    this.#phase = "leased"
    this.#stream = stream
    this.#taken = false
    this.#port.leased(this)
    if (this.#ticket.bodyFollows) this.#body?.attach(stream)
    return this
  }

  /** The edge stops: what no agent has is given up, and what would never end by itself is told to. */
  edgeStops(): void {
    this.#pipe?.leave()
    if (this.#phase === "collecting" || this.#phase === "queued") this.fail("edge_stopping")
  }

  holdExpired(): void {
    if (this.#phase === "queued") this.fail("no_agent")
  }

  responseOverdue(): void {
    if (this.#phase !== "leased") return
    // It is the client that we wait for, and the ingress has a limit of its own for that.
    if (this.#body?.starved === true) return this.#port.progressed(this)
    this.#stream?.reset("cancelled")
    this.fail("upstream_timeout")
  }

  // The agent's side.

  onTaken(): void {
    this.#taken = true
  }

  onHead(flags: number, head: string, inlineBody: Buffer | undefined): void {
    if (this.#phase !== "leased") return
    this.#guarded(() => {
      if ((flags & headFlags.informational) !== 0) {
        this.#response.informational(head)
        return
      }
      const protocols = this.#response.head(flags, head, inlineBody)
      if (inlineBody !== undefined) this.responseBytes += inlineBody.length
      this.#port.responding(this)
      if (protocols !== undefined) return this.#switch(protocols)
      this.#phase = "responding"
      if (this.#ticket.kind === openKind.upgrade) this.#stream?.end("") // nothing will follow the request
      if ((flags & headFlags.final) !== 0) this.#answered()
    })
  }

  onData(bytes: Buffer): void {
    const pipe = this.#pipe
    this.responseBytes += bytes.length
    if (this.#phase === "switched" && pipe !== undefined) return this.#guarded(() => pipe.onData(bytes))
    if (this.#phase !== "responding" && this.#phase !== "leased") return
    this.#guarded(() => {
      const credit = this.#response.data(bytes)
      if (credit > 0) this.#stream?.window(credit)
    })
  }

  onEnd(trailers: string): void {
    if (this.#phase === "switched") return this.#pipe?.onEnd()
    if (this.#phase !== "responding" && this.#phase !== "leased") return
    this.#guarded(() => {
      this.#response.end(trailers)
      this.#answered()
    })
  }

  onReset(code: ResetCode): void {
    if (this.#response.begun && this.#phase !== "over") return this.#break()
    if (this.#phase !== "leased") return
    if (code === "agent_lost") return this.onLost({ begun: "maybe" }) // another edge's agent
    const isLast = this.#stream?.lastResort ?? this.#ticket.attempt >= maxAttempts
    const notBegun = notBegunCodes.has(code) || (code === "upgrade_limit" && !isLast)
    if (notBegun && this.#mayOfferAgain) return this.#offerAgain()
    this.fail(failureOfReset[code])
  }

  onWindow(creditBytes: number): void {
    if (this.#phase === "over") return
    if (this.#pipe !== undefined) this.#pipe.onWindow(creditBytes)
    else this.#body?.grant(creditBytes)
  }

  onWritable(): void {
    if (this.#phase === "over") return
    if (this.#pipe !== undefined) this.#pipe.onWritable()
    else this.#body?.writable()
  }

  onLost(loss: StreamLoss): void {
    if (this.#response.begun && this.#phase !== "over") return this.#break()
    if (this.#phase !== "leased") return
    const begun =
      loss.begun === "maybe" || (loss.begun === "untaken" && (this.#taken || this.#ticket.idempotent))
    if (begun) this.#perhapsBegun++
    const repeatable = !begun || (this.#ticket.idempotent && this.#perhapsBegun < maxAttempts)
    if (repeatable && this.#mayOfferAgain) return this.#offerAgain()
    this.fail("not_delivered")
  }

  /** Safe to hand to another agent while this one may still come back: it may be run again, and nothing of it has been used up. */
  get repeatable(): boolean {
    return (
      this.#phase === "leased" &&
      this.#ticket.idempotent &&
      this.#mayOfferAgain &&
      this.#perhapsBegun + 1 < maxAttempts
    )
  }

  /** Ends it with an error of ours; a response that has begun is broken off instead. */
  fail(reason: FailureCode): void {
    if (this.#phase === "over") return
    if (this.#response.begun) return this.#break()
    const code = reason === "not_delivered" && this.perhapsBegun ? "agent_lost" : reason
    const keepAlive = this.request.keepAlive && (this.#body?.complete ?? true)
    this.#settle(code)
    this.#port.refuse(this, code, keepAlive)
  }

  /** RFC 9110 §15.5.14: what the upstream has of it never gets its end. */
  #bodyTooLarge(): void {
    if (this.#phase === "leased") this.#perhapsBegun++
    this.#stream?.reset("cancelled")
    this.fail("body_too_large")
  }

  /** Nothing of it has been used up. */
  get #mayOfferAgain(): boolean {
    return this.#body?.streamed !== true && this.#ticket.attempt < maxOffers
  }

  #offerStreamed(): void {
    this.#ticket = { ...this.#ticket, bodyFollows: true }
    this.#body?.hold()
    this.#offer()
  }

  #offer(): void {
    this.#phase = "queued"
    if (!this.#port.queued(this, false)) this.fail("queue_full")
  }

  #offerAgain(): void {
    this.#stream = undefined
    this.#body?.detach()
    const { attempt } = this.#ticket
    this.#ticket = { ...this.#ticket, attempt: attempt + 1, deadlineAt: this.#port.holdEndsAt() }
    this.#phase = "queued"
    this.#port.queued(this, true)
  }

  /** From now on the connection is no HTTP any more, and no deadline runs. */
  #switch(protocols: string): void {
    const stream = this.#stream
    if (stream === undefined) return
    this.#phase = "switched"
    this.#pipe = new RawPipe({
      client: this.client,
      stream,
      budget: this.#port.budget,
      websocket: isWebSocket(protocols),
      onOver: () => {
        this.#settle("answered")
        this.client.close()
      },
    })
    this.client.turnRaw()
  }

  #answered(): void {
    // An answer before the body's end: the agent need not wait for the rest.
    if (this.#body !== undefined && !this.#body.complete) this.#stream?.reset("cancelled")
    this.#settle("answered")
  }

  /** A body that is not whole must not look whole (RFC 9112 §8): the connection is reset. */
  #break(): void {
    this.#settle("broken")
    this.client.reset()
  }

  #guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      // The agent's words make no valid response (Http1Error, WireError): that is this exchange's end, not the session's.
      if (this.#phase === "over") throw error
      const refused = error instanceof UpgradeRefused
      this.#stream?.reset(refused ? "upgrade_failed" : "internal")
      this.fail(refused ? "upgrade_failed" : "upstream_protocol")
    }
  }

  #settle(outcome: ExchangeOutcome): void {
    this.#phase = "over"
    this.#stream = undefined
    this.#response.release()
    this.#pipe?.release()
    this.#port.settled(this, outcome)
  }
}
