// Packs frames into batches that become the payload of messages. Small frames share slabs, so that a batch is normally
// one buffer; large bodies are kept by reference. Nothing is allocated per frame.
import { putU16, putU24, putU32, putU64 } from "./bytes.ts"
import { WireError } from "./errors.ts"
import { frameHeaderBytes, frameType, headFlags, type MessagePiece, openFlags } from "./frames.ts"
import { type WireLimits, wireLimits } from "./limits.ts"
import { type OpenFields, putRecord, recordBytes } from "./open-frame.ts"
import { type ResetCode, resetCodes } from "./reset-codes.ts"

export interface FrameWriterOptions {
  /** Bytes left free at the start of what `take` returns, for a message header. Default 0. */
  readonly headroomBytes?: number
  /** A batch is closed at this size; `take` joins as many as fit. Default 64 KiB. */
  readonly batchBytes?: number
  readonly limits?: WireLimits
}

/**
 * Writes frames; `take` gives them out in order, never cutting one. Heads, trailers and record strings are latin-1:
 * a character above U+00FF is the caller's mistake. Buffers given to it must not be changed afterwards.
 * Throws WireError("frame_size") for parts that the peer would refuse, before anything is written.
 */
export class FrameWriter {
  readonly #headroomBytes: number
  readonly #batchBytes: number
  readonly #limits: WireLimits
  /** Closed batches, oldest first. */
  readonly #batches: Batch[] = []
  /** The open batch: closed segments, and slab bytes from #segmentStart to #position. */
  #segments: Buffer[] = []
  #openBytes = 0
  #slab: Buffer = Buffer.alloc(0)
  #segmentStart = 0
  #position = 0
  #bytes = 0
  /** DATA is split into frames of at most this size, up to `maxFrameDataBytes`: what is written later. */
  frameDataBytes: number

  constructor(options: FrameWriterOptions = {}) {
    this.#headroomBytes = options.headroomBytes ?? 0
    this.#batchBytes = options.batchBytes ?? defaultBatchBytes
    this.#limits = options.limits ?? wireLimits
    this.frameDataBytes = this.#limits.maxFrameDataBytes
  }

  /** Bytes of frames that wait for `take`. */
  get bytes(): number {
    return this.#bytes
  }

  /** OPEN. Throws WireError("frame_malformed") when a body is given although one is to follow. */
  open(stream: number, fields: OpenFields): void {
    const { head, body } = fields
    const record = recordBytes(fields)
    const bodyBytes = body === undefined ? 0 : body.length
    this.#check(record, this.#limits.maxRecordBytes, "record")
    this.#check(head.length, this.#limits.maxHeadBytes, "head")
    this.#check(bodyBytes, this.#limits.maxInlineBytes, "inline body")
    if (fields.bodyFollows && bodyBytes > 0)
      throw new WireError("frame_malformed", "body inside and to follow")
    const ownBytes = 10 + record + head.length
    let offset = this.#begin(frameType.open, stream, ownBytes, bodyBytes)
    const slab = this.#slab
    slab[offset] = fields.kind
    slab[offset + 1] = fields.bodyFollows ? openFlags.body : openFlags.final
    putU32(slab, offset + 2, record)
    offset = putRecord(slab, offset + 6, fields)
    putU32(slab, offset, head.length)
    slab.write(head, offset + 4, "latin1")
    this.#finish(ownBytes, body, bodyBytes)
  }

  /** TAKEN: must be on its way before the first byte to the upstream of a request that is not idempotent. */
  taken(stream: number): void {
    this.#begin(frameType.taken, stream, 0, 0)
    this.#finish(0, undefined, 0)
  }

  /** HEAD. `flags`: exactly one of `headFlags`; an inline body only with `final`. */
  head(stream: number, flags: number, head: string, inlineBody?: Buffer): void {
    const bodyBytes = inlineBody === undefined ? 0 : inlineBody.length
    this.#check(head.length, this.#limits.maxHeadBytes, "head")
    this.#check(bodyBytes, this.#limits.maxInlineBytes, "inline body")
    if (bodyBytes > 0 && flags !== headFlags.final)
      throw new WireError("frame_malformed", "inline body without FINAL")
    const ownBytes = 5 + head.length
    const offset = this.#begin(frameType.head, stream, ownBytes, bodyBytes)
    const slab = this.#slab
    slab[offset] = flags
    putU32(slab, offset + 1, head.length)
    slab.write(head, offset + 5, "latin1")
    this.#finish(ownBytes, inlineBody, bodyBytes)
  }

  /** DATA, in as many frames as `frameDataBytes` asks for; none when `bytes` is empty. Credit is the caller's matter. */
  data(stream: number, bytes: Buffer): void {
    const most = this.frameDataBytes
    for (let start = 0; start < bytes.length; start += most) {
      const part = bytes.length <= most ? bytes : bytes.subarray(start, start + most)
      this.#begin(frameType.data, stream, 0, part.length)
      this.#finish(0, part, part.length)
    }
  }

  /** END. `trailers`: raw latin-1 field lines, each with its CRLF. */
  end(stream: number, trailers = ""): void {
    this.#check(trailers.length, this.#limits.maxTrailerBytes, "trailers")
    const offset = this.#begin(frameType.end, stream, trailers.length, 0)
    if (trailers.length > 0) this.#slab.write(trailers, offset, "latin1")
    this.#finish(trailers.length, undefined, 0)
  }

  /** RESET. `detail` is for the peer's log: no secrets. Cut at `maxDetailBytes`. */
  reset(stream: number, code: ResetCode, detail = ""): void {
    const text = cutUtf8(detail, this.#limits.maxDetailBytes)
    const ownBytes = 2 + text.length
    const offset = this.#begin(frameType.reset, stream, ownBytes, 0)
    putU16(this.#slab, offset, resetCodes[code])
    this.#slab.set(text, offset + 2)
    this.#finish(ownBytes, undefined, 0)
  }

  /** WINDOW: the peer may send `creditBytes` (1 to 2^32 - 1) more on this stream. */
  window(stream: number, creditBytes: number): void {
    const offset = this.#begin(frameType.window, stream, 4, 0)
    putU32(this.#slab, offset, creditBytes)
    this.#finish(4, undefined, 0)
  }

  /** TIMING: how long the upstream took to begin its answer, in microseconds; more than a u32 holds is cut to that. */
  timing(stream: number, upstreamMicroseconds: number): void {
    const offset = this.#begin(frameType.timing, stream, 4, 0)
    putU32(this.#slab, offset, Math.min(Math.max(0, Math.round(upstreamMicroseconds)), 0xffff_ffff))
    this.#finish(4, undefined, 0)
  }

  /** PING. `bytes`: exactly 8, opaque. */
  ping(bytes: Buffer): void {
    this.#opaque(frameType.ping, bytes)
  }

  /** PONG. `bytes`: those of the PING. */
  pong(bytes: Buffer): void {
    this.#opaque(frameType.pong, bytes)
  }

  /** PIECE. What its numbers have to be: see `MessagePiece`. */
  piece({ number, payloadBytes, offset, bytes }: MessagePiece): void {
    const position = this.#begin(frameType.piece, 0, 16, bytes.length)
    putU64(this.#slab, position, number)
    putU32(this.#slab, position + 8, payloadBytes)
    putU32(this.#slab, position + 12, offset)
    this.#finish(16, bytes, bytes.length)
  }

  /** HAVE: the first `payloadBytes` of that message's payload are here. */
  have(number: number, payloadBytes: number): void {
    const position = this.#begin(frameType.have, 0, 12, 0)
    putU64(this.#slab, position, number)
    putU32(this.#slab, position + 8, payloadBytes)
    this.#finish(12, undefined, 0)
  }

  /** DRAIN: give me no more streams. */
  drain(): void {
    this.#begin(frameType.drain, 0, 0, 0)
    this.#finish(0, undefined, 0)
  }

  /** RESEND: something is missing; send everything after this message's acknowledgement again. */
  resend(): void {
    this.#begin(frameType.resend, 0, 0, 0)
    this.#finish(0, undefined, 0)
  }

  /**
   * The oldest frames, up to `maxBytes` (at least one batch), as buffers to be sent in order; the first begins with
   * the headroom. Undefined when nothing waits.
   */
  take(maxBytes: number = this.#limits.targetMessageBytes): Buffer[] | undefined {
    if (this.#bytes === 0) return undefined
    const first = this.#batches.shift()
    if (first === undefined) {
      this.#bytes = 0
      return this.#closeBatch()
    }
    const { segments } = first
    let taken = first.bytes
    for (
      let next = this.#batches[0];
      next !== undefined && taken + next.bytes <= maxBytes;
      next = this.#batches[0]
    ) {
      this.#join(segments, next.segments)
      taken += next.bytes
      this.#batches.shift()
    }
    if (this.#batches.length === 0 && this.#openBytes > 0 && taken + this.#openBytes <= maxBytes) {
      taken += this.#openBytes
      this.#join(segments, this.#closeBatch())
    }
    this.#bytes -= taken
    return segments
  }

  #check(bytes: number, most: number, what: string): void {
    if (bytes > most) throw new WireError("frame_size", `${what} of ${bytes} bytes, at most ${most}`)
  }

  #opaque(type: number, bytes: Buffer): void {
    if (bytes.length !== 8) throw new WireError("frame_malformed", "PING and PONG carry 8 bytes")
    const offset = this.#begin(type, 0, 8, 0)
    this.#slab.set(bytes, offset)
    this.#finish(8, undefined, 0)
  }

  /** Makes room for a frame's header and the `ownBytes` after it, writes the header, returns where the payload goes. */
  #begin(type: number, stream: number, ownBytes: number, bodyBytes: number): number {
    const copiedBytes = bodyBytes < referenceFromBytes ? bodyBytes : 0
    const headroom = this.#openBytes === 0 ? this.#headroomBytes : 0
    const needed = headroom + frameHeaderBytes + ownBytes + copiedBytes
    if (this.#position + needed > this.#slab.length) {
      this.#closeSegment()
      this.#slab = Buffer.allocUnsafe(Math.max(slabBytes, needed))
      this.#segmentStart = 0
      this.#position = 0
    }
    const slab = this.#slab
    const start = this.#position + headroom
    slab[start] = type
    putU24(slab, start + 1, ownBytes + bodyBytes)
    putU32(slab, start + 4, stream)
    this.#position = start + frameHeaderBytes
    return this.#position
  }

  /** Steps over what was written and adds the body: small ones are copied, large ones referenced. */
  #finish(ownBytes: number, body: Buffer | undefined, bodyBytes: number): void {
    this.#position += ownBytes
    if (body !== undefined && bodyBytes > 0) {
      if (bodyBytes < referenceFromBytes) {
        this.#slab.set(body, this.#position)
        this.#position += bodyBytes
      } else {
        this.#closeSegment()
        this.#segments.push(body)
      }
    }
    const frameBytes = frameHeaderBytes + ownBytes + bodyBytes
    this.#openBytes += frameBytes
    this.#bytes += frameBytes
    if (this.#openBytes >= this.#batchBytes) {
      const bytes = this.#openBytes
      this.#batches.push({ segments: this.#closeBatch(), bytes })
    }
  }

  #closeSegment(): void {
    if (this.#position === this.#segmentStart) return
    this.#segments.push(this.#slab.subarray(this.#segmentStart, this.#position))
    this.#segmentStart = this.#position
  }

  #closeBatch(): Buffer[] {
    this.#closeSegment()
    const segments = this.#segments
    this.#segments = []
    this.#openBytes = 0
    return segments
  }

  /** Appends a later batch, without its headroom. */
  #join(segments: Buffer[], later: Buffer[]): void {
    for (let index = 0; index < later.length; index++) {
      const segment = later[index]
      if (segment === undefined) continue
      segments.push(index === 0 ? segment.subarray(this.#headroomBytes) : segment)
    }
  }
}

interface Batch {
  readonly segments: Buffer[]
  readonly bytes: number
}

const defaultBatchBytes = 64 * 1024
const slabBytes = 16 * 1024
/** Bodies from this size on are kept by reference: below it a copy costs less than one more buffer to write. */
const referenceFromBytes = 4 * 1024

/** At most `maxBytes` of UTF-8, cut between characters. */
function cutUtf8(text: string, maxBytes: number): Buffer {
  const bytes = Buffer.from(text.slice(0, maxBytes), "utf8")
  if (bytes.length <= maxBytes) return bytes
  let end = maxBytes
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
