// Exchanges whose client is here and whose agent is at the peer: grants claims, once each, and passes frames both ways.
import { headFlags } from "@restante/protocol"
import type { FrameSink, OpenFrame, ResetCode } from "@restante/protocol"
import type { AgentStream, Leasable, StreamSink } from "../exchange/agent-stream.ts"
import { PeerFrames } from "./outbox.ts"
import type { Outbox } from "./outbox.ts"

export class OwnerSide extends PeerFrames implements FrameSink {
  readonly #outbox: Outbox
  readonly #find: (exchangeId: string) => Leasable | undefined
  readonly #sinks = new Map<number, StreamSink>()

  constructor(outbox: Outbox, find: (exchangeId: string) => Leasable | undefined) {
    super()
    this.#outbox = outbox
    this.#find = find
  }

  lost(): void {
    const sinks = [...this.#sinks.values()]
    this.#sinks.clear()
    for (const sink of sinks) sink.onLost({ begun: "maybe" })
  }

  /** A claim. The attempt is compared, so that an old ticket does not win over a newer one. */
  onOpen(stream: number, frame: OpenFrame): void {
    const leasable = this.#find(frame.exchangeId)
    if (leasable === undefined || !leasable.waiting || leasable.ticket.attempt !== frame.attempt) {
      this.#outbox.frames.reset(stream, "cancelled")
      return this.#outbox.written()
    }
    this.#outbox.frames.taken(stream) // granted
    this.#outbox.written()
    this.#sinks.set(
      stream,
      leasable.leased(new RelayedStream(stream, this.#outbox, () => this.#sinks.delete(stream))),
    )
  }

  onTaken(stream: number): void {
    this.#sinks.get(stream)?.onTaken()
  }

  onHead(stream: number, flags: number, head: string, inlineBody: Buffer | undefined): void {
    const sink = this.#sinks.get(stream)
    if ((flags & headFlags.final) !== 0) this.#sinks.delete(stream)
    sink?.onHead(flags, head, inlineBody)
  }

  onData(stream: number, bytes: Buffer): void {
    this.#sinks.get(stream)?.onData(bytes)
  }

  onEnd(stream: number, trailers: string): void {
    const sink = this.#sinks.get(stream)
    this.#sinks.delete(stream)
    sink?.onEnd(trailers)
  }

  onReset(stream: number, code: ResetCode): void {
    const sink = this.#sinks.get(stream)
    this.#sinks.delete(stream)
    sink?.onReset(code)
  }

  onWindow(stream: number, credit: number): void {
    this.#sinks.get(stream)?.onWindow(credit)
  }
}

/** At the owner: towards the agent, by way of the peer. */
class RelayedStream implements AgentStream {
  /** Credit bounds what can be under way, so the relay itself never says stop. */
  readonly congested = false
  readonly #id: number
  readonly #outbox: Outbox
  readonly #over: () => void

  constructor(id: number, outbox: Outbox, over: () => void) {
    this.#id = id
    this.#outbox = outbox
    this.#over = over
  }

  data(bytes: Buffer): void {
    this.#outbox.frames.data(this.#id, bytes)
    this.#outbox.written()
  }

  end(trailers: string): void {
    this.#outbox.frames.end(this.#id, trailers)
    this.#outbox.written()
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
