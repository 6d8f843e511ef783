// A sink that takes no notice of any frame, for a session that only speaks or of which a few frames matter:
// `{ ...deafSink, onOpen }`.
import type { StreamSink } from "./control-sink.ts"

export const deafSink: StreamSink = {
  onOpen: ignore,
  onTaken: ignore,
  onHead: ignore,
  onData: ignore,
  onEnd: ignore,
  onReset: ignore,
  onWindow: ignore,
  onDrain: ignore,
}

function ignore(): void {
  // The frame's credit and its acknowledgement are the session's; there is nobody else to tell.
}
