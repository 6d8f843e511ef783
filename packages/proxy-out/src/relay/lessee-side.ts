// Exchanges whose client is at the peer and whose agent is here: asks for them, and passes frames both ways.
import { headFlags, openKind } from "@restante/protocol"
import type { FrameSink, ResetCode } from "@restante/protocol"
import type { AgentStream, Leasable, StreamLoss, StreamSink } from "../exchange/agent-stream.ts"
import type { Ticket } from "../queue/broker.ts"
import { PeerFrames, unexpected } from "./outbox.ts"
import type { Outbox } from "./outbox.ts"

export class LesseeSide extends PeerFrames implements FrameSink {
  readonly #outbox: Outbox
  readonly #claims = new Map<
    number,
    { ticket: Ticket; onGranted: (leasable: Leasable) => void; onRefused: () => void }
  >()
  readonly #streams = new Map<number, LeasedStream>()
  #next = 1

  constructor(outbox: Outbox) {
    super()
    this.#outbox = outbox
  }

  claim(ticket: Ticket, onGranted: (leasable: Leasable) => void, onRefused: () => void): void {
    const stream = this.#next++
    this.#claims.set(stream, { ticket, onGranted, onRefused })
    const { id, attempt, record } = ticket
    this.#outbox.frames.open(stream, {
      kind: openKind.http,
      exchangeId: id,
      attempt,
      scheme: record.scheme,
      head: "",
      bodyFollows: false,
    })
    this.#outbox.written()
  }

  lost(): void {
    for (const { onRefused } of this.#claims.values()) onRefused()
    this.#claims.clear()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const { stream } of streams) stream.reset("cancelled")
  }

  /** Granted. When no session can take it after all, the owner gets it back at once. */
  onTaken(id: number): void {
    const claim = this.#claims.get(id)
    if (claim === undefined) return
    this.#claims.delete(id)
    const { ticket } = claim
    let opened = false
    claim.onGranted({
      ticket,
      waiting: true,
      leased: (stream) => {
        opened = true
        this.#streams.set(id, { stream, halves: ticket.bodyFollows ? 2 : 1 })
        return new RelayedSink(id, ticket, this.#outbox, {
          answered: () => this.#halfEnded(id),
          over: () => this.#streams.delete(id),
        })
      },
    })
    if (opened) return
    this.#outbox.frames.reset(id, "agent_stopping")
    this.#outbox.written()
  }

  onReset(id: number, code: ResetCode): void {
    const claim = this.#claims.get(id)
    this.#claims.delete(id)
    claim?.onRefused()
    const leased = this.#streams.get(id)
    this.#streams.delete(id)
    leased?.stream.reset(code)
  }

  onData(id: number, bytes: Buffer): void {
    this.#streams.get(id)?.stream.data(bytes)
  }

  onEnd(id: number, trailers: string): void {
    this.#streams.get(id)?.stream.end(trailers)
    this.#halfEnded(id)
  }

  onWindow(id: number, credit: number): void {
    this.#streams.get(id)?.stream.window(credit)
  }

  #halfEnded(id: number): void {
    const leased = this.#streams.get(id)
    if (leased !== undefined && --leased.halves === 0) this.#streams.delete(id)
  }

  onOpen(): void {
    throw unexpected("OPEN")
  }

  onHead(): void {
    throw unexpected("HEAD")
  }
}

interface LeasedStream {
  readonly stream: AgentStream
  /** Request and response that have not ended: the stream is over with the last. */
  halves: number
}

interface StreamEnds {
  /** The response has ended. */
  answered(): void
  /** The whole stream has. */
  over(): void
}

/** What a session says of an exchange of the peer, on its way there. */
class RelayedSink implements StreamSink {
  readonly #id: number
  readonly #ticket: Ticket
  readonly #outbox: Outbox
  readonly #ends: StreamEnds
  #taken = false
  #answering = false

  constructor(id: number, ticket: Ticket, outbox: Outbox, ends: StreamEnds) {
    this.#id = id
    this.#ticket = ticket
    this.#outbox = outbox
    this.#ends = ends
  }

  get repeatable(): boolean {
    return this.#ticket.idempotent && !this.#ticket.bodyFollows && !this.#answering
  }

  onTaken(): void {
    this.#taken = true
    this.#outbox.frames.taken(this.#id)
    this.#outbox.written()
  }

  onTiming(upstreamMicroseconds: number): void {
    this.#outbox.frames.timing(this.#id, upstreamMicroseconds)
    this.#outbox.written()
  }

  onHead(flags: number, head: string, inlineBody: Buffer | undefined): void {
    this.#answering = true
    if ((flags & headFlags.final) !== 0) this.#ends.answered()
    this.#outbox.frames.head(this.#id, flags, head, inlineBody)
    this.#outbox.written()
  }

  onData(bytes: Buffer): void {
    this.#outbox.frames.data(this.#id, bytes)
    this.#outbox.written()
  }

  onEnd(trailers: string): void {
    this.#ends.answered()
    this.#outbox.frames.end(this.#id, trailers)
    this.#outbox.written()
  }

  onReset(code: ResetCode): void {
    this.#ends.over()
    this.#outbox.frames.reset(this.#id, code)
    this.#outbox.written()
  }

  onWindow(creditBytes: number): void {
    this.#outbox.frames.window(this.#id, creditBytes)
    this.#outbox.written()
  }

  onWritable(): void {
    // The relay keeps no queue of its own: credit bounds what is under way.
  }

  onLost({ begun }: StreamLoss): void {
    const notBegun = begun === "no" || (begun === "untaken" && !this.#taken && !this.#ticket.idempotent)
    this.onReset(notBegun ? "agent_stopping" : "agent_lost")
  }
}
