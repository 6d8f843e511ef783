// The rules of routing once more, as slowly and plainly as they are told in docs/tunnels.md.
import type { TunnelMatch } from "../../src/routing/prefix-routes.ts"
import type { KnownTunnel } from "../../src/routing/route-table.ts"

/** `host`: lower case, no port. */
export function matchSlowly(
  tunnels: readonly KnownTunnel[],
  domain: string | undefined,
  host: string | undefined,
  target: string,
): TunnelMatch | undefined {
  const found = tunnels
    .flatMap((tunnel) => tunnel.routes.map((route) => ({ tunnel, ...split(route) })))
    .filter(({ prefix }) => target === prefix || ["", "/", "?"].some((next) => below(target, prefix, next)))
    .map((candidate) => ({ ...candidate, rank: rankOf(candidate.host, host) }))
    .filter(({ rank }) => rank > 0)
    .toSorted((a, b) => b.rank - a.rank || b.prefix.length - a.prefix.length)
  const named = (name: string): TunnelMatch | undefined =>
    tunnels.some((tunnel) => tunnel.name === name && tunnel.routes.length === 0)
      ? { tunnel: name, strip: "" }
      : undefined
  const [best] = found
  const chosen = best && { tunnel: best.tunnel.name, strip: best.tunnel.stripPrefix ? best.prefix : "" }
  if (best !== undefined && best.rank > anyHost) return chosen
  if (host !== undefined && domain !== undefined && host.endsWith(`.${domain}`))
    return named(host.slice(0, host.length - domain.length - 1))
  const [label = "", ...others] = host?.split(".") ?? []
  const byLabel = domain === undefined && others.length > 0 ? named(label) : undefined
  return byLabel ?? chosen ?? (tunnels.length === 0 ? { tunnel: "default", strip: "" } : named("default"))
}

const anyHost = 1

function rankOf(routeHost: string, host: string | undefined): number {
  if (routeHost === "") return anyHost
  if (host === undefined) return 0
  if (routeHost === host) return 10_000
  return routeHost.startsWith("*.") && host.endsWith(routeHost.slice(1)) && host !== routeHost.slice(2)
    ? 1 + routeHost.length
    : 0
}

function split(route: string): { readonly host: string; readonly prefix: string } {
  const slash = route.indexOf("/")
  return slash < 0 ? { host: route, prefix: "" } : { host: route.slice(0, slash), prefix: route.slice(slash) }
}

function below(target: string, prefix: string, next: string): boolean {
  return next === "" ? prefix === "" : target.startsWith(prefix + next)
}
