// OPEN: a stream's first frame, which carries the request head as HTTP/1.1 bytes and a record of what HTTP does not say.
// The record is tag-length-value, so that a newer peer can say more; it is checked on arrival and read lazily.
import { byteAt, getU16, getU32, putU16, putU32 } from "./bytes.ts"
import { WireError } from "./errors.ts"
import { openFlags } from "./frames.ts"
import { type WireLimits, wireLimits } from "./limits.ts"

export type Scheme = "http" | "https"

/** What the opener of a stream says. Strings of the record are visible ASCII. */
export interface OpenFields {
  /** One of `openKind`. */
  readonly kind: number
  /** The exchange's id, for logs on both sides. 1 to 64 characters. */
  readonly exchangeId: string
  /** How often this exchange was offered, from 1. At most 255. */
  readonly attempt: number
  /** Milliseconds within which a response head has to come, else the exchange is given up. Undefined: the agent's own. */
  readonly deadlineMs?: number | undefined
  /** The client's address as text (no brackets, no port). */
  readonly clientAddress?: string | undefined
  /** How the client reached the edge. */
  readonly scheme: Scheme
  /** W3C trace context, verbatim. */
  readonly traceparent?: string | undefined
  /** The tunnel this exchange belongs to. */
  readonly tunnel?: string | undefined
  /** Latin-1 HTTP/1.1 request head, final empty line included, end-to-end fields only. */
  readonly head: string
  /** True: the body follows as DATA … END, and `body` must be undefined. */
  readonly bodyFollows: boolean
  /** The whole body, when it is small. At most `maxInlineBytes`. */
  readonly body?: Buffer | undefined
}

/** A received OPEN. `head` has not been validated: parse it before trusting it. */
export class OpenFrame {
  readonly kind: number
  readonly bodyFollows: boolean
  readonly head: string
  /** The whole body; undefined when it is empty or follows. */
  readonly body: Buffer | undefined
  readonly #record: string

  constructor(kind: number, bodyFollows: boolean, record: string, head: string, body: Buffer | undefined) {
    this.kind = kind
    this.bodyFollows = bodyFollows
    this.head = head
    this.body = body
    this.#record = record
  }

  get exchangeId(): string {
    return this.#value(tag.exchangeId) ?? ""
  }

  get attempt(): number {
    return this.#value(tag.attempt)?.charCodeAt(0) ?? 1
  }

  get deadlineMs(): number | undefined {
    const value = this.#value(tag.deadlineMs)
    if (value === undefined) return undefined
    return (
      ((value.charCodeAt(0) << 24) |
        (value.charCodeAt(1) << 16) |
        (value.charCodeAt(2) << 8) |
        value.charCodeAt(3)) >>>
      0
    )
  }

  get clientAddress(): string | undefined {
    return this.#value(tag.clientAddress)
  }

  get scheme(): Scheme {
    return this.#value(tag.scheme) === "https" ? "https" : "http"
  }

  get traceparent(): string | undefined {
    return this.#value(tag.traceparent)
  }

  get tunnel(): string | undefined {
    return this.#value(tag.tunnel)
  }

  #value(wanted: number): string | undefined {
    const record = this.#record
    for (let offset = 0; offset < record.length;) {
      const start = offset + 3
      const end = start + ((record.charCodeAt(offset + 1) << 8) | record.charCodeAt(offset + 2))
      if (record.charCodeAt(offset) === wanted) return record.slice(start, end)
      offset = end
    }
    return undefined
  }
}

/** Bytes that the fields' record will take. */
export function recordBytes(fields: OpenFields): number {
  let bytes = 3 + fields.exchangeId.length + 4 + 3 + fields.scheme.length
  if (fields.deadlineMs !== undefined) bytes += 7
  if (fields.clientAddress !== undefined) bytes += 3 + fields.clientAddress.length
  if (fields.traceparent !== undefined) bytes += 3 + fields.traceparent.length
  if (fields.tunnel !== undefined) bytes += 3 + fields.tunnel.length
  return bytes
}

/** Writes the record at `offset`; returns where it ends. */
export function putRecord(bytes: Buffer, offset: number, fields: OpenFields): number {
  let end = putText(bytes, offset, tag.exchangeId, fields.exchangeId)
  bytes[end] = tag.attempt
  putU16(bytes, end + 1, 1)
  bytes[end + 3] = fields.attempt
  end = putText(bytes, end + 4, tag.scheme, fields.scheme)
  if (fields.deadlineMs !== undefined) {
    bytes[end] = tag.deadlineMs
    putU16(bytes, end + 1, 4)
    putU32(bytes, end + 3, Math.min(Math.max(0, Math.ceil(fields.deadlineMs)), 0xffff_ffff))
    end += 7
  }
  if (fields.clientAddress !== undefined) end = putText(bytes, end, tag.clientAddress, fields.clientAddress)
  if (fields.traceparent !== undefined) end = putText(bytes, end, tag.traceparent, fields.traceparent)
  if (fields.tunnel !== undefined) end = putText(bytes, end, tag.tunnel, fields.tunnel)
  return end
}

/** Reads the payload of an OPEN frame, `start` to `end` of `bytes`. Throws only WireError. */
export function parseOpenFrame(
  bytes: Buffer,
  start: number,
  end: number,
  limits: WireLimits = wireLimits,
): OpenFrame {
  if (end - start < 10) throw new WireError("frame_malformed", "OPEN is too short")
  const kind = byteAt(bytes, start)
  const flags = byteAt(bytes, start + 1)
  if (kind === 0) throw new WireError("frame_malformed", "OPEN kind 0")
  if (flags !== openFlags.final && flags !== openFlags.body)
    throw new WireError("frame_malformed", `OPEN flags ${flags}`)

  const recordStart = start + 6
  const recordLength = getU32(bytes, start + 2)
  if (recordLength > limits.maxRecordBytes) throw new WireError("frame_size", "OPEN record")
  const recordEnd = recordStart + recordLength
  if (recordEnd + 4 > end) throw new WireError("frame_malformed", "OPEN record is longer than its frame")
  checkRecord(bytes, recordStart, recordEnd)

  const headStart = recordEnd + 4
  const headLength = getU32(bytes, recordEnd)
  if (headLength > limits.maxHeadBytes) throw new WireError("frame_size", "OPEN head")
  const headEnd = headStart + headLength
  if (headEnd > end) throw new WireError("frame_malformed", "OPEN head is longer than its frame")

  const bodyLength = end - headEnd
  if (bodyLength > limits.maxInlineBytes) throw new WireError("frame_size", "OPEN inline body")
  if (bodyLength > 0 && flags === openFlags.body)
    throw new WireError("frame_malformed", "OPEN with a body both inside and to follow")
  return new OpenFrame(
    kind,
    flags === openFlags.body,
    bytes.toString("latin1", recordStart, recordEnd),
    bytes.toString("latin1", headStart, headEnd),
    bodyLength > 0 ? bytes.subarray(headEnd, end) : undefined,
  )
}

/** Record tags. Never reused; unknown ones are skipped. */
const tag = {
  exchangeId: 1,
  attempt: 2,
  deadlineMs: 3,
  clientAddress: 4,
  scheme: 5,
  traceparent: 6,
  tunnel: 7,
} as const

const maxExchangeIdBytes = 64
const httpBytes = Buffer.from("http", "latin1")
const httpsBytes = Buffer.from("https", "latin1")

function putText(bytes: Buffer, offset: number, tagByte: number, text: string): number {
  bytes[offset] = tagByte
  putU16(bytes, offset + 1, text.length)
  // Short strings: a loop beats the call into native code.
  const start = offset + 3
  for (let index = 0; index < text.length; index++) bytes[start + index] = text.charCodeAt(index)
  return start + text.length
}

// Every value of a known tag is checked here, so that the lazy readers above cannot fail.
function checkRecord(bytes: Buffer, start: number, end: number): void {
  let seen = 0
  for (let offset = start; offset < end;) {
    if (offset + 3 > end) throw new WireError("frame_malformed", "record entry is cut")
    const tagByte = byteAt(bytes, offset)
    const valueStart = offset + 3
    const valueBytes = getU16(bytes, offset + 1)
    const valueEnd = valueStart + valueBytes
    if (valueEnd > end) throw new WireError("frame_malformed", "record entry is cut")
    if (tagByte >= tag.exchangeId && tagByte <= tag.tunnel) {
      if ((seen & (1 << tagByte)) !== 0) throw new WireError("frame_malformed", `record tag ${tagByte} twice`)
      seen |= 1 << tagByte
      if (!isValidValue(bytes, tagByte, valueStart, valueEnd))
        throw new WireError("frame_malformed", `record tag ${tagByte}`)
    }
    offset = valueEnd
  }
  if ((seen & (1 << tag.exchangeId)) === 0)
    throw new WireError("frame_malformed", "record without exchange id")
}

function isValidValue(bytes: Buffer, tagByte: number, start: number, end: number): boolean {
  switch (tagByte) {
    case tag.attempt:
      return end - start === 1 && byteAt(bytes, start) > 0
    case tag.deadlineMs:
      return end - start === 4
    case tag.scheme:
      return isEqual(bytes, start, end, httpBytes) || isEqual(bytes, start, end, httpsBytes)
    case tag.exchangeId:
      return end - start <= maxExchangeIdBytes && isVisibleAscii(bytes, start, end)
    default:
      return isVisibleAscii(bytes, start, end)
  }
}

function isVisibleAscii(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return false
  for (let offset = start; offset < end; offset++) {
    const byte = byteAt(bytes, offset)
    if (byte < 0x21 || byte > 0x7e) return false
  }
  return true
}

function isEqual(bytes: Buffer, start: number, end: number, expected: Buffer): boolean {
  if (end - start !== expected.length) return false
  for (let index = 0; index < expected.length; index++)
    if (bytes[start + index] !== expected[index]) return false
  return true
}
