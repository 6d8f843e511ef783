// How long the ingress waits for a client: what may pause, and for how long (RFC 9110 section 15.5.9).
export interface Patience {
  /** For the whole head of a request, from its first byte on, in milliseconds; then 408. */
  readonly headMs: number
  /** For the next piece of a request's body, in milliseconds; then 408. */
  readonly bodyMs: number
  /** For the next request on a connection, in milliseconds; then it is closed. */
  readonly idleMs: number
  /** For a client that takes nothing of its answer, in milliseconds; then its connection is reset. */
  readonly stalledReaderMs: number
}

export const defaultPatience: Patience = {
  headMs: 30_000,
  bodyMs: 60_000,
  idleMs: 75_000,
  stalledReaderMs: 600_000,
}
