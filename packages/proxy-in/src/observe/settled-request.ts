// What is known of a request once it has ended: what counters, request lines and the log are made from.
import type { ReplayOutcome } from "../upstream/replay.ts"

/** Valid while `RequestListener` runs. Times are milliseconds of a clock that only goes forward. */
export interface SettledRequest {
  /** The id that the edge and the client know it by. */
  readonly exchange: string
  /** "" for a request that was not valid; TCP or UDP for what came in at a port. */
  readonly method: string
  /** As the client sent it; "" for a request that was not valid. Of a port its name. */
  readonly target: string
  /** Of the upstream's answer; 0 when none came. */
  readonly status: number
  /** When the agent got it. */
  readonly startedAt: number
  readonly endedAt: number
  /** From sending it to the upstream to the head of the answer; undefined when none came. */
  readonly upstreamMs: number | undefined
  /** The private server, as a person writes it, where that is not the tunnel's own one but a port's. */
  readonly upstream?: string
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Called for every request that ends, on the hot path: it must cost next to nothing. */
export type RequestListener = (request: SettledRequest, outcome: ReplayOutcome) => void

/** What a UDP flow learns of the private server while it goes on. */
export interface FlowListener {
  /** The system says that a datagram did not reach it: `detail` is its error code. */
  refused(flow: SettledRequest, detail: string): void
  /** So many datagrams, either way, had no room or could not be sent. */
  dropped(flow: SettledRequest, count: number): void
  /** It answered, for the first time since the flow began, or since it was last refused. */
  heard(flow: SettledRequest): void
}

/** The option whose port it came in at, as a person would look for it: `--tcp 20022`, `--udp auto`. Undefined for a request. */
export function portOption({ method, target, upstream }: SettledRequest): string | undefined {
  return upstream === undefined ? undefined : `--${method.toLowerCase()} ${target}`
}
