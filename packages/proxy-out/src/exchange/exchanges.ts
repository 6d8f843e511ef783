// All exchanges of this edge: admits requests, keeps the hold and the wait for a response, and is the arbiter of who
// may lease a ticket.
import { WindowBudget, isIdempotent, openKind, originTarget, upgradeOffer } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"
import { nanoid } from "nanoid"
import type { Logger } from "pino"
import { monotonicMs } from "../clock.ts"
import type { Clock } from "../clock.ts"
import { tracedRecord } from "../observe/exchange-tracing.ts"
import type { ExchangeTracing } from "../observe/exchange-tracing.ts"
import type { ExchangeObserver } from "../observe/settled-exchange.ts"
import { forwardedHead } from "../ingress/forwarded-head.ts"
import { Refusal } from "../ingress/refusal.ts"
import type { TrustedProxies } from "../ingress/trusted-proxies.ts"
import type { Broker } from "../queue/broker.ts"
import type { TunnelMatch } from "../routing/prefix-routes.ts"
import type { Client, RequestHandler } from "./client.ts"
import { ClientResponse, type ViaLines } from "./client-response.ts"
import { Deadlines } from "./deadlines.ts"
import { LiveExchanges } from "./live-exchanges.ts"
import type { ErrorPage } from "./error-page.ts"
import { Exchange } from "./exchange.ts"
import type { ExchangeOutcome, ExchangePort } from "./exchange-port.ts"
import { failures } from "./failures.ts"
import type { FailureCode, FailureTraits } from "./failures.ts"

export interface ExchangesOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly edgeId: string
  readonly log: Logger
  // These, and the error page, may change while the edge runs: they are read each time.
  readonly holdMs: number
  readonly timeoutMs: number
  readonly maxQueue: number
  /** Largest request body, in bytes. Default: no limit. */
  readonly maxBodyBytes?: number | undefined
  /** Whose X-Forwarded-* lines count. Default: nobody's. */
  readonly trustedProxies?: TrustedProxies | undefined
  /** Which tunnel a request is for; undefined when there is none that it could be for. `target` is in origin form or `*`. */
  readonly tunnelOf: (host: string | undefined, target: string) => TunnelMatch | undefined
  /** "Date: …" with CRLF. */
  readonly dateLine: () => string
  /** The operator's own page. */
  readonly errorPage?: ErrorPage | undefined
  /** Is told of what ends; on the hot path. */
  readonly observer?: ExchangeObserver | undefined
  /** Undefined: nobody asked for traces, and trace fields cross untouched. */
  readonly tracing?: Pick<ExchangeTracing, "begin"> | undefined
}

/** Growth of all response windows together; the first 256 KiB of each come on top. */
const windowBudgetBytes = 64 * 1024 * 1024

export class Exchanges implements ExchangePort {
  readonly #options: ExchangesOptions
  readonly #live: LiveExchanges<Exchange>
  /** Those that wait in the queue, by id. */
  readonly #queued = new Map<string, Exchange>()
  /** The one that is being offered: most are leased at once and never get into the map. */
  #offering: Exchange | undefined
  readonly #holds: Deadlines<Exchange>
  readonly budget = new WindowBudget(windowBudgetBytes)
  readonly #pseudonym: string
  readonly #via: ViaLines
  readonly counts = { accepted: 0, answered: 0, failed: 0 }
  #stopping = false
  #idle: (() => void) | undefined

  constructor(options: ExchangesOptions) {
    this.#options = options
    const { clock } = options
    this.#holds = new Deadlines({
      get afterMs() {
        return options.holdMs
      },
      clock,
      onExpired: (exchange) => exchange.holdExpired(),
    })
    this.#live = new LiveExchanges({
      get timeoutMs() {
        return options.timeoutMs
      },
      clock,
      onOverdue: (exchange) => exchange.responseOverdue(),
    })
    this.#pseudonym = `restante-${options.edgeId}`
    const line = (version: string): string => `Via: ${version} ${this.#pseudonym}\r\n`
    this.#via = { http10: line("1.0"), http11: line("1.1"), http2: line("2.0") }
  }

  get maxBodyBytes(): number {
    return this.#options.maxBodyBytes ?? Number.POSITIVE_INFINITY
  }

  /** Exchanges that wait for an agent. */
  get waiting(): number {
    return this.#holds.size
  }

  get live(): number {
    return this.#live.size
  }

  /** Those that are not over. */
  get all(): Iterable<Exchange> {
    return this.#live
  }

  /** False from the moment on when a stop began. */
  get admitting(): boolean {
    return !this.#stopping
  }

  /** The exchange with this id, if it waits for an agent. */
  get(id: string): Exchange | undefined {
    const offering = this.#offering
    return offering !== undefined && offering.ticket.id === id ? offering : this.#queued.get(id)
  }

  /** Admits a request, or says why not. Everything that can be refused is refused before the client sends a body. */
  accept(head: RequestHead, client: Client): RequestHandler {
    const { edgeId, clock, maxQueue, holdMs, tunnelOf, dateLine } = this.#options
    if (this.#stopping) return this.#refusal(head, client, "edge_stopping")
    const match = tunnelOf(head.host, originTarget(head))
    if (match === undefined) return this.#refusal(head, client, "tunnel_unknown")
    if (this.#holds.size >= maxQueue) return this.#refusal(head, client, "queue_full")
    if (this.#cameThroughHere(head)) return this.#refusal(head, client, "loop_detected")
    if (head.body.kind === "length" && head.body.length > this.maxBodyBytes)
      return this.#refusal(head, client, "body_too_large")
    if (head.expectUnknown) return this.#refusal(head, client, "expectation_failed")
    const response = new ClientResponse({
      client,
      request: head,
      budget: this.budget,
      via: this.#via,
      dateLine,
    })
    const peer = client.remoteAddress
    const trusted = this.#options.trustedProxies?.trusts(peer) === true
    const id = nanoid()
    const offer = upgradeOffer(head)
    const trace = this.#options.tracing?.begin(head)
    this.counts.accepted++
    if (head.expectContinue) client.goOn()
    const exchange = new Exchange(
      this,
      client,
      head,
      {
        id,
        kind: offer === undefined ? openKind.http : openKind.upgrade,
        tunnel: match.tunnel,
        owner: edgeId,
        attempt: 1,
        deadlineAt: clock.now() + holdMs,
        // Whoever has been given a connection to switch may have begun to speak on it.
        idempotent: offer === undefined && isIdempotent(head.method),
        record: {
          clientAddress: trusted ? this.#clientOf(head, peer) : peer,
          scheme: client.scheme,
          traceparent: trace === undefined ? traceparentOf(head) : tracedRecord(trace),
        },
        head: forwardedHead(head, {
          clientAddress: peer,
          scheme: client.scheme,
          via: this.#viaOf(head, client),
          upgrade: offer,
          trusted,
          strip: match.strip,
          trace,
        }),
        bodyFollows: offer !== undefined,
        body: undefined,
      },
      response,
    )
    exchange.startedAt = monotonicMs()
    exchange.trace = trace
    this.#live.add(exchange)
    exchange.begin()
    return exchange
  }

  refuseNew(): void {
    this.#stopping = true
  }

  /** Gives up what waits, waits until what runs has finished, at most `graceMs`; the rest is broken off. */
  async drain(graceMs: number): Promise<void> {
    for (const exchange of this.#live) exchange.edgeStops()
    if (this.#live.size > 0) {
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        new Promise<void>((resolve) => (this.#idle = resolve)),
        new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs))),
      ])
      clearTimeout(timer)
    }
    for (const exchange of this.#live) exchange.fail("agent_lost")
    this.#holds.stop()
    this.#live.stop()
  }

  queued(exchange: Exchange, again: boolean): boolean {
    const { broker, maxQueue } = this.#options
    if (!again && this.#holds.size >= maxQueue) return false
    this.#live.awaitNothing(exchange)
    exchange.offered()
    const before = this.#offering
    this.#offering = exchange
    try {
      if (again) broker.reoffer(exchange.ticket)
      else broker.offer(exchange.ticket)
    } finally {
      this.#offering = before
    }
    if (exchange.waiting) {
      this.#holds.set(exchange)
      this.#queued.set(exchange.ticket.id, exchange)
    }
    return true
  }

  leased(exchange: Exchange): void {
    exchange.handedOut()
    this.#leaveQueue(exchange)
    this.#live.await(exchange)
  }

  progressed(exchange: Exchange): void {
    this.#live.await(exchange)
  }

  responding(exchange: Exchange): void {
    exchange.headAt = monotonicMs()
    this.#live.awaitNothing(exchange)
  }

  settled(exchange: Exchange, outcome: ExchangeOutcome): void {
    const { broker, observer } = this.#options
    if (this.#leaveQueue(exchange)) broker.withdraw(exchange.ticket)
    this.#live.delete(exchange)
    exchange.ended()
    if (outcome === "answered") this.counts.answered++
    else this.counts.failed++
    observer?.settled(exchange, outcome)
    if (this.#live.size === 0) this.#idle?.()
  }

  refuse(exchange: Exchange, code: FailureCode, keepAlive: boolean): void {
    const { client, request, ticket, perhapsBegun } = exchange
    this.#answer(client, request, code, ticket.id, keepAlive, perhapsBegun)
  }

  holdEndsAt(): number {
    return this.#options.clock.now() + this.#options.holdMs
  }

  /** What all clients' windows may grow by, in bytes. */
  get budgetBytes(): number {
    return windowBudgetBytes
  }

  #leaveQueue(exchange: Exchange): boolean {
    if (!this.#holds.has(exchange)) return false
    this.#holds.clear(exchange)
    this.#queued.delete(exchange.ticket.id)
    return true
  }

  #viaOf({ minorVersion }: RequestHead, { protocol }: Client): string {
    if (protocol === "h2") return this.#via.http2
    return minorVersion === 1 ? this.#via.http11 : this.#via.http10
  }

  #cameThroughHere({ fields }: RequestHead): boolean {
    // The first look is cheap and nearly always says no.
    return (
      fields.raw.includes(this.#pseudonym) &&
      fields.all("via").some((value) => value.includes(this.#pseudonym))
    )
  }

  #clientOf({ fields }: RequestHead, peer: string): string {
    return this.#options.trustedProxies?.clientOf(fields, peer) ?? peer
  }

  #refusal(head: RequestHead, client: Client, code: FailureCode): RequestHandler {
    this.counts.failed++
    const id = nanoid()
    const clientAddress = this.#clientOf(head, client.remoteAddress)
    const { status } = failures[code]
    this.#options.observer?.refused({ request: head, clientAddress, code, status, exchangeId: id })
    return new Refusal(head, (keepAlive) => this.#answer(client, head, code, id, keepAlive))
  }

  #answer(
    client: Client,
    request: RequestHead,
    code: FailureCode,
    exchangeId: string,
    keepAlive: boolean,
    perhapsBegun = false,
  ): void {
    const traits: FailureTraits = perhapsBegun ? { ...failures[code], forwarded: "maybe" } : failures[code]
    const { dateLine, errorPage } = this.#options
    client.refuse({ code, traits, exchangeId, dateLine: dateLine(), request, page: errorPage }, keepAlive)
  }
}

/** W3C trace context, only when it is one: what a client invents must not travel in our own record. */
function traceparentOf(head: RequestHead): string | undefined {
  const value = head.fields.get("traceparent")
  return value !== undefined && traceparent.test(value) ? value : undefined
}

const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
