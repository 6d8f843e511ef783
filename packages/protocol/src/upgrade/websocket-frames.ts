// Follows the frames of one direction of a WebSocket (RFC 6455 section 5.2) without looking at what they carry: only headers are
// read, so that a Close can be put between two frames when we have to leave.

export class WebSocketFrames {
  /** A Close has begun: nothing may follow it in this direction (section 5.5.1). */
  closing = false
  readonly #header = Buffer.alloc(maxHeaderBytes)
  #headerBytes = 0
  #payloadBytes = 0

  /** The last byte that came was the last of a frame, or none has come yet. */
  get between(): boolean {
    return this.#headerBytes === 0 && this.#payloadBytes === 0
  }

  /** Goes on over all of `bytes`. */
  pass(bytes: Buffer): void {
    for (let at = 0; at !== -1 && at < bytes.length;) at = this.toEnd(bytes, at)
  }

  /** Goes on from index `from` until a frame ends. Returns the index behind it, -1 when the bytes are used up before. */
  toEnd(bytes: Buffer, from: number): number {
    let at = from
    while (this.#payloadBytes === 0) {
      at = this.#readHeader(bytes, at)
      if (at === -1) return -1
      if (this.#payloadBytes === 0) return at
    }
    const end = at + this.#payloadBytes
    if (end <= bytes.length) {
      this.#payloadBytes = 0
      return end
    }
    this.#payloadBytes -= bytes.length - at
    return -1
  }

  /** Reads what is missing of a header. Returns the index behind it, -1 when it is not whole yet. */
  #readHeader(bytes: Buffer, from: number): number {
    const header = this.#header
    let at = from
    while (this.#headerBytes < 2 || this.#headerBytes < headerLength(header)) {
      if (at === bytes.length) return -1
      header[this.#headerBytes++] = bytes[at++]!
    }
    this.#headerBytes = 0
    if ((header[0]! & 0x0f) === opcodeClose) this.closing = true
    this.#payloadBytes = payloadLength(header)
    return at
  }
}

/** A Close frame with this status code. A client's is masked (section 5.3): four bytes that nobody can foresee. */
export function closeFrame(statusCode: number, mask?: Buffer): Buffer {
  const payload = Buffer.from([statusCode >> 8, statusCode & 0xff])
  if (mask === undefined) return Buffer.concat([Buffer.from([0x88, payload.length]), payload])
  for (let index = 0; index < payload.length; index++) payload[index]! ^= mask[index % 4]!
  return Buffer.concat([Buffer.from([0x88, 0x80 | payload.length]), mask, payload])
}

/** Section 7.4.1: going away, as a server that stops or a page that is left. */
export const goingAway = 1001

const opcodeClose = 8
const maxHeaderBytes = 14

function headerLength(header: Buffer): number {
  const second = header[1]!
  const length = second & 0x7f
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4)
}

/** Beyond 2^53 it is only nearly so: such a frame has no end that anybody will see. */
function payloadLength(header: Buffer): number {
  const length = header[1]! & 0x7f
  if (length === 126) return header.readUInt16BE(2)
  return length === 127 ? Number(header.readBigUInt64BE(2)) : length
}
