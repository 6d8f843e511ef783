// The message header (20 bytes) and the preamble that opens every HTTP body of messages.
// Header: u32 payloadBytes | u64 number | u64 ack, big endian.
import { getU16, getU32, getU64, putU16, putU32, putU64 } from "./bytes.ts"
import { WireError } from "./errors.ts"
import { type WireLimits, wireLimits } from "./limits.ts"

/** The version this code speaks; peers with another one are refused. */
export const protocolVersion = 1

/** Media type of HTTP bodies that are a preamble and messages. */
export const messagesMediaType = "application/vnd.restante.messages"

export const messageHeaderBytes = 20

/** The websocket subprotocol (RFC 6455 section 1.9) under which each binary message is one message. */
export const websocketProtocol = "restante.v1"

export const preambleBytes = 8

const magic = "RSTNTE"

/** The first bytes of every HTTP body of messages: "RSTNTE" and the version as u16. */
export const preamble: Buffer = Buffer.alloc(preambleBytes)
preamble.write(magic, "latin1")
putU16(preamble, magic.length, protocolVersion)

/** Writes a header into the first 20 bytes of `message`. */
export function putMessageHeader(message: Buffer, payloadBytes: number, number: number, ack: number): void {
  putU32(message, 0, payloadBytes)
  putU64(message, 4, number)
  putU64(message, 12, ack)
}

/** Replaces the acknowledgement of an encoded message. */
export function putMessageAck(message: Buffer, ack: number): void {
  putU64(message, 12, ack)
}

/**
 * Size of the whole message whose header stands at `offset` (20 readable bytes there). Throws
 * WireError("message_size") beyond `maxMessageBytes`.
 */
export function messageBytesAt(bytes: Buffer, offset: number, limits: WireLimits = wireLimits): number {
  const total = messageHeaderBytes + getU32(bytes, offset)
  if (total > limits.maxMessageBytes) throw new WireError("message_size", `${total} bytes`)
  return total
}

/** The message's number; 0 when it is unnumbered. Throws WireError("number_out_of_range"). */
export function messageNumber(message: Buffer): number {
  return safe(getU64(message, 4))
}

/** The highest number its sender has received in order. Throws WireError("number_out_of_range"). */
export function messageAck(message: Buffer): number {
  return safe(getU64(message, 12))
}

/**
 * Checks the start of an HTTP body, as far as it is there: fewer than 8 bytes pass as long as they match.
 * Throws WireError("not_restante" | "version_unsupported"), saying what was found instead.
 */
export function checkPreamble(bytes: Buffer): void {
  const present = Math.min(bytes.length, magic.length)
  for (let index = 0; index < present; index++) {
    if (bytes[index] !== preamble[index])
      throw new WireError("not_restante", `the answer begins with ${JSON.stringify(excerpt(bytes))}`)
  }
  if (bytes.length < preambleBytes) return
  const version = getU16(bytes, magic.length)
  if (version !== protocolVersion)
    throw new WireError(
      "version_unsupported",
      `the peer speaks version ${version}, this program version ${protocolVersion}`,
    )
}

/** Of a message in several buffers, or of a part of one. */
export function totalBytes(buffers: readonly Buffer[]): number {
  let bytes = 0
  for (const buffer of buffers) bytes += buffer.length
  return bytes
}

function safe(value: number | undefined): number {
  if (value === undefined) throw new WireError("number_out_of_range")
  return value
}

/** What a person needs to recognise a foreign answer: its first characters, without control bytes. */
function excerpt(bytes: Buffer): string {
  return bytes.toString("latin1", 0, 40).replaceAll(/[^\x20-\x7e]+/g, " ")
}
