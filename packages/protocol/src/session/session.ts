// One end of a session: frames go in on one side and come out on the other exactly once and in order, whatever happens to
// the carriers between. No I/O and no clock: the owner moves messages, notices lost carriers and decides when to ask again.
import {
  type FrameSink,
  FrameWriter,
  messageAck,
  messageBytesAt,
  messageHeaderBytes,
  messageNumber,
  type OpenFields,
  putMessageHeader,
  type Message,
  type MessagePiece,
  readFrames,
  readSegmentedFrames,
  type ResetCode,
  totalBytes,
  WireError,
  type WireLimits,
  wireLimits,
} from "../wire/index.ts"
import { ControlSink, withControl } from "./control-sink.ts"
import { Incoming } from "./incoming.ts"
import { MessageSizes } from "./message-sizes.ts"
import { type CarrierId, RetainedMessages } from "./retained.ts"
import type { SessionOptions } from "./session-options.ts"
import { acknowledgement, pingWithAcknowledgement } from "./unnumbered.ts"

export class Session {
  readonly #onOutput: () => void
  readonly #onBatch: (() => void) | undefined
  readonly #onReleased: ((buffers: readonly Buffer[]) => void) | undefined
  readonly #limits: WireLimits
  readonly #frames: FrameWriter
  /** PING and PONG: they go in unnumbered messages, because an old one is worth nothing. */
  readonly #control: FrameWriter
  readonly #retained: RetainedMessages
  readonly #incoming: Incoming
  readonly #sizes: MessageSizes
  readonly #streamSink: FrameSink
  readonly #controlSink: FrameSink
  #ackDue = false
  /** The peer is to be told how much of a message in pieces is here. */
  #haveDue = false
  #progress = 0
  #signalled = false
  /** Frames of DATA since the last message. */
  #unsentDataFrames = 0
  #broken: Error | undefined

  constructor(options: SessionOptions) {
    const limits = options.limits ?? wireLimits
    this.#onOutput = options.onOutput
    this.#onBatch = options.onBatch
    this.#onReleased = options.onReleased
    this.#limits = limits
    this.#frames = new FrameWriter({
      headroomBytes: messageHeaderBytes,
      limits,
      ...(options.batchBytes === undefined ? {} : { batchBytes: options.batchBytes }),
    })
    this.#control = new FrameWriter({ headroomBytes: messageHeaderBytes, limits })
    this.#retained = new RetainedMessages(options.pieces ?? false)
    this.#incoming = new Incoming(limits, (message) => readMessage(message, this.#streamSink, limits))
    this.#sizes = new MessageSizes(limits)
    this.#controlSink = new ControlSink({
      onPing: (bytes) => {
        // A peer that never fetches them makes us keep no more of them: they may be lost.
        if (this.#control.bytes < maxPongBytes) this.#control.pong(bytes)
        this.#signal()
      },
      onPong: options.onPong ?? (() => {}),
      onResend: () => this.resendAll(),
      onPiece: (piece) => this.#onPiece(piece),
      onHave: (number, payloadBytes) => {
        if (this.#retained.has(number, payloadBytes)) this.#progress++
      },
    })
    this.#streamSink = withControl(options.sink, this.#controlSink)
  }

  open(stream: number, fields: OpenFields): void {
    this.#frames.open(stream, fields)
    if (!this.#signalled) this.#signal()
  }

  taken(stream: number): void {
    this.#frames.taken(stream)
    if (!this.#signalled) this.#signal()
  }

  /** `flags`: exactly one of `headFlags`. */
  head(stream: number, flags: number, head: string, inlineBody?: Buffer): void {
    this.#frames.head(stream, flags, head, inlineBody)
    if (!this.#signalled) this.#signal()
  }

  /** The caller has taken the credit for it (SendCredit). `bytes` must not be changed afterwards. */
  data(stream: number, bytes: Buffer): void {
    this.#frames.data(stream, bytes)
    if (!this.#signalled) this.#signal()
    if (++this.#unsentDataFrames < batchDataFrames) return
    this.#unsentDataFrames = 0
    this.#onBatch?.()
  }

  end(stream: number, trailers = ""): void {
    this.#frames.end(stream, trailers)
    if (!this.#signalled) this.#signal()
  }

  /** `detail` reaches the peer's log only. */
  reset(stream: number, code: ResetCode, detail = ""): void {
    this.#frames.reset(stream, code, detail)
    if (!this.#signalled) this.#signal()
  }

  window(stream: number, creditBytes: number): void {
    this.#frames.window(stream, creditBytes)
    if (!this.#signalled) this.#signal()
  }

  /** Before the final head. See `FrameSink.onTiming`. */
  timing(stream: number, upstreamMicroseconds: number): void {
    this.#frames.timing(stream, upstreamMicroseconds)
    if (!this.#signalled) this.#signal()
  }

  drain(): void {
    this.#frames.drain()
    if (!this.#signalled) this.#signal()
  }

  /** `bytes`: 8, opaque; they come back through `onPong` unless a carrier is lost. */
  ping(bytes: Buffer): void {
    this.#control.ping(bytes)
    if (!this.#signalled) this.#signal()
  }

  /**
   * The next message for this carrier, as buffers to be written in order and not to be changed: first what has to be
   * sent again, then new frames, up to about `maxBytes` of payload. Undefined when nothing waits, or when so much is
   * unacknowledged that nothing new may be sent. Every message carries the current acknowledgement.
   */
  nextMessage(
    carrier: CarrierId,
    maxBytes: number = this.#sizes.messageBytes,
  ): readonly Buffer[] | undefined {
    const message = this.#broken === undefined ? this.#nextMessage(carrier, maxBytes) : undefined
    if (!this.hasOutput) this.#signalled = false
    return message
  }

  /** Whether `nextMessage` would return something now. */
  get hasOutput(): boolean {
    if (this.#broken !== undefined) return false
    return (
      this.#retained.hasResends ||
      this.#control.bytes > 0 ||
      this.#haveDue ||
      (this.#frames.bytes > 0 && this.#mayStartMessage)
    )
  }

  /** An unnumbered message with the current acknowledgement and, when asked for, RESEND. */
  ackMessage(options: { readonly resend: boolean } = { resend: false }): Buffer {
    this.#ackDue = false
    return acknowledgement(this.#incoming, options.resend)
  }

  /**
   * An unnumbered message with the current acknowledgement and a PING, to be sent on one certain carrier: the PONG shows that
   * this one works. `bytes`: as in `ping`.
   */
  pingMessage(bytes: Buffer): Buffer {
    return pingWithAcknowledgement(this.#incoming, bytes)
  }

  /**
   * One whole message from any carrier, header included, in one buffer or in several of which the first holds at least
   * the header; its memory may be kept. What comes early waits, what came
   * before is dropped. Throws only WireError (and what the sink throws): the session is then broken, gives out nothing
   * more and throws the same again.
   */
  receive(message: Message): void {
    if (this.#broken !== undefined) throw this.#broken
    try {
      this.#receive(message)
    } catch (error) {
      this.#broken = error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }

  /** What this carrier took and the peer has not acknowledged goes out again, on any other carrier. */
  carrierLost(carrier: CarrierId): void {
    this.#retained.carrierLost(carrier)
    this.#afterLoss()
    // The last acknowledgement may have been lost with it.
    if (this.#incoming.received > 0) this.#ackDue = true
    this.#signal()
  }

  /** Everything that is unacknowledged goes out again. */
  resendAll(): void {
    this.#retained.resendAll()
    this.#afterLoss()
    if (this.#incoming.have !== undefined) this.#haveDue = true
    this.#signal()
  }

  /** Something numbered was received that no message given out since has acknowledged. */
  get ackDue(): boolean {
    return this.#ackDue
  }

  /** Bytes given to carriers that the peer has not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#retained.bytes
  }

  /** Grows whenever the peer says that more has arrived: an owner's timer sees by it whether there is progress. */
  get progress(): number {
    return this.#progress
  }

  /** Bytes of frames that no carrier has taken yet. */
  get queuedBytes(): number {
    return this.#frames.bytes + this.#control.bytes
  }

  /** A later message is here, an earlier one is not. When this lasts, ask with `ackMessage({ resend: true })`. */
  get missing(): boolean {
    return this.#incoming.missing
  }

  get #mayStartMessage(): boolean {
    const { maxUnacknowledgedBytes, maxUnacknowledgedMessages } = this.#limits
    return this.#retained.count < maxUnacknowledgedMessages && this.#retained.bytes < maxUnacknowledgedBytes
  }

  #nextMessage(carrier: CarrierId, maxBytes: number): readonly Buffer[] | undefined {
    // First what is small and helps what is large on its way.
    if (this.#haveDue) this.#writeHave()
    if (this.#control.bytes > 0) return this.#withHeader(this.#control.take(maxBytes), 0)
    if (this.#retained.hasResends) {
      this.#ackDue = false
      return this.#retained.nextResend(carrier, this.#incoming.received)
    }
    if (this.#frames.bytes === 0 || !this.#mayStartMessage) return undefined
    const buffers = this.#withHeader(this.#frames.take(maxBytes), this.#retained.lastNumber + 1)
    this.#unsentDataFrames = 0
    if (buffers === undefined) return undefined
    const bytes = totalBytes(buffers)
    this.#retained.add(carrier, buffers, bytes)
    if (this.#sizes.reduced) this.#frames.frameDataBytes = this.#sizes.sent(bytes)
    return buffers
  }

  #afterLoss(): void {
    if (this.#retained.inPieces) this.#frames.frameDataBytes = this.#sizes.reduce()
  }

  #onPiece(piece: MessagePiece): void {
    this.#ackDue = true
    this.#incoming.takePiece(piece)
    this.#haveDue = this.#incoming.have !== undefined
    this.#signal()
  }

  #writeHave(): void {
    const { received, have } = this.#incoming
    this.#haveDue = false
    if (have !== undefined) this.#control.have(received + 1, have)
  }

  #signal(): void {
    if (this.#signalled || !this.hasOutput) return
    this.#signalled = true
    this.#onOutput()
  }

  #withHeader(buffers: Buffer[] | undefined, number: number): Buffer[] | undefined {
    const first = buffers?.[0]
    if (buffers === undefined || first === undefined) return undefined
    putMessageHeader(first, totalBytes(buffers) - messageHeaderBytes, number, this.#incoming.received)
    this.#ackDue = false
    return buffers
  }

  #receive(message: Message): void {
    const head = Buffer.isBuffer(message) ? message : message[0]
    if (head === undefined || head.length < messageHeaderBytes)
      throw new WireError("message_truncated", `${head?.length ?? 0} bytes`)
    const bytes = Buffer.isBuffer(message) ? message.length : totalBytes(message)
    if (bytes !== messageBytesAt(head, 0, this.#limits))
      throw new WireError("message_size", "length field and size differ")
    const number = messageNumber(head)
    if (this.#retained.acknowledge(messageAck(head), this.#onReleased)) {
      this.#progress++
      // What was to be sent again may have arrived after all; or there is room for new messages again.
      if (!this.hasOutput) this.#signalled = false
      this.#signal()
    }
    if (number === 0) {
      readMessage(message, this.#controlSink, this.#limits)
      return
    }
    this.#ackDue = true
    this.#incoming.take(number, message)
  }
}

function readMessage(message: Message, sink: FrameSink, limits: WireLimits): void {
  if (Buffer.isBuffer(message)) readFrames(message, sink, messageHeaderBytes, limits)
  else readSegmentedFrames(message, sink, messageHeaderBytes, limits)
}

const maxPongBytes = 4096
/**
 * Few enough that both ends work at the same time when many connections say little, enough that a message's own cost is small beside
 * its frames'. Measured with 100 WebSockets on two processors: a third faster than whole turns, and faster than with 16. Heads are
 * not counted: what parsing them costs keeps both ends busy, and small GETs lost 5 % of processor time to more messages.
 */
const batchDataFrames = 8
