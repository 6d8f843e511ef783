// Turns what the operator wrote after --redis into connections.
import { Cluster, Redis } from "ioredis"
import type { RedisOptions } from "ioredis"
import { keepStringsFast } from "./fast-strings.ts"
import { parseRedisUrl } from "./redis-url.ts"

keepStringsFast()

/**
 * Where Redis is: a URL as `parseRedisUrl` reads it, or a function that opens a connection with the given options merged in
 * (for set-ups that no URL can say).
 */
export type RedisTarget = string | ((options: RedisOptions & { replyMapping: "legacy" }) => RedisClient)

export type RedisClient = Redis | Cluster

/** Opens a connection that reconnects for ever and fails commands at once while it is down. Throws TypeError for a malformed URL. */
export function openRedis(target: RedisTarget, options: RedisOptions): RedisClient {
  const merged = { ...commonOptions, ...options, replyMapping: "legacy" as const }
  if (typeof target === "function") return target(merged)
  const parsed = parseRedisUrl(target)
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
