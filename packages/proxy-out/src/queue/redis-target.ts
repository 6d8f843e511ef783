// Turns what the operator wrote after --redis into connections. The only place that knows URL schemes, and the place
// that makes sure no password leaves by an error message.
import { Cluster, Redis } from "ioredis"
import type { RedisOptions } from "ioredis"

/**
 * Where Redis is: a URL, or a function that opens a connection with the given options merged in (for set-ups that no
 * URL can say). URLs: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, `redis+sentinel://` with a list of
 * sentinels and `/master-name[/db]`, `redis+cluster://` (or `rediss+cluster://`) with a list of nodes.
 */
export type RedisTarget = string | ((options: RedisOptions) => RedisClient)

export type RedisClient = Redis | Cluster

/** Opens a connection that reconnects for ever and fails commands at once while it is down. Throws TypeError for a malformed URL. */
export function openRedis(target: RedisTarget, options: RedisOptions): RedisClient {
  const merged = { ...commonOptions, ...options, replyMapping: "legacy" as const }
  if (typeof target === "function") return target(merged)
  const parsed = parseTarget(target)
  Object.assign(merged, { username: parsed.username, password: parsed.password }, parsed.tls && { tls: {} })
  switch (parsed.kind) {
    case "single": {
      const [node] = parsed.nodes
      return new Redis({ ...merged, ...node, db: parsed.db })
    }
    case "sentinel":
      return new Redis({ ...merged, sentinels: parsed.nodes, name: parsed.master, db: parsed.db })
    case "cluster":
      return new Cluster(parsed.nodes, {
        redisOptions: merged,
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnectDelayMs,
      })
  }
}

/** Throws TypeError, whose message never repeats the URL, unless `openRedis` would understand it. */
export function checkRedisUrl(url: string): void {
  parseTarget(url)
}

interface ParsedTarget {
  readonly kind: "single" | "sentinel" | "cluster"
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly nodes: { readonly host: string; readonly port: number }[]
  readonly master: string
  readonly db: number
}

function parseTarget(url: string): ParsedTarget {
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

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt - 1, 10), 1000)

const commonOptions: RedisOptions = {
  // A command whose outcome is unknown must not be sent again behind the broker's back: it would fetch a job twice.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResubscribe: false,
  connectTimeout: 5000,
  retryStrategy: reconnectDelayMs,
  sentinelRetryStrategy: reconnectDelayMs,
  // After a failover the old master answers READONLY: the next connection finds the new one.
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
  protocol: 2,
}

const urlPattern =
  /^(?<scheme>rediss?(?:\+(?:sentinel|cluster))?):\/\/(?:(?<credentials>[^@/]*)@)?(?<hosts>[^@/?#]+)(?<path>\/[^?#]*)?$/
const nodePattern = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/
