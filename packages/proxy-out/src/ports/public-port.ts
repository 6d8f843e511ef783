// What all ports that are open for tunnels have in common, whichever protocol they speak.
import type { Clock } from "../clock.ts"
import type { PortStreams } from "./port-streams.ts"

export interface PublicPort {
  readonly counts: Readonly<PortCounts>
  /** Rejects with the system's error when it cannot be opened. */
  open(host: string, port: number): Promise<void>
  /** Takes no more; what there is goes on. */
  close(): void
}

export interface PortCounts {
  accepted: number
  /** At once, because there were too many. */
  refused: number
  /** Datagrams that had no room, either way. */
  dropped: number
}

export interface PublicPortOptions {
  /** This edge's id. */
  readonly owner: string
  /** Where its tickets wait, see `queueOf`. */
  readonly queue: string
  /** `PortRequest.name`. */
  readonly name: string
  readonly streams: PortStreams
  /** Most connections, or flows, at a time. */
  readonly maxConnections: number
  /** How long a client of UDP may be silent, in milliseconds; then its flow is over. */
  readonly flowMs: number
  readonly clock: Clock
}
