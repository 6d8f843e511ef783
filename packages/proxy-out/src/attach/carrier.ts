// What takes messages down to an agent: a waiting poll, a streamed poll, a websocket. The session does not care which.

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
