// What runs on one stream of the session, whatever its kind: what the edge can say to it.
export interface RunningStream {
  /** Begins; may be over before it returns. Called once. */
  start(): void
  /** Throws WireError when the edge overdraws its credit; the session is over then. */
  onData(bytes: Buffer): void
  /** The edge's side has ended. */
  onEnd(trailers: string): void
  /** The edge has broken it off, or the session is over. */
  onReset(): void
  /** Throws WireError when that is more than a window may be; the session is over then. */
  onWindow(creditBytes: number): void
  /** The session has room again. */
  resume(): void
  /** The agent stops: what would never end by itself is told to. */
  leave(): void
}
