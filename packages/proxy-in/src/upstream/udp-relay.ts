// One stream of kind udp: a socket of its own towards what the port leads to, so that each client has its own address there.
// Datagrams are passed on or dropped, never kept for later.
import {
  datagramHeaderBytes,
  DatagramReader,
  framedDatagram,
  parsePortHead,
  ReceiveCredit,
  SendCredit,
  wireLimits,
} from "@restante/protocol"
import type { OpenFrame, PortHead, WindowBudget } from "@restante/protocol"
import dgram from "node:dgram"
import type { Socket } from "node:dgram"
import { isIPv6 } from "node:net"
import { lookup } from "node:dns"
import type { FlowListener, SettledRequest } from "../observe/settled-request.ts"
import { connectFailure } from "./failures.ts"
import type { UpstreamFailure } from "./failures.ts"
import type { ReplayOutcome } from "./replay.ts"
import type { ReplyStream } from "./reply-stream.ts"
import type { RunningStream } from "./running-stream.ts"

/** Where a port leads. */
export interface UdpTarget {
  /** Name, IPv4 or IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** As a person writes it. */
  readonly upstream: string
  readonly windows: WindowBudget
}

export interface UdpRelayOptions {
  /** Undefined for a port that this agent does not serve. */
  readonly targetOf: (head: PortHead) => UdpTarget | undefined
  /** Milliseconds that only go forward. */
  now(): number
  readonly flows?: FlowListener | undefined
  /** Called exactly once; possibly within `start`. */
  onSettled(outcome: ReplayOutcome): void
}

/** What waits for the name of the private server to be looked up; more is dropped. */
const maxEarlyDatagrams = 16
/** Asked of the system, which may give less: a burst that is not read at once is lost. */
const receiveBufferBytes = 1024 * 1024

export class UdpRelay implements RunningStream, SettledRequest {
  readonly method = "UDP"
  readonly status = 0
  readonly upstreamMs = undefined
  readonly exchange: string
  readonly startedAt: number
  endedAt = 0
  requestBytes = 0
  responseBytes = 0
  readonly #head: PortHead | undefined
  readonly #target: UdpTarget | undefined
  readonly #reply: ReplyStream
  readonly #options: UdpRelayOptions
  readonly #credit = new SendCredit()
  readonly #incoming: ReceiveCredit
  readonly #reader = new DatagramReader((datagram) => this.#pass(datagram))
  #socket: Socket | undefined
  #ready = false
  #early: Buffer[] = []
  /** Whether the private server has answered since it was last refused. */
  #heard = false
  #settled = false

  constructor(open: OpenFrame, reply: ReplyStream, options: UdpRelayOptions) {
    this.#reply = reply
    this.#options = options
    this.exchange = open.exchangeId
    this.startedAt = options.now()
    this.#head = parsePortHead(open.head)
    this.#target = this.#head && options.targetOf(this.#head)
    this.#incoming = new ReceiveCredit(
      wireLimits.initialWindowBytes,
      wireLimits.maxWindowBytes,
      this.#target?.windows,
    )
  }

  /** The edge's port. */
  get target(): string {
    return this.#head?.name ?? ""
  }

  get upstream(): string {
    return this.#target?.upstream ?? ""
  }

  start(): void {
    const target = this.#target
    if (target === undefined) return this.#fail({ code: "request_rejected", detail: "no such port" })
    this.#reply.taken()
    if (isIPv6(target.host)) return this.#connect("udp6", target.host, target.port)
    lookup(target.host, { order: "ipv4first" }, (error, address, family) => {
      if (this.#settled) return
      if (error === null) this.#connect(family === 6 ? "udp6" : "udp4", address, target.port)
      else this.#fail({ code: "upstream_dns", detail: error.code ?? "lookup" })
    })
  }

  // The edge's side.

  onData(bytes: Buffer): void {
    if (this.#settled) return
    this.#incoming.received(bytes.length)
    this.requestBytes += bytes.length
    if (!this.#reader.push(bytes)) return this.#fail({ code: "internal", detail: "no datagrams" })
    const credit = this.#incoming.consumed(bytes.length)
    if (credit > 0) this.#reply.window(credit)
  }

  onEnd(): void {
    this.#settle({ kind: "answered", status: 0 })
  }

  /** The client has been silent for long, which is how flows end. */
  onReset(): void {
    this.#settle({ kind: "answered", status: 0 })
  }

  onWindow(creditBytes: number): void {
    this.#credit.grant(creditBytes)
  }

  resume(): void {
    // What had no room has been dropped.
  }

  leave(): void {
    this.#reply.reset("agent_stopping", "stopping")
    this.#settle({ kind: "answered", status: 0 })
  }

  #connect(type: "udp4" | "udp6", address: string, port: number): void {
    const socket = dgram.createSocket({ type, recvBufferSize: receiveBufferBytes })
    this.#socket = socket
    socket.on("error", (error) => this.#failed(error))
    socket.on("message", (datagram) => this.#answer(datagram))
    socket.connect(port, address)
    socket.once("connect", () => {
      this.#ready = true
      for (const datagram of this.#early) socket.send(datagram, this.#sent)
      this.#early = []
    })
  }

  #pass(datagram: Buffer): void {
    if (this.#ready) this.#socket?.send(datagram, this.#sent)
    else if (this.#early.length < maxEarlyDatagrams) this.#early.push(datagram)
    else this.#lost(1)
  }

  /** The system tells of a datagram that nobody took with the next one, or with what is read next. */
  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#failed(error)
  }

  #failed(error: Error): void {
    if (this.#settled) return
    const failure = connectFailure(error, "connecting")
    if (!this.#ready) return this.#fail(failure)
    // The flow goes on: the server may come back. Any other datagram that could not be sent is a lost one.
    if (!refusals.has(failure.detail)) return this.#lost(1)
    this.#heard = false
    this.#options.flows?.refused(this, failure.detail)
  }

  #answer(datagram: Buffer): void {
    if (!this.#heard) {
      this.#heard = true
      this.#options.flows?.heard(this)
    }
    const bytes = datagramHeaderBytes + datagram.length
    if (this.#settled) return
    if (this.#reply.congested || this.#credit.available < bytes) return this.#lost(1)
    this.#credit.take(bytes)
    this.responseBytes += datagram.length
    this.#reply.data(framedDatagram(datagram))
  }

  #lost(count: number): void {
    this.#options.flows?.dropped(this, count)
  }

  #fail({ code, detail }: UpstreamFailure): void {
    if (this.#settled) return
    this.#reply.reset(code, detail)
    this.#settle({ kind: "failed", code, detail })
  }

  #settle(outcome: ReplayOutcome): void {
    if (this.#settled) return
    this.#settled = true
    this.endedAt = this.#options.now()
    this.#incoming.release()
    if (this.#early.length > 0) this.#lost(this.#early.length)
    this.#early = []
    this.#socket?.close()
    this.#options.onSettled(outcome)
  }
}

/** What ICMP says, RFC 1122 section 4.1.3.3: nobody listens there, or there is no way there. */
const refusals: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"])
