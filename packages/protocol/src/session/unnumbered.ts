// Messages that carry no stream's frames and so no number: an acknowledgement, alone, with RESEND or with a PING. They are
// made for one carrier, nobody keeps them, and losing one costs nothing.
import { FrameWriter, messageHeaderBytes, putMessageHeader } from "../wire/index.ts"

/** `received`: number of the last message that came in order. `resend`: asks for everything after it. */
export function acknowledgement(received: number, resend: boolean): Buffer {
  return unnumbered(received, resend ? resendFrame : noFrames)
}

/** `bytes`: 8, opaque; the PONG that brings them back shows that the carrier works. */
export function pingWithAcknowledgement(received: number, bytes: Buffer): Buffer {
  return unnumbered(
    received,
    frame((writer) => writer.ping(bytes)),
  )
}

function unnumbered(received: number, payload: Buffer): Buffer {
  const message = Buffer.allocUnsafe(messageHeaderBytes + payload.length)
  putMessageHeader(message, payload.length, 0, received)
  message.set(payload, messageHeaderBytes)
  return message
}

function frame(write: (writer: FrameWriter) => void): Buffer {
  const writer = new FrameWriter()
  write(writer)
  return Buffer.concat(writer.take() ?? [])
}

const noFrames = Buffer.alloc(0)
const resendFrame = frame((writer) => writer.resend())
