// How long the ingress waits for a client: what may pause, and for how long (RFC 9110 section 15.5.9), and how slow it may be.
export interface Patience {
  /** For the whole head of a request, from its first byte on, in milliseconds; then 408. */
  readonly headMs: number
  /** For the next piece of a request's body, in milliseconds; then 408. */
  readonly bodyMs: number
  /** For the next request on a connection, in milliseconds; then it is closed. */
  readonly idleMs: number
  /** For a client that takes nothing of its answer, in milliseconds; then its connection is reset. */
  readonly stalledReaderMs: number
  /**
   * A body whose length was announced has to come, and an answer has to be taken, with this many bytes per second on average; less than
   * that for `bodyMs` or `stalledReaderMs` counts as nothing at all. 0: any byte is enough.
   */
  readonly minBytesPerSecond: number
  /**
   * The same for a body without a length. Nobody can tell one that drips from a live stream that has little to say, as gRPC's are, so any byte
   * is enough by default: 0.
   */
  readonly minStreamBytesPerSecond: number
}

export const defaultPatience: Patience = {
  headMs: 30_000,
  bodyMs: 60_000,
  idleMs: 75_000,
  stalledReaderMs: 600_000,
  minBytesPerSecond: 16,
  minStreamBytesPerSecond: 0,
}

/** The pace that a body of this kind has to keep. */
export function bodyPace(patience: Patience, hasLength: boolean): number {
  return hasLength ? patience.minBytesPerSecond : patience.minStreamBytesPerSecond
}
