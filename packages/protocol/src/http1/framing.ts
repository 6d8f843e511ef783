// What the fields of a head say about the message: where its body ends, whether the connection goes on, whether it wants to become
// something else. RFC 9112 sections 6 and 9, read strictly: what could be understood in two ways is refused.

import { Http1Error } from "./errors.ts"
import { isNamed, trimOws, valueFrom } from "./fields.ts"

/** The values of the fields that decide about the connection; a repeated list field is joined by commas. */
export interface FramingFields {
  connection: string | undefined
  contentLength: string | undefined
  expect: string | undefined
  host: string | undefined
  te: string | undefined
  transferEncoding: string | undefined
  upgrade: string | undefined
}

/** One pass over the field lines. Throws Http1Error for a second Host or Content-Length. */
export function scanFraming(raw: string): FramingFields {
  const found: FramingFields = {
    connection: undefined,
    contentLength: undefined,
    expect: undefined,
    host: undefined,
    te: undefined,
    transferEncoding: undefined,
    upgrade: undefined,
  }
  for (let at = 0; at < raw.length; at = raw.indexOf("\n", at) + 1) {
    switch (raw.charCodeAt(at) | 32) {
      case 99: // c
        if (isNamed(raw, at, "connection")) found.connection = join(found.connection, valueFrom(raw, at + 11))
        else if (isNamed(raw, at, "content-length")) {
          if (found.contentLength !== undefined) throw new Http1Error("content_length_repeated")
          found.contentLength = valueFrom(raw, at + 15)
        }
        break
      case 101: // e
        if (isNamed(raw, at, "expect")) found.expect = join(found.expect, valueFrom(raw, at + 7))
        break
      case 104: // h
        if (isNamed(raw, at, "host")) {
          if (found.host !== undefined) throw new Http1Error("host_repeated")
          found.host = valueFrom(raw, at + 5)
        }
        break
      case 116: // t
        if (isNamed(raw, at, "transfer-encoding")) {
          if (raw.slice(at, raw.indexOf("\r", at)).includes("\t"))
            throw new Http1Error("transfer_coding_invalid")
          found.transferEncoding = join(found.transferEncoding, valueFrom(raw, at + 18))
        } else if (isNamed(raw, at, "te")) found.te = join(found.te, valueFrom(raw, at + 3))
        break
      case 117: // u
        if (isNamed(raw, at, "upgrade")) found.upgrade = join(found.upgrade, valueFrom(raw, at + 8))
        break
      default:
    }
  }
  return found
}

/** RFC 9112 section 6.3 items 3 to 5. Undefined: neither field is there. */
export function declaredBody(
  fields: FramingFields,
  minorVersion: 0 | 1,
): LengthBody | ChunkedBody | undefined {
  const { contentLength, transferEncoding } = fields
  if (transferEncoding !== undefined) {
    checkTransferEncoding(transferEncoding, minorVersion)
    if (contentLength !== undefined) throw new Http1Error("framing_conflict")
    return chunkedBody
  }
  if (contentLength === undefined) return undefined
  return { kind: "length", length: parseContentLength(contentLength) }
}

export interface LengthBody {
  readonly kind: "length"
  /** Bytes; 0 is a body of no bytes, which is not the same as no body. */
  readonly length: number
}
export interface ChunkedBody {
  readonly kind: "chunked"
}
export interface NoBody {
  readonly kind: "none"
}
export interface CloseBody {
  readonly kind: "close"
}

const chunkedBody: ChunkedBody = Object.freeze({ kind: "chunked" })
export const noBody: NoBody = Object.freeze({ kind: "none" })
export const closeBody: CloseBody = Object.freeze({ kind: "close" })

/** RFC 9112 section 9.3: close beats keep-alive; 1.1 persists by default, 1.0 only when asked. */
export function persists(connection: string | undefined, minorVersion: 0 | 1): boolean {
  if (connection === undefined) return minorVersion === 1
  if (hasListMember(connection, "close")) return false
  return minorVersion === 1 || hasListMember(connection, "keep-alive")
}

/** RFC 9110 section 7.8: the protocols asked for, when Connection nominates the field. HTTP/1.0 has no upgrade. */
export function wantedUpgrade(fields: FramingFields, minorVersion: 0 | 1): string | undefined {
  const { connection, upgrade } = fields
  if (upgrade === undefined || upgrade === "" || connection === undefined || minorVersion === 0)
    return undefined
  return hasListMember(connection, "upgrade") ? upgrade : undefined
}

/** Whether a comma separated list of tokens holds `member` (lower case), compared without case. */
export function hasListMember(list: string, member: string): boolean {
  const lower = list.toLowerCase()
  if (lower === member) return true
  return lower.includes(member) && lower.split(",").some((item) => trimOws(item, 0, item.length) === member)
}

/** Whether a list has a member that is not `member` (lower case). Empty members count for nothing (RFC 9110 section 5.6.1). */
export function hasOtherMember(list: string, member: string): boolean {
  return list
    .toLowerCase()
    .split(",")
    .some((item) => !["", member].includes(trimOws(item, 0, item.length)))
}

/**
 * RFC 9112 section 6.1. Every coding but chunked alone is refused: a proxy that cannot decode it cannot find the end. So is a HTAB
 * around it, which some recipients take as a part of the name and then read another end.
 */
function checkTransferEncoding(value: string, minorVersion: 0 | 1): void {
  if (minorVersion === 0) throw new Http1Error("transfer_coding_version")
  const codings = value
    .toLowerCase()
    .split(",")
    .map((coding) => trimOws(coding, 0, coding.length))
  if (codings.length === 1 && codings[0] === "chunked") return
  if (codings.includes("") || codings.slice(0, -1).includes("chunked"))
    throw new Http1Error("transfer_coding_invalid")
  throw new Http1Error("transfer_coding_unsupported")
}

/** RFC 9110 section 8.6: digits only. No sign, no list, nothing that a number cannot hold exactly. */
function parseContentLength(value: string): number {
  const length = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(length)) throw new Http1Error("content_length_invalid")
  return length
}

const join = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`
