// Takes a message's payload apart into frames. Every length is checked before anything is sliced, and nothing that the
// peer can send raises anything but WireError.
import { byteAt, getU16, getU24, getU32, getU64 } from "./bytes.ts"
import { WireError } from "./errors.ts"
import {
  firstExtensionType,
  type FrameSink,
  frameHeaderBytes,
  frameType,
  headFlags,
  pieceUnitBytes,
} from "./frames.ts"
import { type WireLimits, wireLimits } from "./limits.ts"
import { messageHeaderBytes } from "./message.ts"
import { parseOpenFrame } from "./open-frame.ts"
import { resetCodeFromNumber } from "./reset-codes.ts"

/**
 * Hands every frame of `payload` (from `start` on) to `sink`, in order. Throws only WireError (and what the sink
 * throws); frames before the faulty one have then been handed over.
 */
export function readFrames(
  payload: Buffer,
  sink: FrameSink,
  start = 0,
  limits: WireLimits = wireLimits,
): void {
  const end = payload.length
  let offset = start
  while (offset < end) {
    const contentStart = offset + frameHeaderBytes
    if (contentStart > end) throw new WireError("frame_truncated", "header")
    const contentEnd = contentStart + getU24(payload, offset + 1)
    if (contentEnd > end) throw new WireError("frame_truncated", "payload")
    if (contentEnd - contentStart > limits.maxFrameBytes) throw new WireError("frame_size")
    const type = byteAt(payload, offset)
    readFrame(payload, sink, type, getU32(payload, offset + 4), contentStart, contentEnd, limits)
    offset = contentEnd
  }
}

/** One frame whose payload stands whole between `start` and `end`. */
export function readFrame(
  payload: Buffer,
  sink: FrameSink,
  type: number,
  stream: number,
  start: number,
  end: number,
  limits: WireLimits,
): void {
  const bytes = end - start
  if (type === 0 || type > frameType.resend) {
    if (type < firstExtensionType) throw new WireError("frame_unknown", `type ${type}`)
    return readExtension(payload, sink, type, stream, start, end, limits)
  }
  // Types 8 to 11 speak about the session, 1 to 7 about one stream.
  if (type >= frameType.ping !== (stream === 0))
    throw new WireError("frame_unexpected", `type ${type} on stream ${stream}`)
  switch (type) {
    case frameType.open:
      return sink.onOpen(stream, parseOpenFrame(payload, start, end, limits))
    case frameType.taken:
      expectSize("TAKEN", bytes, 0)
      return sink.onTaken(stream)
    case frameType.head:
      return readHead(payload, sink, stream, start, end, limits)
    case frameType.data:
      if (bytes === 0) throw new WireError("frame_malformed", "empty DATA")
      return sink.onData(stream, payload.subarray(start, end))
    case frameType.end:
      if (bytes > limits.maxTrailerBytes) throw new WireError("frame_size", "END trailers")
      return sink.onEnd(stream, bytes === 0 ? "" : payload.toString("latin1", start, end))
    case frameType.reset:
      if (bytes < 2) throw new WireError("frame_malformed", "RESET is too short")
      if (bytes - 2 > limits.maxDetailBytes) throw new WireError("frame_size", "RESET detail")
      return sink.onReset(
        stream,
        resetCodeFromNumber(getU16(payload, start)),
        payload.toString("utf8", start + 2, end),
      )
    case frameType.window: {
      expectSize("WINDOW", bytes, 4)
      const credit = getU32(payload, start)
      if (credit === 0) throw new WireError("frame_malformed", "WINDOW of 0")
      return sink.onWindow(stream, credit)
    }
    case frameType.ping:
      expectSize("PING", bytes, 8)
      return sink.onPing(payload.subarray(start, end))
    case frameType.pong:
      expectSize("PONG", bytes, 8)
      return sink.onPong(payload.subarray(start, end))
    case frameType.drain:
      expectSize("DRAIN", bytes, 0)
      return sink.onDrain()
    case frameType.resend:
      expectSize("RESEND", bytes, 0)
      return sink.onResend()
  }
}

function readHead(
  payload: Buffer,
  sink: FrameSink,
  stream: number,
  start: number,
  end: number,
  limits: WireLimits,
): void {
  if (end - start < 5) throw new WireError("frame_malformed", "HEAD is too short")
  const flags = byteAt(payload, start)
  if (flags !== headFlags.final && flags !== headFlags.body && flags !== headFlags.informational)
    throw new WireError("frame_malformed", `HEAD flags ${flags}`)
  const headStart = start + 5
  const headBytes = getU32(payload, start + 1)
  if (headBytes > limits.maxHeadBytes) throw new WireError("frame_size", "HEAD head")
  const headEnd = headStart + headBytes
  if (headEnd > end) throw new WireError("frame_malformed", "HEAD head is longer than its frame")
  const bodyBytes = end - headEnd
  if (bodyBytes > limits.maxInlineBytes) throw new WireError("frame_size", "HEAD inline body")
  if (bodyBytes > 0 && flags !== headFlags.final)
    throw new WireError("frame_malformed", "HEAD with a body inside, without FINAL")
  sink.onHead(
    stream,
    flags,
    payload.toString("latin1", headStart, headEnd),
    bodyBytes > 0 ? payload.subarray(headEnd, end) : undefined,
  )
}

/** What is not known here is passed over. */
function readExtension(
  payload: Buffer,
  sink: FrameSink,
  type: number,
  stream: number,
  start: number,
  end: number,
  limits: WireLimits,
): void {
  if (type === frameType.timing && stream !== 0) {
    expectSize("TIMING", end - start, 4)
    sink.onTiming?.(stream, getU32(payload, start))
  } else if (type === frameType.piece && stream === 0) {
    readPiece(payload, sink, start, end, limits)
  } else if (type === frameType.have && stream === 0) {
    expectSize("HAVE", end - start, 12)
    sink.onHave?.(numberAt(payload, start), getU32(payload, start + 8))
  }
}

function readPiece(
  payload: Buffer,
  sink: FrameSink,
  start: number,
  end: number,
  { maxMessageBytes }: WireLimits,
): void {
  const bytes = end - start - 16
  if (bytes < 1) throw new WireError("frame_malformed", "PIECE is too short")
  const number = numberAt(payload, start)
  const payloadBytes = getU32(payload, start + 8)
  const offset = getU32(payload, start + 12)
  if (payloadBytes > maxMessageBytes - messageHeaderBytes)
    throw new WireError("message_size", `in pieces: ${payloadBytes} bytes`)
  const isLast = offset + bytes === payloadBytes
  if (number === 0 || offset % pieceUnitBytes !== 0 || (bytes % pieceUnitBytes !== 0 && !isLast))
    throw new WireError("frame_malformed", "PIECE of no message, or not in whole units")
  if (offset + bytes > payloadBytes) throw new WireError("frame_malformed", "PIECE beyond its message")
  sink.onPiece?.({ number, payloadBytes, offset, bytes: payload.subarray(start + 16, end) })
}

function numberAt(payload: Buffer, start: number): number {
  const number = getU64(payload, start)
  if (number === undefined) throw new WireError("number_out_of_range")
  return number
}

function expectSize(name: string, bytes: number, expected: number): void {
  if (bytes !== expected) throw new WireError("frame_malformed", `${name} of ${bytes} bytes`)
}
