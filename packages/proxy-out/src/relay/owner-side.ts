// Exchanges whose client is here and whose agent is at the peer: grants claims, once each, and passes frames both ways.
import { headFlags } from "@restante/protocol"
import type { FrameSink, OpenFrame, ResetCode } from "@restante/protocol"
import type { AgentStream, Leasable, StreamSink } from "../exchange/agent-stream.ts"
import { PeerFrames } from "./outbox.ts"
import type { Outbox } from "./outbox.ts"

export class OwnerSide extends PeerFrames implements FrameSink {
  readonly #outbox: Outbox
  readonly #find: (exchangeId: string) => Leasable | undefined
  readonly #streams = new Map<number, RelayedStream>()

  constructor(outbox: Outbox, find: (exchangeId: string) => Leasable | undefined) {
    super()
    this.#outbox = outbox
    this.#find = find
  }

  lost(): void {
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const { sink } of streams) sink?.onLost({ begun: "maybe" })
  }

  /** A claim. The attempt is compared, so that an old ticket does not win over a newer one. */
  onOpen(id: number, frame: OpenFrame): void {
    const leasable = this.#find(frame.exchangeId)
    if (leasable === undefined || !leasable.waiting || leasable.ticket.attempt !== frame.attempt) {
      this.#outbox.frames.reset(id, "cancelled")
      return this.#outbox.written()
    }
    this.#outbox.frames.taken(id) // granted
    this.#outbox.written()
    const halves = leasable.ticket.bodyFollows ? 2 : 1
    const stream = new RelayedStream(id, this.#outbox, halves, () => this.#streams.delete(id))
    this.#streams.set(id, stream)
    stream.sink = leasable.leased(stream)
  }

  onTaken(stream: number): void {
    this.#streams.get(stream)?.sink?.onTaken()
  }

  onTiming(stream: number, upstreamMicroseconds: number): void {
    this.#streams.get(stream)?.sink?.onTiming(upstreamMicroseconds)
  }

  onHead(id: number, flags: number, head: string, inlineBody: Buffer | undefined): void {
    const stream = this.#streams.get(id)
    if ((flags & headFlags.final) !== 0) stream?.halfEnded()
    stream?.sink?.onHead(flags, head, inlineBody)
  }

  onData(stream: number, bytes: Buffer): void {
    this.#streams.get(stream)?.sink?.onData(bytes)
  }

  onEnd(id: number, trailers: string): void {
    const stream = this.#streams.get(id)
    stream?.halfEnded()
    stream?.sink?.onEnd(trailers)
  }

  onReset(id: number, code: ResetCode): void {
    const stream = this.#streams.get(id)
    this.#streams.delete(id)
    stream?.sink?.onReset(code)
  }

  onWindow(stream: number, credit: number): void {
    this.#streams.get(stream)?.sink?.onWindow(credit)
  }
}

/** At the owner: towards the agent, by way of the peer. */
class RelayedStream implements AgentStream {
  /** Credit bounds what can be under way, so the relay itself never says stop. */
  readonly congested = false
  /** Undefined only until the exchange has been told. */
  sink: StreamSink | undefined
  readonly #id: number
  readonly #outbox: Outbox
  readonly #over: () => void
  /** Request and response that have not ended: the stream is over with the last. */
  #halves: number

  constructor(id: number, outbox: Outbox, halves: number, over: () => void) {
    this.#id = id
    this.#outbox = outbox
    this.#halves = halves
    this.#over = over
  }

  data(bytes: Buffer): void {
    this.#outbox.frames.data(this.#id, bytes)
    this.#outbox.written()
  }

  end(trailers: string): void {
    this.halfEnded()
    this.#outbox.frames.end(this.#id, trailers)
    this.#outbox.written()
  }

  halfEnded(): void {
    if (--this.#halves === 0) this.#over()
  }

  reset(code: ResetCode): void {
    this.#over()
    this.#outbox.frames.reset(this.#id, code)
    this.#outbox.written()
  }

  window(creditBytes: number): void {
    this.#outbox.frames.window(this.#id, creditBytes)
    this.#outbox.written()
  }
}
