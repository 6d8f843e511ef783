// Messages that carry no stream's frames and so no number: an acknowledgement, alone or with RESEND, a PING or a piece of a
// message. They are made for one carrier, nobody keeps them, and losing one costs nothing.
import { FrameWriter, messageHeaderBytes, type MessagePiece, putMessageHeader } from "../wire/index.ts"

export interface Standing {
  /** Number of the last message that came in order. */
  readonly received: number
  /** Bytes of the next one's payload that have come in pieces; undefined: none have. */
  readonly have: number | undefined
}

/** `resend`: asks for everything after it. */
export function acknowledgement({ received, have }: Standing, resend: boolean): Buffer {
  if (have === undefined) return unnumbered(received, resend ? resendFrame : noFrames)
  return unnumbered(
    received,
    frames((writer) => {
      writer.have(received + 1, have)
      // After it, so that what is sent again begins there.
      if (resend) writer.resend()
    }),
  )
}

/** `bytes`: 8, opaque; the PONG that brings them back shows that the carrier works. */
export function pingWithAcknowledgement({ received, have }: Standing, bytes: Buffer): Buffer {
  return unnumbered(
    received,
    frames((writer) => {
      if (have !== undefined) writer.have(received + 1, have)
      writer.ping(bytes)
    }),
  )
}

export function pieceWithAcknowledgement(received: number, piece: MessagePiece): Buffer {
  return unnumbered(
    received,
    frames((writer) => writer.piece(piece)),
  )
}

function unnumbered(received: number, payload: Buffer): Buffer {
  const message = Buffer.allocUnsafe(messageHeaderBytes + payload.length)
  putMessageHeader(message, payload.length, 0, received)
  message.set(payload, messageHeaderBytes)
  return message
}

function frames(write: (writer: FrameWriter) => void): Buffer {
  const writer = new FrameWriter()
  write(writer)
  return Buffer.concat(writer.take() ?? [])
}

const noFrames = Buffer.alloc(0)
const resendFrame = frames((writer) => writer.resend())
