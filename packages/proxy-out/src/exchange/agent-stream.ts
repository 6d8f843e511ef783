// The two faces of one stream: what an exchange says towards the agent, and what the agent's side says back.
// A stream of a session on this edge and one that another edge relays look the same from both.
import type { ResetCode } from "@restante/protocol"
import type { Ticket } from "../queue/broker.ts"

/** Towards the agent. After `reset` or the exchange's end nothing more is said. */
export interface AgentStream {
  data(bytes: Buffer): void
  /** Raw trailer lines, "" for none. */
  end(trailers: string): void
  reset(code: ResetCode): void
  /** More response bytes may come. */
  window(creditBytes: number): void
  /** True while what is on its way to the agent fills its buffers: read no more from the client until `onWritable`. */
  readonly congested: boolean
  /** Its agent had said that it switches no more connections, and no other here was better. Undefined where nobody knows. */
  readonly lastResort?: boolean | undefined
}

/** Towards the client. Implemented by the exchange, and by whatever carries its frames to another edge. */
export interface StreamSink {
  onTaken(): void
  /** Before the final head: how long the upstream took to begin its answer. For measurements only, and not every agent says it. */
  onTiming(upstreamMicroseconds: number): void
  onHead(flags: number, head: string, inlineBody: Buffer | undefined): void
  onData(bytes: Buffer): void
  onEnd(trailers: string): void
  onReset(code: ResetCode): void
  onWindow(creditBytes: number): void
  /** The stream is no longer congested. */
  onWritable(): void
  /** Whether it could be handed to another agent although this one may still answer. */
  readonly repeatable: boolean
  /** The session is over, and this stream with it. */
  onLost(loss: StreamLoss): void
}

export interface StreamLoss {
  /**
   * Whether the agent may have begun the request. "no": nothing of the OPEN ever left. "untaken": it has not, unless it
   * announced it with TAKEN or need not announce it (idempotent methods). "maybe": nobody knows.
   */
  readonly begun: "no" | "untaken" | "maybe"
}

/** Where a ticket ends up: an exchange that this edge holds, or one that it serves for another edge. */
export interface Leasable {
  readonly ticket: Ticket
  /** False when the exchange is over or already leased. */
  readonly waiting: boolean
  leased(stream: AgentStream): StreamSink
}
