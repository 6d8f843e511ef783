// Where known tunnels are kept beyond the life of this process: the port, and the store of an edge that keeps nothing.
import type { KnownTunnel } from "./route-table.ts"

/** Nothing here ever waits or throws for the store's troubles: what could not be stored is tried again. */
export interface TunnelStore {
  /** Resolves once what is stored has been told, or cannot be had for now. */
  start(sink: TunnelStoreSink): Promise<void>
  /** The tunnel is served here, with these routes. */
  save(tunnel: KnownTunnel): void
  /** Writes what was not written yet, if that is possible. */
  stop(): Promise<void>
}

export interface TunnelStoreSink {
  /** All that is stored, at first and whenever it has changed elsewhere. What is missing there has been forgotten. */
  onTunnels(all: readonly KnownTunnel[]): void
  /** The store holds nothing of what it held before (a Redis that was emptied): what is known here is stored anew. */
  onStoreLost(): Iterable<KnownTunnel>
  /** Another tunnel has got one of the routes first, at another edge: this one was not stored. */
  onTaken(tunnel: string): void
}

/** For an edge without data directory and without Redis. */
export const noTunnelStore: TunnelStore = {
  start: (sink) => {
    sink.onTunnels([])
    return Promise.resolve()
  },
  save: () => undefined,
  stop: () => Promise.resolve(),
}
