// Which tunnel a request is for. Everything that depends on the host alone is worked out once per host and remembered,
// so that a request costs one look into a Map and, where routes have prefixes, one for each length that they have.
import { parseRoute, routedHost, tunnelNamePattern } from "@restante/protocol"
import type { Route } from "@restante/protocol"
import { PrefixRoutes, type TunnelMatch } from "./prefix-routes.ts"

/** A tunnel as agents have announced it. */
export interface KnownTunnel {
  readonly name: string
  /** As `routeText` writes them; empty: the tunnel is reached by its name. */
  readonly routes: readonly string[]
  /** Whether a route's prefix is cut from what the upstream gets to see. */
  readonly stripPrefix: boolean
  /** Id of the named token with which it became known; undefined: of the operator's own. */
  readonly token?: string | undefined
}

export interface RouteTableOptions {
  /** Names below it are tunnels' names, and no others are. Undefined: the first label of any host may be a tunnel's name. */
  readonly domain: string | undefined
}

/** The tunnel that gets what nothing else matches. */
const defaultTunnel = "default"

export class RouteTable {
  readonly #domain: string | undefined
  readonly #tunnels = new Map<string, KnownTunnel>()
  /** How many tunnels became known with a named token. */
  readonly #ofTokens = new Map<string, number>()
  /** By the route's host, `*.` included; "" for those of any host. */
  readonly #routes = new Map<string, PrefixRoutes>()
  /** By the Host field as it came. */
  readonly #hosts = new Map<string, HostRoutes>()
  #anyHost: HostRoutes | undefined

  constructor({ domain }: RouteTableOptions) {
    this.#domain = domain
  }

  /** The tunnel for a request; undefined when there can be none. `target` is in origin form or `*`. */
  match(host: string | undefined, target: string): TunnelMatch | undefined {
    const routes = host === undefined ? (this.#anyHost ??= this.#compile(undefined)) : this.#routesOf(host)
    for (const prefixes of routes.tiers) {
      const match = prefixes.find(target)
      if (match !== undefined) return match
    }
    return routes.otherwise
  }

  /** Whom a request is probably for, while it is not known which tunnels there are. Undefined: there can be no such tunnel. */
  presumed(host: string | undefined): TunnelMatch | undefined {
    const domain = this.#domain
    const name = host === undefined ? undefined : routedHost(host)
    if (domain === undefined || name?.endsWith(`.${domain}`) !== true)
      return { tunnel: defaultTunnel, strip: "" }
    const label = name.slice(0, -domain.length - 1)
    return tunnelNamePattern.test(label) ? { tunnel: label, strip: "" } : undefined
  }

  get size(): number {
    return this.#tunnels.size
  }

  /** How many tunnels became known with this token. */
  sizeOf(token: string): number {
    return this.#ofTokens.get(token) ?? 0
  }

  get(name: string): KnownTunnel | undefined {
    return this.#tunnels.get(name)
  }

  get all(): Iterable<KnownTunnel> {
    return this.#tunnels.values()
  }

  /** The first of these routes that another tunnel holds. */
  taken(name: string, routes: readonly string[]): string | undefined {
    return routes.find((text) => {
      const route = parseRoute(text)
      const holder = route && this.#routes.get(keyOf(route))?.get(route.prefix)
      return holder !== undefined && holder.tunnel !== name
    })
  }

  /** Makes the tunnel known, or gives a known one other routes. Routes that another tunnel holds stay with that one. */
  set(tunnel: KnownTunnel): void {
    this.delete(tunnel.name)
    this.#tunnels.set(tunnel.name, tunnel)
    this.#count(tunnel, 1)
    for (const text of tunnel.routes) {
      const route = parseRoute(text)
      if (route !== undefined) this.#add(route, tunnel)
    }
    this.#forgetHosts()
  }

  delete(name: string): void {
    const tunnel = this.#tunnels.get(name)
    if (tunnel === undefined) return
    this.#tunnels.delete(name)
    this.#count(tunnel, -1)
    for (const text of tunnel.routes) {
      const route = parseRoute(text)
      if (route !== undefined) this.#remove(route, name)
    }
    this.#forgetHosts()
  }

  #count({ token }: KnownTunnel, more: 1 | -1): void {
    if (token === undefined) return
    const count = this.sizeOf(token) + more
    if (count === 0) this.#ofTokens.delete(token)
    else this.#ofTokens.set(token, count)
  }

  #add(route: Route, { name, stripPrefix }: KnownTunnel): void {
    const { prefix } = route
    const key = keyOf(route)
    let prefixes = this.#routes.get(key)
    if (prefixes === undefined) this.#routes.set(key, (prefixes = new PrefixRoutes()))
    prefixes.add(prefix, { tunnel: name, strip: stripPrefix ? prefix : "" })
  }

  #remove(route: Route, name: string): void {
    const key = keyOf(route)
    const prefixes = this.#routes.get(key)
    if (prefixes?.get(route.prefix)?.tunnel !== name) return
    prefixes.delete(route.prefix)
    if (prefixes.isEmpty) this.#routes.delete(key)
  }

  #routesOf(host: string): HostRoutes {
    let routes = this.#hosts.get(host)
    if (routes === undefined) {
      routes = this.#compile(routedHost(host))
      // Strangers choose what they write into Host: neither many nor long ones may fill the memory.
      if (this.#hosts.size >= maxHosts) this.#hosts.clear()
      if (host.length <= maxHostLength) this.#hosts.set(host, routes)
    }
    return routes
  }

  /** Exact host, then wildcards from the longest, then the name in the first label, then routes of any host. */
  #compile(host: string | undefined): HostRoutes {
    const tiers: PrefixRoutes[] = []
    const add = (key: string): void => {
      const prefixes = this.#routes.get(key)
      // Nothing after one that covers all is ever asked.
      if (prefixes !== undefined && tiers.at(-1)?.coversAll !== true) tiers.push(prefixes)
    }
    if (host !== undefined) {
      add(host)
      for (let at = host.indexOf("."); at >= 0; at = host.indexOf(".", at + 1)) add(`*${host.slice(at)}`)
      const named = this.#byName(host)
      if (named !== undefined) return { tiers, otherwise: named.match }
    }
    add("")
    return { tiers, otherwise: this.#otherwise() }
  }

  /** Undefined: the host names no tunnel, and need not. A match of undefined: it should, and there is none of that name. */
  #byName(host: string): { readonly match: TunnelMatch | undefined } | undefined {
    const domain = this.#domain
    if (domain !== undefined) {
      if (!host.endsWith(`.${domain}`)) return undefined
      return { match: this.#reachedByName(host.slice(0, -domain.length - 1)) }
    }
    const dot = host.indexOf(".")
    if (dot <= 0 || ipv4Pattern.test(host)) return undefined
    const match = this.#reachedByName(host.slice(0, dot))
    return match && { match }
  }

  #reachedByName(name: string): TunnelMatch | undefined {
    const tunnel = this.#tunnels.get(name)
    return tunnel === undefined || tunnel.routes.length > 0 ? undefined : { tunnel: name, strip: "" }
  }

  /** Where nothing was ever served the first agent may be on its way, and it will most likely serve the default tunnel. */
  #otherwise(): TunnelMatch | undefined {
    return this.#tunnels.size === 0
      ? { tunnel: defaultTunnel, strip: "" }
      : this.#reachedByName(defaultTunnel)
  }

  #forgetHosts(): void {
    this.#hosts.clear()
    this.#anyHost = undefined
  }
}

interface HostRoutes {
  /** In the order in which they are asked. */
  readonly tiers: readonly PrefixRoutes[]
  readonly otherwise: TunnelMatch | undefined
}

/** The target as it goes on when `prefix`, which it lies below, is cut from it; never empty. */
export function withoutPrefix(target: string, prefix: string): string {
  const rest = target.slice(prefix.length)
  return rest.charCodeAt(0) === slash ? rest : `/${rest}`
}

function keyOf({ host, wildcard }: Route): string {
  return wildcard ? `*.${host}` : (host ?? "")
}

const slash = 0x2f
const maxHosts = 10_000
const maxHostLength = 300
const ipv4Pattern = /^\d{1,3}(?:\.\d{1,3}){3}$/
