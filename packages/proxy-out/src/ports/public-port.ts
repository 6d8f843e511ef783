// What all ports that are open for tunnels have in common, whichever protocol they speak.
import type { Clock } from "../clock.ts"
import type { AdmissionOptions } from "./admission.ts"
import type { PortStreams } from "./port-streams.ts"
import type { PortObserver, PortPlace, PortTraffic } from "./port-traffic.ts"

export interface PublicPort {
  /** Rejects with the system's error when it cannot be opened. */
  open(host: string, port: number): Promise<void>
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
  readonly limits: AdmissionOptions
  readonly traffic: PortTraffic
  readonly observer: Pick<PortObserver, "settledAtPort" | "refusedAtPort">
  /** How long a client of UDP may be silent, in milliseconds; then its flow is over. */
  readonly flowMs: number
  readonly clock: Clock
}
