// What may stand in an unnumbered message: PING, PONG, RESEND, PIECE and HAVE. Everything else would be lost or done twice there,
// because only numbers make a frame arrive exactly once. The first three may stand in a numbered one as well.
import { type FrameSink, type MessagePiece, WireError } from "../wire/index.ts"

/** The frames that concern streams; PING and RESEND the session answers itself. */
export type StreamSink = Omit<FrameSink, "onPing" | "onPong" | "onResend" | "onPiece" | "onHave">

export type ControlHandlers = Required<
  Pick<FrameSink, "onPing" | "onPong" | "onResend" | "onPiece" | "onHave">
>

export class ControlSink implements FrameSink {
  readonly #handlers: ControlHandlers

  constructor(handlers: ControlHandlers) {
    this.#handlers = handlers
  }

  onPing(bytes: Buffer): void {
    this.#handlers.onPing(bytes)
  }

  onPong(bytes: Buffer): void {
    this.#handlers.onPong(bytes)
  }

  onResend(): void {
    this.#handlers.onResend()
  }

  onPiece(piece: MessagePiece): void {
    this.#handlers.onPiece(piece)
  }

  onHave(number: number, payloadBytes: number): void {
    this.#handlers.onHave(number, payloadBytes)
  }

  onOpen(): void {
    refuse("OPEN")
  }

  onTaken(): void {
    refuse("TAKEN")
  }

  onHead(): void {
    refuse("HEAD")
  }

  onData(): void {
    refuse("DATA")
  }

  onEnd(): void {
    refuse("END")
  }

  onReset(): void {
    refuse("RESET")
  }

  onWindow(): void {
    refuse("WINDOW")
  }

  onDrain(): void {
    refuse("DRAIN")
  }
}

function refuse(name: string): never {
  throw new WireError("frame_unexpected", `${name} in an unnumbered message`)
}

/** A sink for numbered messages, in which both kinds stand. One flat object, so that the reader's calls stay monomorphic. */
export function withControl(sink: StreamSink, control: FrameSink): FrameSink {
  return {
    onOpen: (stream, frame) => sink.onOpen(stream, frame),
    onTaken: (stream) => sink.onTaken(stream),
    onHead: (stream, flags, head, inlineBody) => sink.onHead(stream, flags, head, inlineBody),
    onData: (stream, bytes) => sink.onData(stream, bytes),
    onEnd: (stream, trailers) => sink.onEnd(stream, trailers),
    onReset: (stream, code, detail) => sink.onReset(stream, code, detail),
    onWindow: (stream, credit) => sink.onWindow(stream, credit),
    onTiming: (stream, microseconds) => sink.onTiming?.(stream, microseconds),
    onDrain: () => sink.onDrain(),
    onPing: (bytes) => control.onPing(bytes),
    onPong: (bytes) => control.onPong(bytes),
    onResend: () => control.onResend(),
  }
}
