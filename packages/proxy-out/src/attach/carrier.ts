// What takes messages down to an agent: a waiting poll, a streamed poll, a websocket. The session does not care which.
import type { Session } from "@restante/protocol"

export interface Carrier {
  /** Unique within its session. */
  readonly id: number
  /** Whether it takes a message now. */
  readonly ready: boolean
  /** A "poll" ends with its first message; the others go on, so they are worth a bare acknowledgement. */
  readonly kind: "poll" | "streamed" | "websocket"
  /** Sends one message; its parts in order. Only when `ready`. */
  send(parts: readonly Buffer[]): void
  /** Ends it politely; what it carried has been sent. */
  close(): void
  /** A poll that ended with an answer, not because its connection did. */
  readonly answered?: boolean
  /** The agent's side ended it, after everything that it had put on it: all of that has arrived here. */
  readonly endedInOrder?: boolean
  /** A PONG came from the agent, perhaps in answer to what this one asked. */
  onPong?(bytes: Buffer): void
}

/** Which of these takes the session's next message; those that go on come first. */
export function readyCarrier(
  carriers: readonly Carrier[],
  { queuedBytes, unacknowledgedBytes }: Pick<Session, "queuedBytes" | "unacknowledgedBytes">,
): Carrier | undefined {
  // What follows something large is delivered after it anyway: it goes the same way, so that nothing arrives early.
  const large = queuedBytes >= bulkBytes || unacknowledgedBytes >= bulkBytes
  let best: Carrier | undefined
  for (const carrier of carriers) {
    if (carrier.kind === (large ? "streamed" : "websocket") && carrier.ready) return carrier
    if (best === undefined && carrier.ready) best = carrier
  }
  return best
}

/** From this much on what waits is worth a streamed poll beside a websocket: its reader needs not put it together first. */
const bulkBytes = 64 * 1024
