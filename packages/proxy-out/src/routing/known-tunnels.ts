// Which tunnels there are: those that an agent has served, here, at an edge that shares our store, or before a restart.
// First come, first kept: a route belongs to the tunnel that announced it first, until somebody forgets that tunnel.
import type { TunnelMatch } from "./prefix-routes.ts"
import type { KnownTunnel } from "./route-table.ts"
import { RouteTable } from "./route-table.ts"
import type { TunnelStore, TunnelStoreSink } from "./tunnel-store.ts"

export interface KnownTunnelsOptions {
  readonly store: TunnelStore
  /** See RouteTableOptions. */
  readonly domain: string | undefined
  /** Whether an agent serves it at this edge now: such a tunnel cannot be forgotten. */
  readonly isServed: (tunnel: string) => boolean
  /** A route turned out to be another's: the tunnel's sessions have to end, and attaching anew says why. */
  readonly onTaken: (tunnel: string) => void
}

export type Claim =
  | { readonly kind: "granted" }
  | { readonly kind: "taken"; readonly route: string }
  /** Of the edge, or of what one token may make known. */
  | { readonly kind: "full"; readonly of: "edge" | "token"; readonly most: number }

/** Most tunnels that are remembered. */
const maxTunnels = 100_000
/** Of these with the same named token, so that a pattern such as `preview-*` cannot fill the edge. */
const maxTunnelsOfToken = 10_000

export class KnownTunnels implements TunnelStoreSink {
  readonly #options: KnownTunnelsOptions
  readonly #table: RouteTable
  /** What is stored has been read: only now is a name that is not there one that nobody has ever served. */
  #loaded = false

  constructor(options: KnownTunnelsOptions) {
    this.#options = options
    this.#table = new RouteTable({ domain: options.domain })
  }

  start(): Promise<void> {
    return this.#options.store.start(this)
  }

  stop(): Promise<void> {
    return this.#options.store.stop()
  }

  get all(): Iterable<KnownTunnel> {
    return this.#table.all
  }

  /** Those that its last agent has announced. */
  routesOf(tunnel: string): readonly string[] {
    return this.#table.get(tunnel)?.routes ?? []
  }

  /** The tunnel for a request; undefined when nobody has ever served one that it could be for. */
  match(host: string | undefined, target: string): TunnelMatch | undefined {
    return this.#table.match(host, target) ?? (this.#loaded ? undefined : this.#table.presumed(host))
  }

  /** An agent wants to serve this. What it says replaces what earlier agents of the tunnel said. */
  claim(tunnel: KnownTunnel): Claim {
    const known = this.#table.get(tunnel.name)
    if (known !== undefined && isSame(known, tunnel)) return granted
    const answer = this.examine(tunnel)
    if (answer.kind !== "granted") return answer
    const claimed = known === undefined ? tunnel : { ...tunnel, token: known.token }
    this.#table.set(claimed)
    this.#options.store.save(claimed)
    return granted
  }

  /** What `claim` would say; changes nothing. */
  examine(tunnel: KnownTunnel): Claim {
    const route = this.#table.taken(tunnel.name, tunnel.routes)
    if (route !== undefined) return { kind: "taken", route }
    if (this.#table.get(tunnel.name) !== undefined) return granted
    if (this.#table.size >= maxTunnels) return { kind: "full", of: "edge", most: maxTunnels }
    const { token } = tunnel
    return token !== undefined && this.#table.sizeOf(token) >= maxTunnelsOfToken
      ? { kind: "full", of: "token", most: maxTunnelsOfToken }
      : granted
  }

  onTunnels(all: readonly KnownTunnel[]): void {
    this.#loaded = true
    const names = new Set<string>()
    const changed: KnownTunnel[] = []
    for (const tunnel of all) {
      names.add(tunnel.name)
      const known = this.#table.get(tunnel.name)
      if (known === undefined || !isSame(known, tunnel)) changed.push(tunnel)
    }
    for (const tunnel of this.#table.all) {
      if (names.has(tunnel.name)) continue
      if (this.#options.isServed(tunnel.name)) this.#options.store.save(tunnel)
      else this.#table.delete(tunnel.name)
    }
    // All of them first: a route may have moved from one to another.
    for (const { name } of changed) this.#table.delete(name)
    for (const tunnel of changed) this.#table.set(tunnel)
  }

  onStoreLost(): Iterable<KnownTunnel> {
    return this.#table.all
  }

  onTaken(tunnel: string): void {
    this.#table.delete(tunnel)
    this.#options.onTaken(tunnel)
  }
}

const granted: Claim = { kind: "granted" }

function isSame(a: KnownTunnel, b: KnownTunnel): boolean {
  return (
    a.stripPrefix === b.stripPrefix &&
    a.routes.length === b.routes.length &&
    a.routes.every((route, index) => route === b.routes[index])
  )
}
