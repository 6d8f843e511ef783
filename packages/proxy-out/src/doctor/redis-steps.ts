// The steps that look at the shared queue's Redis: whether it lets us in, what it is, and how far away.
import type { Report } from "@restante/protocol"
import { describe, withinMs } from "../queue/redis-link.ts"
import { openRedis, type RedisClient } from "../queue/redis-target.ts"
import type { EdgeFindingCode } from "./findings.ts"

type EdgeReport = Report<EdgeFindingCode>

export async function redisStep(url: string): Promise<EdgeReport> {
  try {
    const version = await withRedis(url, async (client) => {
      const text = String(await client.call("INFO", "server"))
      return /^(?:redis|valkey)_version:(\S+)/m.exec(text)?.[1] ?? "unknown"
    })
    const [major = 0, minor = 0] = version.split(".").map(Number)
    const detail = `version ${version}`
    if (major < 5) return { code: "redis_old", detail }
    return { code: major > 6 || (major === 6 && minor >= 2) ? "redis_answers" : "redis_aging", detail }
  } catch (error) {
    const detail = describe(error)
    if (/^(?:NOAUTH|WRONGPASS|NOPERM)|invalid (?:username-)?password/i.test(detail))
      return { code: "redis_password", detail: /^[A-Z]+/.exec(detail)?.[0] }
    // A Redis without TLS takes the handshake for the beginning of a command and waits for its end.
    const silent = url.startsWith("rediss") && error instanceof Error && error.message === "no answer in time"
    if (silent || /^ERR_(?:SSL|TLS)|CERT|UNABLE_TO_|EPROTO/.test(detail)) return { code: "redis_tls", detail }
    return { code: "redis_unreachable", detail }
  }
}

export async function policyStep(url: string): Promise<EdgeReport> {
  try {
    const answer = await withRedis(url, (client) => client.call("CONFIG", "GET", "maxmemory-policy"))
    const policy = Array.isArray(answer) ? String(answer[1]) : "unknown"
    return { code: policy === "noeviction" ? "policy_keeps" : "policy_evicts", detail: policy }
  } catch {
    // A hosted Redis often forbids CONFIG.
    return { code: "policy_unknown" }
  }
}

export async function latencyStep(url: string): Promise<EdgeReport> {
  const tookMs = await withRedis(url, async (client) => {
    const times: number[] = []
    while (times.length < pings) {
      const begunAt = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
      await client.ping()
      times.push(performance.now() - begunAt)
    }
    return times.toSorted((a, b) => a - b)
  })
  const medianMs = tookMs[pings / 2] ?? 0
  const detail = `median of ${pings}: ${medianMs.toFixed(2)} ms`
  return { code: medianMs > mostMedianMs ? "latency_high" : "latency_low", detail }
}

const pings = 20
const mostMedianMs = 10
/** Less than what ioredis gives a connection, so that a handshake that hangs is told from a host that is away. */
const patienceMs = 4000

/** A connection that is tried once. Rejects with why it could not be used. */
async function withRedis<T>(url: string, ask: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = openRedis(url, { lazyConnect: true, connectionName: "restante:doctor" })
  const failed = new Promise<never>((_resolve, reject) => {
    client.on("error", reject)
  })
  failed.catch(() => undefined)
  const asked = async (): Promise<T> => {
    const ready = new Promise<void>((resolve) => {
      client.once("ready", () => resolve())
    })
    client.connect().catch(() => undefined)
    await ready
    return ask(client)
  }
  try {
    return await withinMs(Promise.race([asked(), failed]), patienceMs)
  } finally {
    client.disconnect()
  }
}
