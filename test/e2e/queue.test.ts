// Requests that have to wait, and the Redis behind the queue going away.
import { Redis } from "ioredis"
import { Pool } from "undici"
import { describe, expect, test } from "vitest"
import { mib } from "../support/bulk.ts"
import { fetchWhole, keptAlive } from "../support/client.ts"
import { startLoad } from "../support/load.ts"
import { edgeStatus, startAgent, startEdge, token } from "../support/pair.ts"
import { queues, startQueue } from "../support/queue.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { report } from "../support/report.ts"
import { slowness } from "../support/slowness.ts"
import { refusalIn } from "../support/refusal.ts"
import { startSmallAgent } from "../support/small-agent.ts"
import { passTime, until } from "../support/until.ts"
import { httpUpstream, rawUpstream } from "../support/upstream.ts"

const heldRequests = 5000
const tunnels = 1000

describe.for(queues)("queue in %s", { timeout: 120_000 }, (queue) => {
  test("5,000 requests held while no agent is attached are all answered once one attaches; the one past --max-queue is refused at once", async () => {
    await using place = await startQueue(queue)
    await using upstream = await httpUpstream((incoming, response) => response.end(incoming.url))
    await using edge = await startEdge({
      args: [...place.args, "--hold", "60s", "--max-queue", String(heldRequests)],
    })
    const targets = Array.from({ length: heldRequests }, (_, index) => `/${index}`)
    const answers = targets.map((target) => fetchWhole(`${edge.url}${target}`))
    await until("all to wait", async () => (await edgeStatus(edge)).queue.waiting === heldRequests, 60_000)
    const began = performance.now()
    expect(refusalIn(await fetchWhole(`${edge.url}/one-too-many`))).toEqual({
      status: 503,
      error: "connection_limit_reached",
      code: "queue_full",
      forwarded: "no",
      retry: true,
    })
    expect(performance.now() - began).toBeLessThan(1000 * slowness())
    await using agent = await startAgent({ server: upstream.url, external: edge.url })
    await agent.attached()
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(targets)
    expect(new Set(upstream.seen).size).toBe(heldRequests)
    expect(upstream.seen).toHaveLength(heldRequests)
    const { peakMemoryBytes } = edge.program
    report(() => `${heldRequests} held, ${queue}: edge ${Math.round(peakMemoryBytes / mib)} MiB`)
    expect(peakMemoryBytes).toBeLessThan(400 * mib)
  })
})

describe("Redis", { concurrent: true, timeout: 240_000 }, () => {
  test.for([
    ["stopped", (redis: RedisServer) => redis.shutdown(), (redis: RedisServer) => redis.start()],
    ["killed", (redis: RedisServer) => redis.kill(), (redis: RedisServer) => redis.start()],
    ["frozen", (redis: RedisServer) => redis.pause(), (redis: RedisServer) => redis.resume()],
  ] as const)("%s for 10 s under load with an agent attached: no client notices", async ([, stop, start]) => {
    await using redis = await startRedis()
    let reached = 0
    await using upstream = await rawUpstream((socket) => {
      reached++
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    })
    await using edge = await startEdge({ args: ["--redis", redis.url] })
    await using agent = await startAgent({ server: upstream.url, external: edge.url })
    await agent.attached()
    const load = startLoad(edge.url, 200)
    await until("the load to run", () => reached > 200, 60_000)
    await stop(redis)
    await passTime(10_000)
    await start(redis)
    const reachedBefore = reached
    await until("the load to run on", () => reached > reachedBefore + 1000, 60_000)
    const { requests, outcomes } = await load.stop()
    expect(outcomes).toEqual(new Map([["200", requests]]))
    expect(reached).toBe(requests)
  })

  test("1,000 tunnels attached to one edge: at most 10 connections to it, and each tunnel is served", async () => {
    await using redis = await startRedis()
    await using edge = await startEdge({ args: ["--redis", redis.url] })
    const names = Array.from({ length: tunnels }, (_, index) => `tunnel-${index}`)
    const pool = new Pool(edge.url, { headersTimeout: 0, bodyTimeout: 0 })
    const stopping = new AbortController()
    try {
      await Promise.all(
        names.map((tunnel) =>
          startSmallAgent({ pool, tunnel, token, text: `from ${tunnel}`, signal: stopping.signal }),
        ),
      )
      const clients = keptAlive(50)
      const answers = await Promise.all(
        names.map((tunnel) =>
          fetchWhole(`${edge.url}/`, { agent: clients, headers: { host: `${tunnel}.example` } }),
        ),
      )
      expect(answers.map(({ text }) => text)).toEqual(names.map((tunnel) => `from ${tunnel}`))
      const connections = await connectionsTo(redis)
      report(() => `${tunnels} tunnels: ${connections} connections to Redis`)
      expect(connections).toBeLessThanOrEqual(10)
      clients.destroy()
    } finally {
      stopping.abort()
      await pool.destroy()
    }
  })
})

/** How many clients this Redis has, without the one that asks. */
async function connectionsTo({ url }: RedisServer): Promise<number> {
  const redis = new Redis(url)
  try {
    const list = String(await redis.client("LIST"))
    return list.trim().split("\n").length - 1
  } finally {
    redis.disconnect()
  }
}
