// Frames of a message that arrived in several buffers: body bytes are handed on where they lie, so that a large body is
// never copied together first; everything else is small and is.
import { byteAt, getU24, getU32 } from "./bytes.ts"
import { WireError } from "./errors.ts"
import { readFrame } from "./frame-reader.ts"
import { type FrameSink, frameHeaderBytes, frameType } from "./frames.ts"
import { type WireLimits, wireLimits } from "./limits.ts"

/**
 * As `readFrames`, for a payload that begins `start` bytes into `segments`. One DATA frame may reach the sink as several
 * `onData` in a row. Throws only WireError (and what the sink throws).
 */
export function readSegmentedFrames(
  segments: readonly Buffer[],
  sink: FrameSink,
  start = 0,
  limits: WireLimits = wireLimits,
): void {
  const cursor = new Cursor(segments)
  cursor.skip(start)
  while (cursor.left > 0) {
    if (cursor.left < frameHeaderBytes) throw new WireError("frame_truncated", "header")
    const header = cursor.take(frameHeaderBytes)
    const bytes = getU24(header, 1)
    if (bytes > cursor.left) throw new WireError("frame_truncated", "payload")
    if (bytes > limits.maxFrameBytes) throw new WireError("frame_size")
    const type = byteAt(header, 0)
    const stream = getU32(header, 4)
    if (type === frameType.data && stream !== 0 && bytes > 0) {
      for (let left = bytes; left > 0;) {
        const part = cursor.takeUpTo(left)
        left -= part.length
        sink.onData(stream, part)
      }
    } else {
      readFrame(cursor.take(bytes), sink, type, stream, 0, bytes, limits)
    }
  }
}

class Cursor {
  readonly #segments: readonly Buffer[]
  #index = 0
  #offset = 0
  left: number

  constructor(segments: readonly Buffer[]) {
    this.#segments = segments
    this.left = 0
    for (const segment of segments) this.left += segment.length
  }

  skip(bytes: number): void {
    for (let left = bytes; left > 0;) left -= this.takeUpTo(left).length
  }

  /** The next bytes that lie together, at least 1 and at most `bytes`. There must be some. */
  takeUpTo(bytes: number): Buffer {
    let segment = this.#segments[this.#index]
    while (segment !== undefined && this.#offset === segment.length) {
      segment = this.#segments[++this.#index]
      this.#offset = 0
    }
    if (segment === undefined) throw new WireError("frame_truncated", "segments")
    const part = segment.subarray(this.#offset, this.#offset + bytes)
    this.#offset += part.length
    this.left -= part.length
    return part
  }

  /** Exactly `bytes`, copied together when they do not lie together. */
  take(bytes: number): Buffer {
    if (bytes === 0) return nothing
    const first = this.takeUpTo(bytes)
    if (first.length === bytes) return first
    const whole = Buffer.allocUnsafe(bytes)
    let at = first.copy(whole, 0)
    while (at < bytes) at += this.takeUpTo(bytes - at).copy(whole, at)
    return whole
  }
}

const nothing = Buffer.alloc(0)
