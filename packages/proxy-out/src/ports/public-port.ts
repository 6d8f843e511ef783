// What all ports that are open for tunnels have in common, whichever protocol they speak.
import type { Clock } from "../clock.ts"
import type { ShareLimits } from "./address-shares.ts"
import type { PortStreams } from "./port-streams.ts"
import type { PortObserver, PortPlace, PortTraffic } from "./port-traffic.ts"

export interface PublicPort {
  /** Resolves with what is counted there from then on. Rejects with the system's error when it cannot be opened. */
  open(host: string, port: number): Promise<PortTraffic>
  /** Takes no more; what there is goes on. */
  close(): void
}

export interface PublicPortOptions extends PortPlace {
  /** This edge's id. */
  readonly owner: string
  /** Where its tickets wait, see `queueOf`. */
  readonly queue: string
  /** `PortRequest.name`. */
  readonly name: string
  readonly streams: PortStreams
  /** Of connections, or flows. */
  readonly limits: ShareLimits
  /** Asked for the port's counts once it is open: one that never opens has none. */
  readonly observer: PortObserver
  /** How long a client of UDP may be silent, in milliseconds; then its flow is over. */
  readonly flowMs: number
  readonly clock: Clock
}
