// Reads the URL of a Redis. The only place that knows the schemes, and the place that makes sure no password leaves by an
// error message. Free of ioredis, so that a command line is checked without loading it.

/** What a Redis URL says. `db` is the database's number, 0 unless given; `master` is "" unless `kind` is "sentinel". */
export interface RedisAddress {
  readonly kind: "single" | "sentinel" | "cluster"
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly nodes: { readonly host: string; readonly port: number }[]
  readonly master: string
  readonly db: number
}

/**
 * Reads `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, `redis+sentinel://` with a list of sentinels and
 * `/master-name[/db]`, `redis+cluster://` (or `rediss+cluster://`) with a list of nodes. Throws TypeError, whose message never
 * repeats the URL.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = urlPattern.exec(url)
  const { scheme = "", credentials, hosts = "", path = "" } = match?.groups ?? {}
  const kind = scheme.endsWith("+sentinel") ? "sentinel" : scheme.endsWith("+cluster") ? "cluster" : "single"
  const nodes = hosts.split(",").map((host) => parseNode(host, kind === "sentinel" ? 26_379 : 6379))
  const segments = path.split("/").filter((segment) => segment !== "")
  const master = kind === "sentinel" ? (segments.shift() ?? "") : ""
  const db = Number(segments.shift() ?? 0)
  const colon = credentials?.indexOf(":") ?? -1
  const wellFormed =
    match !== null &&
    segments.length === 0 &&
    (kind === "sentinel") === (master !== "") &&
    (kind !== "single" || nodes.length === 1) &&
    Number.isInteger(db)
  if (!wellFormed) {
    throw new TypeError("the Redis URL is malformed; it looks like redis://[user:password@]host[:port][/db]")
  }
  return {
    kind,
    tls: scheme.startsWith("rediss"),
    username: decode(colon === -1 ? credentials : credentials?.slice(0, colon)),
    password: decode(colon === -1 ? undefined : credentials?.slice(colon + 1)),
    nodes,
    master,
    db,
  }
}

function parseNode(text: string, defaultPort: number): { host: string; port: number } {
  const match = nodePattern.exec(text)
  const host = match?.groups?.["v6"] ?? match?.groups?.["name"]
  const port = Number(match?.groups?.["port"] ?? defaultPort)
  if (host === undefined || port < 1 || port > 65_535)
    throw new TypeError("the Redis URL names no valid host and port")
  return { host, port }
}

function decode(text: string | undefined): string | undefined {
  if (!text) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError("the credentials in the Redis URL are not percent-encoded correctly")
  }
}

const urlPattern =
  /^(?<scheme>rediss?(?:\+(?:sentinel|cluster))?):\/\/(?:(?<credentials>[^@/]*)@)?(?<hosts>[^@/?#]+)(?<path>\/[^?#]*)?$/
const nodePattern = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/
