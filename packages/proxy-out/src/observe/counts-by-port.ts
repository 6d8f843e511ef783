// What is counted for each port. The number of ports with numbers of their own is limited, so that agents that come and go with
// ever other ports cannot fill a monitoring system: later ones share "other".
import type { PortKind } from "@restante/protocol"
import { PortTraffic } from "../ports/port-traffic.ts"
import type { PortPlace } from "../ports/port-traffic.ts"

export interface CountedPort {
  readonly kind: PortKind
  /** The tunnel's label. */
  readonly tunnel: string
  /** A number, or "other". */
  readonly port: string
  readonly traffic: PortTraffic
}

export class CountsByPort implements Iterable<CountedPort> {
  readonly #labelOf: (tunnel: string) => string
  readonly #counted = new Map<string, CountedPort>()

  /** `labelOf`: a tunnel's label. */
  constructor(labelOf: (tunnel: string) => string) {
    this.#labelOf = labelOf
  }

  of({ kind, tunnel, port }: PortPlace): PortTraffic {
    const label = this.#labelOf(tunnel)
    const known = this.#counted.get(`${kind} ${port} ${label}`)
    if (known !== undefined) return known.traffic
    return this.#counted.size < maxPlaces
      ? this.#add(kind, label, String(port))
      : this.#add(kind, "other", "other")
  }

  [Symbol.iterator](): Iterator<CountedPort> {
    return this.#counted.values()
  }

  #add(kind: PortKind, tunnel: string, port: string): PortTraffic {
    const key = `${kind} ${port} ${tunnel}`
    const counted = this.#counted.get(key) ?? { kind, tunnel, port, traffic: new PortTraffic() }
    this.#counted.set(key, counted)
    return counted.traffic
  }
}

/** Pairs of a port and a tunnel with numbers of their own. */
const maxPlaces = 256
