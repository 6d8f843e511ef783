// One session with the edge and everything that carries it: polls at the base, a websocket where it works, and beside it
// a streamed poll and push for what is large. It lives until the edge forgets the session, and outlives every connection.
import { Session, WireError } from "@restante/protocol"
import type { Message, StreamSink } from "@restante/protocol"
import type { Transport } from "../agent-options.ts"
import type { Clock } from "../clock.ts"
import { Backoff } from "./backoff.ts"
import type { CarrierPort, UpCarrier } from "./carrier.ts"
import type { EdgeClient, Welcome } from "./edge-client.ts"
import { LinkError } from "./link-error.ts"
import { Polls } from "./polls.ts"
import { lookMs, Pulse, silentMs } from "./pulse.ts"
import { Pushes } from "./pushes.ts"
import { StreamedPush } from "./streamed-push.ts"
import { WebSocketLink } from "./websocket.ts"

export interface LinkOptions {
  readonly client: EdgeClient
  readonly welcome: Welcome
  readonly transport: Transport
  readonly clock: Clock
  readonly sink: StreamSink
  /** The edge answers again, or for the first time. */
  readonly onAlive: () => void
  /** Something is wrong at the moment; the link goes on trying. */
  readonly onTrouble: (error: LinkError) => void
  /** With transport "auto": messages travel another way from now on. */
  readonly onTransport: (carriedOn: "poll" | "websocket") => void
  readonly onRoundTrip: (roundTripMs: number) => void
  /** The edge has these buffers. */
  readonly onReleased: (buffers: readonly Buffer[]) => void
  /** The session is over; attach anew. Exactly once. */
  readonly onOver: (error: LinkError) => void
  /** The session has room again for what the upstreams say. */
  readonly onWritable: () => void
}

const ackDelayMs = 20
/** From this much on what waits is worth the streamed push, which needs no masking. */
const bulkBytes = 64 * 1024
/** Sources are held back while this much is on its way up. */
const maxBufferedBytes = 8 * 1024 * 1024

export class Link implements CarrierPort {
  readonly session: string
  readonly #options: LinkOptions
  readonly #session: Session
  readonly #pushes: Pushes
  readonly #websocket: WebSocketLink | undefined
  readonly #backoff: Backoff
  readonly #pulse: Pulse
  #polls: Polls
  #streamedPush: StreamedPush
  #nextCarrier = 1
  #flushing = false
  #askAgain = false
  #over = false
  /** Something was wrong, and the edge has not answered since. */
  #troubled = false
  /** When carriers that failed are tried again. */
  #retryAt = 0
  #checker: NodeJS.Timeout | undefined
  #ackTimer: NodeJS.Timeout | undefined
  #blocked = false

  constructor(options: LinkOptions) {
    this.#options = options
    const { client, welcome, transport, clock, sink } = options
    this.session = welcome.session
    this.#backoff = new Backoff({ firstMs: 100, mostMs: 5000 }, clock)
    this.#session = new Session({
      sink,
      pieces: welcome.pieces ?? false,
      onOutput: () => this.#scheduleFlush(),
      onBatch: () => this.#flushBatch(),
      onPong: (bytes) => this.#onPong(bytes),
      onReleased: options.onReleased,
    })
    this.#pulse = new Pulse(this.#session, clock, options.onRoundTrip)
    this.#pushes = new Pushes(client, this, this.#retryMs)
    this.#streamedPush = this.#newStreamedPush()
    this.#polls = this.#newPolls()
    this.#websocket =
      transport === "poll"
        ? undefined
        : new WebSocketLink({
            client,
            port: this,
            clock,
            mostRetryMs: transport === "auto" ? 60_000 : 5000,
            onOpen: (open) => this.#onWebSocket(open),
            onFailed: (error) => this.#onWebSocketFailed(error),
          })
  }

  get out(): Session {
    return this.#session
  }

  /** The way messages travel now. */
  get carriedOn(): "poll" | "websocket" | undefined {
    if (this.#websocket?.open) return "websocket"
    return this.#options.transport !== "websocket" && this.#pulse.quietMs < silentMs ? "poll" : undefined
  }

  /** True while so much is on its way up that upstreams are not to be read; `onWritable` follows. */
  get congested(): boolean {
    if (this.#session.queuedBytes + this.#session.unacknowledgedBytes < maxBufferedBytes) return false
    this.#blocked = true
    return true
  }

  start(): void {
    this.#websocket?.start()
    if (this.#options.transport !== "websocket") {
      this.#polls.start()
      this.#streamedPush.start()
    }
    this.#pulse.ping()
    this.#armCheck()
  }

  /** Everything said so far has reached the edge, or never will. */
  get settled(): boolean {
    return this.#over || (!this.#session.hasOutput && this.#session.unacknowledgedBytes === 0)
  }

  /** Ends it and all its carriers at once. */
  end(): void {
    this.#end(new LinkError("session_over", "stopped"))
  }

  #stop(): void {
    this.#over = true
    clearTimeout(this.#checker)
    clearTimeout(this.#ackTimer)
    this.#polls.stop()
    this.#pushes.stop()
    this.#streamedPush.stop()
    this.#websocket?.stop()
  }

  // For carriers.

  nextCarrierId(): number {
    return this.#nextCarrier++
  }

  receive(message: Message): void {
    if (this.#over) return
    this.#pulse.heard()
    try {
      this.#session.receive(message)
    } catch (error) {
      // Whichever carrier brought it, the session is broken: only attaching anew helps.
      if (!(error instanceof WireError)) throw error
      return this.failed(error)
    }
    if (
      this.#blocked &&
      this.#session.queuedBytes + this.#session.unacknowledgedBytes < maxBufferedBytes / 2
    ) {
      this.#blocked = false
      this.#options.onWritable()
    }
    if (this.#session.ackDue && this.#ackTimer === undefined) {
      this.#ackTimer = setTimeout(() => this.#acknowledge(), ackDelayMs)
    }
  }

  acknowledgement(): Buffer {
    const resend = this.#askAgain
    this.#askAgain = false
    return this.#session.ackMessage({ resend })
  }

  lost(id: number): void {
    if (this.#over) return
    this.#askAgain = true
    this.#session.carrierLost(id)
    this.#scheduleFlush()
    this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ackDelayMs)
  }

  alive(): void {
    this.#pulse.heard()
    this.#troubled = false
    this.#retryAt = 0
    this.#backoff.reset()
    this.#options.onAlive()
  }

  failed(error: Error): void {
    if (this.#over) return
    const problem =
      error instanceof WireError
        ? new LinkError("session_over", error.message, { cause: error })
        : LinkError.from(error)
    if (problem.code === "session_over") return this.#end(problem)
    // A single carrier's loss is no trouble while another carries on.
    if (this.carriedOn === "websocket") return
    this.#troubled = true
    this.#options.onTrouble(problem)
  }

  flush(): void {
    this.#flushing = false
    if (this.#over) return
    while (this.#session.hasOutput) {
      const carrier = this.#readyCarrier()
      if (carrier === undefined) return
      const parts = this.#session.nextMessage(carrier.id)
      if (parts === undefined) return
      carrier.send(parts)
    }
  }

  #newPolls(): Polls {
    return new Polls({
      client: this.#options.client,
      port: this,
      pollMs: this.#options.welcome.pollSeconds * 1000,
      retryMs: this.#retryMs,
      onStreaming: () => this.#scheduleFlush(),
    })
  }

  #newStreamedPush(): StreamedPush {
    const { client } = this.#options
    return new StreamedPush({ client, port: this, session: this.#session, retryMs: this.#retryMs })
  }

  #readyCarrier(): UpCarrier | undefined {
    const websocket = this.#websocket
    if (websocket?.open) {
      // What follows something large is delivered after it anyway: it goes the same way, so that nothing arrives early.
      const large = this.#session.queuedBytes >= bulkBytes || this.#session.unacknowledgedBytes >= bulkBytes
      if (large && this.#streamedPush.ready) return this.#streamedPush
      return websocket.ready ? websocket : undefined
    }
    if (this.#options.transport === "websocket") return undefined
    if (this.#streamedPush.proven) return this.#streamedPush.ready ? this.#streamedPush : undefined
    return this.#pushes.ready ? this.#pushes : undefined
  }

  #onWebSocket(open: boolean): void {
    if (this.#options.transport === "auto") {
      // Short polls rest while the websocket carries, and take over when it is gone.
      if (open) this.#polls.rest()
      else this.#polls.wake()
      this.#options.onTransport(open ? "websocket" : "poll")
    } else if (open) {
      this.#polls = this.#newPolls()
      this.#polls.start(true)
      this.#streamedPush = this.#newStreamedPush()
      this.#streamedPush.start()
    } else {
      this.#polls.stop()
      this.#streamedPush.stop()
    }
    this.#scheduleFlush()
  }

  #onWebSocketFailed(error: LinkError): void {
    if (error.code === "session_over") return this.#end(error)
    if (this.#options.transport === "websocket") this.#options.onTrouble(error)
  }

  #onPong(bytes: Buffer): void {
    this.#streamedPush.pong(bytes)
    this.#pulse.pong(bytes)
  }

  #acknowledge(): void {
    this.#ackTimer = undefined
    if (this.#over || (!this.#session.ackDue && !this.#askAgain)) return
    const carrier = this.#readyCarrier()
    if (carrier !== undefined) carrier.send([this.acknowledgement()])
  }

  #armCheck(): void {
    this.#checker = setTimeout(() => {
      this.#check()
      if (!this.#over) this.#armCheck()
    }, lookMs)
  }

  #check(): void {
    const { quietMs, dead, missing } = this.#pulse.look(this.#troubled)
    if (quietMs > silentMs + this.#options.welcome.resumeSeconds * 1000)
      return this.#end(new LinkError("session_over", "no contact for too long"))
    if (quietMs > silentMs)
      this.#options.onTrouble(new LinkError("timeout", `silent for ${Math.round(quietMs / 1000)} s`))
    if (dead) {
      this.#websocket?.abandon()
      this.#options.client.renew()
    }
    if (!missing) return
    this.#askAgain = true
    const carrier = this.#readyCarrier()
    if (carrier !== undefined) carrier.send([this.acknowledgement()])
  }

  #end(error: LinkError): void {
    if (this.#over) return
    this.#stop()
    this.#options.onOver(error)
  }

  #scheduleFlush(): void {
    if (this.#flushing || this.#over) return
    this.#flushing = true
    setImmediate(this.#flushNow)
  }

  /** A push of its own waits for all that the turn brings. */
  #flushBatch(): void {
    if (this.#websocket?.open === true || this.#streamedPush.proven) this.flush()
  }

  /** Carriers that fail together wait together, and count as one failure. */
  readonly #retryMs = (): number => {
    const now = this.#options.clock.now()
    if (now >= this.#retryAt) this.#retryAt = now + this.#backoff.next()
    return this.#retryAt - now
  }

  readonly #flushNow = (): void => this.flush()
}
