import { describe, expect, test } from "vitest"
import { Redis } from "ioredis"
import { startRedis } from "../../../../test/support/redis.ts"
import type { RedisServer } from "../../../../test/support/redis.ts"
import { freePort } from "../../../../test/support/redis.ts"
import { openRedis } from "../../src/queue/redis-target.ts"
import { parseRedisUrl } from "../../src/queue/redis-url.ts"
import { Fleet } from "./bullmq-kit.ts"
import { RecordingConsumer, tickets, until } from "./kit.ts"

describe("a Redis URL", () => {
  test.each([
    "redis://localhost",
    "redis://localhost:6380/3",
    "redis://:p%40ss@10.0.0.1",
    "rediss://user:pass@redis.example:6379/",
    "redis://[::1]:6379",
    "redis+sentinel://a:26379,b,[::1]:26380/main/1",
    "rediss+cluster://u:p@a:7000,b:7001",
  ])("%s is understood", (url) => {
    expect(() => parseRedisUrl(url)).not.toThrow()
  })

  test.each([
    "",
    "localhost",
    "http://s3cr3t@localhost",
    "redis://",
    "redis://u:s3cr3t@a,b",
    "redis://u:s3cr3t@a:99999",
    "redis://u:s3cr3t@a:0",
    "redis://u:%zz@a",
    "redis://u:s3cr3t@a/x",
    "redis://u:s3cr3t@a/1/2",
    "redis://u:s3cr3t@a/1?x=y",
    "redis+sentinel://u:s3cr3t@a",
    "redis://u:s3cr3t@b@a",
  ])("%s is refused without repeating it", (url) => {
    const refusal = (): unknown => parseRedisUrl(url)
    expect(refusal).toThrow(TypeError)
    expect(refusal).not.toThrow(/s3cr3t|zz/)
  })

  test("names host, port, database, credentials and TLS", () => {
    const { options } = openRedis("rediss://us%3Aer:p%40ss@redis.example:7000/3", { lazyConnect: true })
    expect(options).toMatchObject({
      host: "redis.example",
      port: 7000,
      db: 3,
      username: "us:er",
      password: "p@ss",
      tls: {},
    })
  })

  test("may be a function that opens the connection its own way", () => {
    const client = openRedis((options) => new Redis({ ...options, host: "own.example" }), {
      lazyConnect: true,
    })
    expect(client.options).toMatchObject({ host: "own.example", enableOfflineQueue: false })
  })
})

/** What two edges at this URL make of 50 tickets: those that the one offers and the other leases. */
async function leasedAcross(redis: RedisServer, url: string): Promise<string[]> {
  await using fleet = new Fleet(redis)
  const a = await fleet.edge("edge-a", { redis: url })
  const b = await fleet.edge("edge-b", { redis: url })
  const consumer = new RecordingConsumer(100)
  b.subscribe("default", consumer)
  for (const one of tickets(50)) a.offer(one)
  await until("leased", () => consumer.leased.length === 50)
  for (const one of tickets(50)) a.withdraw(one)
  await Promise.all([a.stop(), b.stop()])
  return consumer.ids
}

test("edges share a queue on a Redis Cluster, where one queue's keys have to share a slot", async () => {
  await using redis = await startRedis({
    args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
  })
  const admin = new Redis(redis.url)
  await admin.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
  await until("the cluster is formed", async () => (await admin.cluster("INFO")).includes("cluster_state:ok"))
  expect(await leasedAcross(redis, `redis+cluster://127.0.0.1:${redis.port}`)).toHaveLength(50)
  expect(await admin.keys("*")).toEqual([])
  admin.disconnect()
}, 20_000)

test("edges share a queue on a Redis that sentinels name", async () => {
  await using redis = await startRedis()
  const port = await freePort()
  await using sentinel = await startRedis({ port, args: ["--sentinel"] })
  const admin = new Redis(sentinel.url)
  await admin.call("SENTINEL", "MONITOR", "main", "127.0.0.1", redis.port, 1)
  expect(await leasedAcross(redis, `redis+sentinel://127.0.0.1:${port}/main`)).toHaveLength(50)
  admin.disconnect()
}, 20_000)
