// One agent process attached to this edge. It outlives the connections that carry it: streams go on when a carrier is
// lost and another comes, and end when the session does.
import { headFlags, Session, StreamTable, WireError, wireLimits } from "@restante/protocol"
import type { Message, OpenFrame, OpenPort, ResetCode, StreamSink as SessionSink } from "@restante/protocol"
import type { Leasable } from "../exchange/agent-stream.ts"
import type { AgentSessionOptions } from "./agent-session-options.ts"
import { readyCarrier, type Carrier } from "./carrier.ts"
import { Occupancy } from "./occupancy.ts"
import { SessionStream } from "./session-stream.ts"
import type { StreamOwner } from "./session-stream.ts"

const ackDelayMs = 20
const maxStreamId = 0xffff_ffff

export class AgentSession implements SessionSink, StreamOwner {
  readonly id: string
  readonly tunnel: string
  readonly instance: string
  /** Of its ports' tickets. */
  readonly queues: readonly string[]
  readonly session: Session
  readonly #options: AgentSessionOptions
  readonly #streams = new StreamTable<SessionStream>()
  readonly #carriers: Carrier[] = []
  readonly #blocked = new Set<SessionStream>()
  readonly #occupancy = new Occupancy()
  #lastStream = 0
  #nextCarrier = 1
  /** OPENs written, and how many of them may have left with a carrier: those written since the last message have not. */
  #opened = 0
  #sent = 0
  /** The last websocket, when it has ended and nothing has come by other ways since. */
  #endedWebsocket: Carrier | undefined
  #draining = false
  #ended = false
  #flushing = false
  #ackTimer: NodeJS.Timeout | undefined
  /** Messages that arrived: whoever wants to know whether the agent is silent looks twice. */
  heard = 0
  /** Its last carrier was a poll that has been answered, on a connection that is still there: the next poll is on its way. */
  betweenPolls = false
  /** The last carriers were closed by us because the agent was silent, not by the agent's side. */
  silent = false

  constructor(options: AgentSessionOptions) {
    this.#options = options
    this.id = options.id
    this.tunnel = options.tunnel
    this.instance = options.instance
    this.queues = options.queues ?? []
    this.session = new Session({
      sink: this,
      pieces: options.pieces ?? false,
      onOutput: () => this.#scheduleFlush(),
      onBatch: () => this.#flushBatch(),
      onPong: (bytes) => {
        for (const carrier of this.#carriers.slice()) carrier.onPong?.(bytes)
      },
    })
  }

  /** For people. */
  get about(): Pick<AgentSessionOptions, "concurrency" | "since" | "software"> {
    return this.#options
  }

  get ports(): readonly OpenPort[] {
    return this.#options.ports ?? []
  }

  get credentialId(): string {
    return this.#options.credentialId
  }

  get active(): number {
    return this.#streams.size
  }

  /** What carries it at the moment. */
  get carriers(): readonly Carrier["kind"][] {
    return this.#carriers.map(({ kind }) => kind)
  }

  get attached(): boolean {
    return this.#carriers.length > 0
  }

  get ended(): boolean {
    return this.#ended
  }

  /** How many more requests the agent takes now; none while nothing carries them. Those that have switched protocols do not count. */
  get room(): number {
    if (this.#draining || this.#ended || this.#carriers.length === 0 || this.#options.http === false) return 0
    return this.#options.concurrency - (this.#streams.size - this.#occupancy.lasting)
  }

  /** How many more streams of ports. */
  get portRoom(): number {
    if (this.#draining || this.#ended || this.#carriers.length === 0) return 0
    return (this.#options.connections ?? 0) - this.#occupancy.ofPorts
  }

  /** It has said that it switches no more connections. */
  get upgradesFull(): boolean {
    return this.#occupancy.upgradesFull
  }

  get congested(): boolean {
    return this.session.queuedBytes + this.session.unacknowledgedBytes > wireLimits.maxUnacknowledgedBytes
  }

  /** Gives the exchange's request to the agent. Only with room. */
  open(leasable: Leasable): void {
    const { ticket } = leasable
    const id = this.#streamId()
    const stream = new SessionStream(this, id, ++this.#opened, ticket)
    this.#streams.set(id, stream)
    this.#occupancy.opened(stream)
    this.session.open(id, {
      kind: ticket.kind,
      exchangeId: ticket.id,
      attempt: ticket.attempt,
      deadlineMs: this.#options.timeoutMs,
      clientAddress: ticket.record.clientAddress,
      scheme: ticket.record.scheme,
      traceparent: ticket.record.traceparent,
      tunnel: undefined,
      head: ticket.head,
      bodyFollows: ticket.bodyFollows,
      body: ticket.body,
    })
    stream.sink = leasable.leased(stream)
  }

  // Carriers.

  carrierId(): number {
    return this.#nextCarrier++
  }

  attach(carrier: Carrier): void {
    // Those that go on come first: a poll is worth waiting for only when there is nothing better.
    if (carrier.kind === "poll") this.#carriers.push(carrier)
    else this.#carriers.unshift(carrier)
    this.silent = false
    if (this.#carriers.length === 1) this.#options.port.onAttached(this, true)
    this.flush()
  }

  /** Another streamed poll has shown that it works: the ones before it end politely. */
  replaceStreamed(carrier: Carrier): void {
    for (const old of this.#carriers.filter((one) => one !== carrier && one.kind === "streamed")) old.close()
  }

  /** The carrier ended. `delivered` says that everything it took has certainly arrived or will be asked for again by the agent. */
  detach(carrier: Carrier, delivered: boolean): void {
    const index = this.#carriers.indexOf(carrier)
    if (index < 0) return
    if (carrier.kind === "websocket") this.#endedWebsocket = carrier
    this.#carriers.splice(index, 1)
    this.betweenPolls = carrier.answered === true
    if (!delivered) this.session.carrierLost(carrier.id)
    if (this.#carriers.length === 0 && !this.#ended) this.#options.port.onAttached(this, false)
    else if (this.session.hasOutput) this.#scheduleFlush()
  }

  /** One message from the agent. Throws WireError: the session is broken then and has to be ended. */
  receive(message: Message): void {
    this.heard++
    this.#endedWebsocket = undefined
    this.session.receive(message)
    if (this.#blocked.size > 0 && !this.congested) this.#unblock()
    if (this.session.ackDue && this.#ackTimer === undefined) {
      this.#ackTimer = setTimeout(() => this.#acknowledge(), ackDelayMs)
    }
  }

  /** Sends what waits on what is ready. */
  flush(): void {
    this.#flushing = false
    const { session } = this
    while (session.hasOutput) {
      const carrier = this.#readyCarrier()
      if (carrier === undefined) return
      const parts = session.nextMessage(carrier.id)
      if (parts === undefined) return
      carrier.send(parts)
      this.#sent = this.#opened
    }
  }

  /** Whether the agent misses a message although its carriers are fine: asked for again. */
  requestMissing(): void {
    const carrier = this.#carriers.find((one) => one.ready && one.kind !== "poll") ?? this.#readyCarrier()
    carrier?.send([this.session.ackMessage({ resend: true })])
  }

  closeCarriers(): void {
    for (const carrier of this.#carriers.slice()) carrier.close()
  }

  /**
   * Ends the session and tells every exchange. What an agent that said goodbye did not announce with TAKEN it did not
   * begin. Of one that was replaced at its place that is known only when TAKEN went straight onto a websocket that its
   * process ended: a push may still have been on its way, and a path that broke may have swallowed it.
   */
  end(how: "farewell" | "replaced" | "lost"): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#ackTimer)
    this.closeCarriers()
    const allHeard = !this.silent && !this.session.missing
    const inOrder = this.#endedWebsocket?.endedInOrder === true
    const certain = how === "farewell" || (how === "replaced" && allHeard && inOrder)
    const streams = this.#streams.values()
    this.#streams.clear()
    this.#occupancy.clear()
    for (const stream of streams) {
      const sent = stream.opened <= this.#sent
      stream.sink?.onLost({ begun: sent ? (certain ? "untaken" : "maybe") : "no" })
    }
  }

  /** While the agent is out of reach: exchanges that another agent may run as well are given back. */
  releaseRepeatable(): void {
    for (const stream of this.#streams.values()) {
      const { sink } = stream
      if (sink?.repeatable !== true) continue
      stream.reset("cancelled")
      sink.onLost({ begun: "maybe" })
    }
  }

  // For streams.

  forget(stream: SessionStream): void {
    stream.sink = undefined
    this.#blocked.delete(stream)
    if (!this.#streams.delete(stream.id)) return
    this.#occupancy.ended(stream)
    this.#options.port.onRoom(this)
  }

  await(stream: SessionStream): void {
    this.#blocked.add(stream)
  }

  // Frames from the agent. Those of streams that are over are ignored: they crossed with a RESET.

  onOpen(_stream: number, _frame: OpenFrame): void {
    throw new WireError("frame_unexpected", "an agent opens no streams")
  }

  onTaken(stream: number): void {
    this.#streams.get(stream)?.sink?.onTaken()
  }

  onTiming(stream: number, upstreamMicroseconds: number): void {
    this.#streams.get(stream)?.sink?.onTiming(upstreamMicroseconds)
  }

  onHead(id: number, flags: number, head: string, inlineBody: Buffer | undefined): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    const { sink } = stream
    if (stream.maySwitch && head.startsWith("HTTP/1.1 101 ")) this.#switch(stream)
    if ((flags & headFlags.final) !== 0) stream.responseEnded()
    sink?.onHead(flags, head, inlineBody)
  }

  onData(stream: number, bytes: Buffer): void {
    this.#streams.get(stream)?.sink?.onData(bytes)
  }

  onEnd(id: number, trailers: string): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    const { sink } = stream
    stream.responseEnded()
    sink?.onEnd(trailers)
  }

  onReset(id: number, code: ResetCode): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    const { sink } = stream
    this.forget(stream)
    if (code === "upgrade_limit") this.#occupancy.upgradesFull = true
    sink?.onReset(code)
  }

  onWindow(stream: number, credit: number): void {
    this.#streams.get(stream)?.sink?.onWindow(credit)
  }

  onDrain(): void {
    this.#draining = true
  }

  /** 1 to 4294967295, then from 1 again, passing over those in use. */
  #streamId(): number {
    do this.#lastStream = this.#lastStream === maxStreamId ? 1 : this.#lastStream + 1
    while (this.#streams.has(this.#lastStream))
    return this.#lastStream
  }

  #switch(stream: SessionStream): void {
    this.#occupancy.switched(stream)
    this.#options.port.onRoom(this)
  }

  #unblock(): void {
    const waiting = [...this.#blocked]
    this.#blocked.clear()
    for (const stream of waiting) stream.sink?.onWritable()
  }

  #acknowledge(): void {
    this.#ackTimer = undefined
    if (!this.session.ackDue || this.#ended) return
    const carrier = this.#carriers.find((one) => one.ready && one.kind !== "poll")
    carrier?.send([this.session.ackMessage()])
  }

  #readyCarrier(): Carrier | undefined {
    return readyCarrier(this.#carriers, this.session)
  }

  /** Once per turn of the event loop: what many sockets said in one turn leaves as one message. */
  #scheduleFlush(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(this.#flushNow)
  }

  /** A poll is answered once: it waits for all that the turn brings. */
  #flushBatch(): void {
    if (this.#carriers[0]?.kind !== "poll") this.flush()
  }

  readonly #flushNow = (): void => this.flush()
}
