// What is counted for each tunnel. The number of tunnels that have numbers of their own is limited, so that the names of
// tunnels cannot fill a monitoring system: later ones share "other".
import { DurationHistogram } from "./histogram.ts"

export class TunnelCounts {
  readonly tunnel: string
  readonly outcomes = { answered: 0, broken: 0, cancelled: 0, failed: 0 }
  /** Upstreams' answers by the first digit of their status: place 0 holds 1xx. */
  readonly responses = new Float64Array(5)
  requestBytes = 0
  responseBytes = 0
  readonly queue = new DurationHistogram()
  readonly link = new DurationHistogram()
  readonly upstream = new DurationHistogram()
  readonly total = new DurationHistogram()

  constructor(tunnel: string) {
    this.tunnel = tunnel
  }
}

export class CountsByTunnel implements Iterable<TunnelCounts> {
  readonly #counts = new Map<string, TunnelCounts>()
  readonly #other = new TunnelCounts(otherTunnels)

  get(tunnel: string): TunnelCounts {
    return this.#counts.get(tunnel) ?? this.#add(tunnel)
  }

  /** The label of a tunnel: its name while there is room, "other" afterwards. */
  labelOf(tunnel: string): string {
    return this.get(tunnel).tunnel
  }

  [Symbol.iterator](): Iterator<TunnelCounts> {
    const all = [...this.#counts.values()]
    return (all.length < maxTunnels ? all : [...all, this.#other]).values()
  }

  #add(tunnel: string): TunnelCounts {
    if (this.#counts.size >= maxTunnels) return this.#other
    const counts = new TunnelCounts(tunnel)
    this.#counts.set(tunnel, counts)
    return counts
  }
}

/** Tunnels with numbers of their own. */
const maxTunnels = 50
const otherTunnels = "other"
