// Frames as plain values, so that tests can write, record and compare them (bodies as latin-1 strings).
import {
  type FrameSink,
  type FrameWriter,
  type MessagePiece,
  type OpenFields,
  type OpenFrame,
  type ResetCode,
} from "../../src/wire/index.ts"

export type RecordedFrame =
  | ({ type: "open"; stream: number; body?: string | undefined } & Omit<OpenFields, "body">)
  | { type: "taken"; stream: number }
  | { type: "head"; stream: number; flags: number; head: string; body?: string | undefined }
  | { type: "data"; stream: number; bytes: string }
  | { type: "end"; stream: number; trailers: string }
  | { type: "reset"; stream: number; code: ResetCode; detail: string }
  | { type: "window"; stream: number; credit: number }
  | { type: "timing"; stream: number; upstreamMicroseconds: number }
  | { type: "ping" | "pong"; bytes: string }
  | { type: "piece"; number: number; payloadBytes: number; offset: number; bytes: string }
  | { type: "have"; number: number; payloadBytes: number }
  | { type: "drain" | "resend" }

/** Everything of a FrameWriter that a Session offers too. */
export type FrameTarget = Pick<
  FrameWriter,
  "open" | "taken" | "head" | "data" | "end" | "reset" | "window" | "timing" | "drain" | "ping"
>

/** Writes frames that a session takes; those that it writes by itself only a bare writer has. */
export function writeFrame(to: FrameTarget, frame: RecordedFrame): void {
  switch (frame.type) {
    case "open":
      to.open(frame.stream, { ...frame, body: toBytes(frame.body) })
      break
    case "taken":
      to.taken(frame.stream)
      break
    case "head":
      to.head(frame.stream, frame.flags, frame.head, toBytes(frame.body))
      break
    case "data":
      to.data(frame.stream, Buffer.from(frame.bytes, "latin1"))
      break
    case "end":
      to.end(frame.stream, frame.trailers)
      break
    case "reset":
      to.reset(frame.stream, frame.code, frame.detail)
      break
    case "window":
      to.window(frame.stream, frame.credit)
      break
    case "timing":
      to.timing(frame.stream, frame.upstreamMicroseconds)
      break
    case "ping":
      to.ping(Buffer.from(frame.bytes, "latin1"))
      break
    case "drain":
      to.drain()
      break
    case "pong":
    case "piece":
    case "have":
    case "resend":
      throw new Error(`${frame.type} is the session's own`)
  }
}

export function writeAnyFrame(to: FrameWriter, frame: RecordedFrame): void {
  if (frame.type === "pong") to.pong(Buffer.from(frame.bytes, "latin1"))
  else if (frame.type === "resend") to.resend()
  else if (frame.type === "have") to.have(frame.number, frame.payloadBytes)
  else if (frame.type === "piece") to.piece({ ...frame, bytes: Buffer.from(frame.bytes, "latin1") })
  else writeFrame(to, frame)
}

/** Keeps what it is given, in order. */
export class Recorder implements FrameSink {
  readonly frames: RecordedFrame[] = []

  onOpen(stream: number, frame: OpenFrame): void {
    this.frames.push({
      type: "open",
      stream,
      kind: frame.kind,
      exchangeId: frame.exchangeId,
      attempt: frame.attempt,
      scheme: frame.scheme,
      head: frame.head,
      bodyFollows: frame.bodyFollows,
      deadlineMs: frame.deadlineMs,
      clientAddress: frame.clientAddress,
      traceparent: frame.traceparent,
      tunnel: frame.tunnel,
      body: frame.body?.toString("latin1"),
    })
  }

  onTaken(stream: number): void {
    this.frames.push({ type: "taken", stream })
  }

  onHead(stream: number, flags: number, head: string, inlineBody: Buffer | undefined): void {
    this.frames.push({
      type: "head",
      stream,
      flags,
      head,
      body: inlineBody?.toString("latin1"),
    })
  }

  onData(stream: number, bytes: Buffer): void {
    this.frames.push({ type: "data", stream, bytes: bytes.toString("latin1") })
  }

  onEnd(stream: number, trailers: string): void {
    this.frames.push({ type: "end", stream, trailers })
  }

  onReset(stream: number, code: ResetCode, detail: string): void {
    this.frames.push({ type: "reset", stream, code, detail })
  }

  onWindow(stream: number, credit: number): void {
    this.frames.push({ type: "window", stream, credit })
  }

  onTiming(stream: number, upstreamMicroseconds: number): void {
    this.frames.push({ type: "timing", stream, upstreamMicroseconds })
  }

  onDrain(): void {
    this.frames.push({ type: "drain" })
  }

  onPing(bytes: Buffer): void {
    this.frames.push({ type: "ping", bytes: bytes.toString("latin1") })
  }

  onPong(bytes: Buffer): void {
    this.frames.push({ type: "pong", bytes: bytes.toString("latin1") })
  }

  onPiece(piece: MessagePiece): void {
    this.frames.push({ type: "piece", ...piece, bytes: piece.bytes.toString("latin1") })
  }

  onHave(number: number, payloadBytes: number): void {
    this.frames.push({ type: "have", number, payloadBytes })
  }

  onResend(): void {
    this.frames.push({ type: "resend" })
  }
}

function toBytes(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text, "latin1")
}
