// The sizes that both ends of a session have to agree on: what one side may send, the other must accept.
// They are part of protocol version 1 (docs/protocol.md, "Limits"); changing one is a new version.

import { defaultHttp1Limits, type Http1Limits } from "../http1/limits.ts"

const kib = 1024
const mib = 1024 * kib

/**
 * For heads that have crossed the wire: they were within the HTTP/1 limits when they were read, and what the first end
 * has added since (Via, X-Forwarded-*) must not make the other end refuse them.
 */
export const crossedHeadLimits: Http1Limits = {
  ...defaultHttp1Limits,
  maxHeadBytes: 96 * kib,
  maxFieldLines: defaultHttp1Limits.maxFieldLines + 16,
}

export interface WireLimits {
  /** Largest whole message, header included, that a decoder accepts. Bytes. */
  readonly maxMessageBytes: number
  /** A sender closes a message once it has this much payload (one frame may go over it). Bytes. */
  readonly targetMessageBytes: number
  /** A sender splits body bytes into DATA frames of at most this size. Bytes. */
  readonly maxFrameDataBytes: number
  /** Largest payload of any frame that a decoder accepts. Bytes. */
  readonly maxFrameBytes: number
  /** Largest request or response head, final empty line included. Bytes. */
  readonly maxHeadBytes: number
  /** Largest trailer section in END. Bytes. */
  readonly maxTrailerBytes: number
  /** Largest record of an OPEN frame. Bytes. */
  readonly maxRecordBytes: number
  /** Largest body that may ride inside OPEN or HEAD, outside of credit. Bytes. */
  readonly maxInlineBytes: number
  /** Longest detail text of a RESET. UTF-8 bytes. */
  readonly maxDetailBytes: number
  /** Credit that each direction of a stream starts with. Bytes. */
  readonly initialWindowBytes: number
  /** Credit that a sender may ever hold on one stream. Bytes. */
  readonly maxWindowBytes: number
  /** A sender starts no new message while this many are unacknowledged. */
  readonly maxUnacknowledgedMessages: number
  /** A sender starts no new message while this many bytes are unacknowledged. */
  readonly maxUnacknowledgedBytes: number
}

/** The limits of protocol version 1. */
export const wireLimits: WireLimits = {
  maxMessageBytes: 4 * mib,
  targetMessageBytes: 1 * mib,
  maxFrameDataBytes: 256 * kib,
  maxFrameBytes: 1 * mib,
  maxHeadBytes: crossedHeadLimits.maxHeadBytes,
  maxTrailerBytes: 32 * kib,
  maxRecordBytes: 4 * kib,
  maxInlineBytes: 64 * kib,
  maxDetailBytes: 256,
  initialWindowBytes: 256 * kib,
  maxWindowBytes: 4 * mib,
  maxUnacknowledgedMessages: 1024,
  maxUnacknowledgedBytes: 16 * mib,
}
