// One route of a tunnel: which hosts and which paths it is for, written as one string. Both programs read it with this.

export interface Route {
  /** Lower case, without port and final dot; undefined: any host. */
  readonly host: string | undefined
  /** `*.HOST`: every name below the host, however deep, and not the host itself. */
  readonly wildcard: boolean
  /** "" for every path; else it begins with "/" and does not end with it. Compared byte by byte, on segment boundaries. */
  readonly prefix: string
}

/** Most routes that one tunnel may have. */
export const maxRoutes = 64
/** Longest route as text, in characters. */
export const maxRouteLength = 510

/** A tunnel's name: 1 to 63 of a-z, 0-9 and "-", no "-" at either end. */
export const tunnelNamePattern: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** What a route is made of, as a person has to write it. */
export const routeForms = "HOST, *.HOST, HOST/PREFIX, *.HOST/PREFIX or /PREFIX"

/**
 * Reads `HOST`, `*.HOST`, `HOST/PREFIX`, `*.HOST/PREFIX` or `/PREFIX`; undefined for anything else. A final "/" of the prefix means
 * nothing: `/api/` is `/api`, `HOST/` is `HOST`. A lone `/` would be every request and is not a route.
 */
export function parseRoute(text: string): Route | undefined {
  const [, star, name, path] = routePattern.exec(text) ?? []
  if (path === undefined || text.length > maxRouteLength) return undefined
  const prefix = path.replace(/\/+$/, "")
  if (prefix !== "" && !prefixPattern.test(prefix)) return undefined
  if (name === undefined) return prefix === "" ? undefined : { host: undefined, wildcard: false, prefix }
  const host = name.toLowerCase().replace(/\.$/, "")
  if (host.length > 253 || !hostPattern.test(host)) return undefined
  return { host, wildcard: star !== undefined, prefix }
}

/** The one way to write it: two routes are the same when their texts are. */
export function routeText({ host, wildcard, prefix }: Route): string {
  return `${wildcard ? "*." : ""}${host ?? ""}${prefix}`
}

/** Whether every request that `inner` is for is one that `outer` is for. */
export function routeCovers(outer: Route, inner: Route): boolean {
  return (
    coversHost(outer, inner) && (inner.prefix === outer.prefix || inner.prefix.startsWith(`${outer.prefix}/`))
  )
}

function coversHost({ host, wildcard }: Route, inner: Route): boolean {
  if (host === undefined) return true
  if (inner.host === undefined) return false
  if (wildcard && inner.host.endsWith(`.${host}`)) return true
  return inner.host === host && inner.wildcard === wildcard
}

/** A host field's name as routes are compared with it; undefined for IPv6 addresses, and where there is none. */
export function routedHost(host: string | undefined): string | undefined {
  if (host === undefined || host === "" || host.charCodeAt(0) === openBracket) return undefined
  const colon = host.indexOf(":")
  let end = colon < 0 ? host.length : colon
  if (host.charCodeAt(end - 1) === dot) end--
  return end === 0 ? undefined : host.slice(0, end).toLowerCase()
}

const openBracket = 0x5b
const dot = 0x2e
const routePattern = /^(?:(\*\.)?([A-Za-z0-9._-]+))?((?:\/.*)?)$/
const hostPattern = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/
/** Visible ASCII, less what ends a path (RFC 3986 section 3.3); the edge's own pages cannot be routed away. */
const prefixPattern = /^(?!\/\.restante(?:\/|$))\/[\x21\x22\x24-\x3e\x40-\x7e]*$/
