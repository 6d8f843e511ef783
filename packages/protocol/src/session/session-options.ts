// What a session is made with: who gets what it brings, and who is told when it has something to send.
import type { WireLimits } from "../wire/index.ts"
import type { StreamSink } from "./control-sink.ts"

export interface SessionOptions {
  /** Gets every frame of the peer exactly once, in order. Must not throw, save WireError to end the session. */
  readonly sink: StreamSink
  /**
   * There is something to send, and there was nothing before. Not called again until `nextMessage` has taken all of it
   * (`hasOutput` is false). May be called from within `receive`: schedule the flush, so that it takes everything of
   * this turn in one message.
   */
  readonly onOutput: () => void
  /**
   * So many frames of DATA wait that the peer had better begin with them while the others are still made, lest one end idles while the other
   * works. Called from within what made the last of them. Default: ignored.
   */
  readonly onBatch?: () => void
  /** A PONG came. Default: ignored. */
  readonly onPong?: (bytes: Buffer) => void
  /**
   * The peer has these buffers of a message, among them bodies that were given to `data`: their memory may be used again.
   * A duplicate of the message may still be on its way out with whatever they hold then; its receiver drops it unread.
   */
  readonly onReleased?: (buffers: readonly Buffer[]) => void
  /** The peer takes messages in pieces (docs/protocol.md, PIECE). Default false. */
  readonly pieces?: boolean
  readonly limits?: WireLimits
  /** Granularity of messages, bytes; see FrameWriterOptions. Default 64 KiB. */
  readonly batchBytes?: number
}
