// Messages as a peer makes them that keeps to no rule: any number, any acknowledgement, any frames.
import { FrameWriter, messageHeaderBytes, putMessageHeader } from "@restante/protocol"

export interface RawMessage {
  readonly number: number
  /** Default 0. */
  readonly ack?: number
  /** Default: no frames. */
  readonly write?: (frames: FrameWriter) => void
}

export function rawMessage({ number, ack = 0, write = () => undefined }: RawMessage): Buffer {
  const frames = new FrameWriter({ headroomBytes: messageHeaderBytes })
  write(frames)
  const pieces: Buffer[] = []
  for (let more = frames.take(largest); more !== undefined; more = frames.take(largest))
    pieces.push(...(pieces.length === 0 ? more : [more[0]!.subarray(messageHeaderBytes), ...more.slice(1)]))
  const message = pieces.length === 0 ? Buffer.alloc(messageHeaderBytes) : Buffer.concat(pieces)
  putMessageHeader(message, message.length - messageHeaderBytes, number, ack)
  return message
}

const largest = 4 * 1024 * 1024

export const largeBlock: Buffer = Buffer.alloc(256 * 1024)

/** Of stream 1; nearly as large as a message may be. */
export function large(frames: FrameWriter): void {
  for (let count = 0; count < 15; count++) frames.data(1, largeBlock)
}
