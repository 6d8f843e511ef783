// The frame types and flags of docs/protocol.md, and the interface through which decoded frames are handed on.
// Layout of every frame: u8 type | u24 payloadBytes | u32 stream | payload, big endian.
import type { OpenFrame } from "./open-frame.ts"
import type { ResetCode } from "./reset-codes.ts"

/**
 * Receives the frames of one message, in order. Buffers are parts of the message (no copy) and may be kept;
 * they must not be changed.
 */
export interface FrameSink {
  onOpen(stream: number, frame: OpenFrame): void
  onTaken(stream: number): void
  /** `flags`: exactly one of `headFlags`. `inlineBody` only with `final`, undefined when the body is empty. */
  onHead(stream: number, flags: number, head: string, inlineBody: Buffer | undefined): void
  /** Never empty. Counts against the stream's credit. */
  onData(stream: number, bytes: Buffer): void
  /** `trailers`: raw latin-1 field lines, each with its CRLF; "" when there are none. */
  onEnd(stream: number, trailers: string): void
  /** `detail` is for logs only. */
  onReset(stream: number, code: ResetCode, detail: string): void
  /** `credit` in bytes, 1 to 2^32 - 1. */
  onWindow(stream: number, credit: number): void
  /**
   * How long the upstream took from the end of the request head to its final response head, in microseconds. Comes before that HEAD; optional for
   * both sides.
   */
  onTiming?(stream: number, upstreamMicroseconds: number): void
  /** The peer wants no more streams. */
  onDrain(): void
  /** 8 opaque bytes, to be sent back in a PONG. */
  onPing(bytes: Buffer): void
  onPong(bytes: Buffer): void
  /** Part of a numbered message that could not get through whole. Only in an unnumbered one, elsewhere it is passed over. */
  onPiece?(piece: MessagePiece): void
  /** So many bytes, from the first on, of that message's payload are there. Likewise only in an unnumbered message. */
  onHave?(number: number, payloadBytes: number): void
  /** The peer misses something: send everything after the acknowledgement of this message again. */
  onResend(): void
}

export interface MessagePiece {
  /** Of the message that this is a part of, from 1 on. */
  readonly number: number
  /** Of that message's whole payload. */
  readonly payloadBytes: number
  /** Where in the payload it stands: a multiple of `pieceUnitBytes`. */
  readonly offset: number
  /** A multiple of `pieceUnitBytes` long, but for the payload's end. */
  readonly bytes: Buffer
}

export const frameHeaderBytes = 8

/** Pieces of a message are as many times this long, so that a receiver never has to join splinters. */
export const pieceUnitBytes = 4096

export const frameType = {
  open: 1,
  taken: 2,
  head: 3,
  data: 4,
  end: 5,
  reset: 6,
  window: 7,
  ping: 8,
  pong: 9,
  drain: 10,
  resend: 11,
  /** An extension, see `firstExtensionType`. */
  timing: 128,
  piece: 129,
  have: 130,
} as const

/** Types from here on are extensions: a receiver that does not know one skips it. */
export const firstExtensionType = 128

/** What a stream carries: an HTTP exchange, one that asks to switch protocols, a TCP connection, the datagrams of a UDP flow. */
export const openKind = { http: 1, upgrade: 2, tcp: 3, udp: 4 } as const
export type OpenKind = (typeof openKind)[keyof typeof openKind]

/** Flags of OPEN: exactly one is set. */
export const openFlags = {
  /** The whole body is in this frame; no DATA and no END follows. */
  final: 1,
  /** The body follows as DATA … END. */
  body: 2,
} as const

/** Flags of HEAD: exactly one is set. */
export const headFlags = {
  /** The whole body is in this frame; no DATA and no END follows. */
  final: 1,
  /** The body follows as DATA … END. */
  body: 2,
  /** A 1xx head; another HEAD follows. */
  informational: 4,
} as const
