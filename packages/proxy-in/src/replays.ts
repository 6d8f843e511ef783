// The exchanges that this agent replays for one session: frames from the edge go to their replay, and what the replays
// say goes into the session.
import { openKind, StreamTable, WireError } from "@restante/protocol"
import type { OpenFrame, ResetCode, Session, StreamSink } from "@restante/protocol"
import type { HostHeader } from "./agent-options.ts"
import type { ReplayTracing } from "./observe/replay-tracing.ts"
import type { PortTargets } from "./port-targets.ts"
import type { FlowListener, RequestListener, SettledRequest } from "./observe/settled-request.ts"
import { Replay } from "./upstream/replay.ts"
import type { ReplayOutcome } from "./upstream/replay.ts"
import type { Upstreams } from "./upstream/upstreams.ts"
import type { RunningStream } from "./upstream/running-stream.ts"
import { TcpRelay } from "./upstream/tcp-relay.ts"
import { UdpRelay } from "./upstream/udp-relay.ts"
import type { ReplyStream } from "./upstream/reply-stream.ts"

export interface ReplaysOptions {
  /** Undefined: it takes no requests. */
  readonly pool: Upstreams | undefined
  /** Where ports lead. Default: nowhere. */
  readonly targets?: Pick<PortTargets, "tcp" | "udp"> | undefined
  /** Most connections of ports at a time; they do not count against `concurrency`. Default 0. */
  readonly maxConnections?: number | undefined
  readonly hostHeader: HostHeader
  readonly concurrency: number
  /** Milliseconds that only go forward. */
  readonly now: () => number
  /** Most connections that have switched protocols, at a time; they do not count against `concurrency`. */
  readonly maxUpgrades: number
  /** Where replies go; known only once the link that carries them is made. */
  readonly link: () => ReplyPath
  readonly tracing?: ReplayTracing | undefined
  /** What UDP flows learn while they go on. */
  readonly flows?: FlowListener | undefined
  readonly onSettled: RequestListener
}

export interface ReplyPath {
  readonly out: Session
  readonly congested: boolean
  /** Sends what waits now, and not at the end of this turn of the event loop. */
  flush(): void
}

/** Without a deadline in the OPEN an upstream has this long to begin its answer. */
const defaultHeadTimeoutMs = 60_000

export class Replays implements StreamSink {
  readonly #options: ReplaysOptions
  readonly #running = new StreamTable<RunningStream>()
  /** Of those that run, the ones that asked to switch protocols, and the ones that have. */
  #upgrades = 0
  #switched = 0
  /** Of those that run, the ones of ports. */
  #ofPorts = 0
  #draining = false
  #idle: (() => void) | undefined

  constructor(options: ReplaysOptions) {
    this.#options = options
  }

  get active(): number {
    return this.#running.size
  }

  /** Begins nothing more, ends WebSockets politely; resolves once everything that runs has ended. */
  drained(): Promise<void> {
    this.#draining = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle = resolve
    for (const replay of this.#running.values()) replay.leave()
    if (this.#running.size === 0) resolve()
    return promise
  }

  /** The session is over: the upstreams' connections are closed, nobody waits for their answers. */
  abandon(): void {
    for (const replay of this.#running.values()) replay.onReset()
    this.#running.clear()
    this.#idle?.()
  }

  /** The session has room again. */
  resume(): void {
    for (const replay of this.#running.values()) replay.resume()
  }

  onOpen(stream: number, frame: OpenFrame): void {
    const { pool, hostHeader, concurrency, maxUpgrades, link, now } = this.#options
    if (this.#running.has(stream)) throw new WireError("frame_unexpected", `stream ${stream} is open`)
    if (this.#draining) return link().out.reset(stream, "agent_stopping")
    if (frame.kind === openKind.tcp || frame.kind === openKind.udp) return this.#openOfPort(stream, frame)
    if (pool === undefined) return link().out.reset(stream, "request_rejected", "no --server")
    if (this.#running.size - this.#switched - this.#ofPorts >= concurrency)
      return link().out.reset(stream, "agent_overloaded")
    const upgrade = frame.kind === openKind.upgrade
    if (upgrade && this.#upgrades >= maxUpgrades) return link().out.reset(stream, "upgrade_limit")
    let switched = false
    const replay = new Replay(frame, new Reply(stream, link()), {
      pool,
      hostHeader,
      headTimeoutMs: Math.max(1, frame.deadlineMs ?? defaultHeadTimeoutMs),
      readTimeoutMs: 0, // an event stream may be silent for hours; a client that gives up cancels
      now,
      tracing: this.#options.tracing,
      onSwitched: () => {
        switched = true
        this.#switched++
      },
      onSettled: (outcome) => {
        if (switched) this.#switched--
        if (upgrade) this.#upgrades--
        this.#settled(stream, replay, outcome)
      },
    })
    if (upgrade) this.#upgrades++
    this.#running.set(stream, replay)
    replay.start()
  }

  #openOfPort(stream: number, frame: OpenFrame): void {
    const { maxConnections = 0, targets, link, now, flows } = this.#options
    if (this.#ofPorts >= maxConnections) return link().out.reset(stream, "agent_overloaded")
    const reply = new Reply(stream, link())
    const onSettled = (outcome: ReplayOutcome): void => {
      this.#ofPorts--
      this.#settled(stream, relay, outcome)
    }
    const relay =
      frame.kind === openKind.tcp
        ? new TcpRelay(frame, reply, { targetOf: (head) => targets?.tcp(head), now, onSettled })
        : new UdpRelay(frame, reply, { targetOf: (head) => targets?.udp(head), now, flows, onSettled })
    this.#ofPorts++
    this.#running.set(stream, relay)
    relay.start()
  }

  onData(stream: number, bytes: Buffer): void {
    this.#running.get(stream)?.onData(bytes)
  }

  onEnd(stream: number, trailers: string): void {
    this.#running.get(stream)?.onEnd(trailers)
  }

  onReset(stream: number, _code: ResetCode): void {
    this.#running.get(stream)?.onReset()
  }

  onWindow(stream: number, creditBytes: number): void {
    this.#running.get(stream)?.onWindow(creditBytes)
  }

  onTaken(): void {
    throw new WireError("frame_unexpected", "TAKEN from the edge")
  }

  onHead(): void {
    throw new WireError("frame_unexpected", "HEAD from the edge")
  }

  onDrain(): void {
    // The edge is about to stop: it opens nothing more, and what runs goes on.
  }

  #settled(stream: number, settled: SettledRequest, outcome: ReplayOutcome): void {
    this.#running.delete(stream)
    this.#options.onSettled(settled, outcome)
    if (this.#running.size === 0) this.#idle?.()
  }
}

class Reply implements ReplyStream {
  readonly #stream: number
  readonly #link: ReplyPath

  constructor(stream: number, link: ReplyPath) {
    this.#stream = stream
    this.#link = link
  }

  get congested(): boolean {
    return this.#link.congested
  }

  /** At once: what the edge has not heard of when this process dies it takes for not begun. */
  taken(): void {
    this.#link.out.taken(this.#stream)
    this.#link.flush()
  }

  head(flags: number, head: string, inlineBody?: Buffer): void {
    this.#link.out.head(this.#stream, flags, head, inlineBody)
  }

  timing(upstreamMicroseconds: number): void {
    this.#link.out.timing(this.#stream, upstreamMicroseconds)
  }

  data(bytes: Buffer): void {
    this.#link.out.data(this.#stream, bytes)
  }

  end(trailers: string): void {
    this.#link.out.end(this.#stream, trailers)
  }

  reset(code: ResetCode, detail?: string): void {
    this.#link.out.reset(this.#stream, code, detail)
  }

  window(creditBytes: number): void {
    this.#link.out.window(this.#stream, creditBytes)
  }
}
