// Several edges on one Redis.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { RedisServer } from "../../../../test/support/redis.ts"
import { slowness } from "../../../../test/support/slowness.ts"
import { startRedis } from "../../../../test/support/redis.ts"
import { dataOf } from "../../src/queue/bullmq-store.ts"
import { encodeTickets } from "../../src/queue/ticket-codec.ts"
import { Fleet, logOf } from "./bullmq-kit.ts"
import { RecordingConsumer, allOctets, pause, ticket, tickets, until } from "./kit.ts"

describe.concurrent("edges that share a Redis", () => {
  let redis: RedisServer

  beforeAll(async () => {
    redis = await startRedis()
  })

  afterAll(() => redis.stop())

  test("a ticket offered at one edge reaches another edge's consumer, every octet of it", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const consumer = new RecordingConsumer(10)
    b.subscribe("default", consumer)
    const octets = allOctets.subarray(32).toString("latin1")
    const offered = ticket("a", {
      head: `GET /\xe9"\\ HTTP/1.1\r\nHost: x\r\nX: ${octets}\r\n\r\n`,
      body: Buffer.concat([allOctets, allOctets.toReversed()]),
      record: { clientAddress: "2001:db8::1", scheme: "https", traceparent: "00-abc-def-01" },
      idempotent: false,
      attempt: 2,
    })
    const streamed = ticket("b", {
      bodyFollows: true,
      record: { clientAddress: "", scheme: "http", traceparent: undefined },
    })
    a.offer(offered)
    a.offer(streamed)
    await until("leased", () => consumer.leased.length === 2)
    expect(consumer.leased).toEqual([offered, streamed])
  })

  test("a waiting ticket is fetched at once when another edge's consumer appears or gets room", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    for (const one of tickets(2)) a.offer(one)
    await pause(50)
    const consumer = new RecordingConsumer(1)
    const subscription = b.subscribe("default", consumer)
    await until("the first", () => consumer.leased.length === 1, 1000)
    consumer.addRoom(1)
    subscription.ready()
    await until("the second", () => consumer.leased.length === 2, 1000)
    expect(consumer.ids).toEqual(["t0", "t1"])
  })

  test("several edges share the tickets of a tunnel and none is handed out twice", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const consumers = [a, await fleet.edge("edge-b"), await fleet.edge("edge-c")].map((broker) => {
      const consumer = new RecordingConsumer(5)
      const subscription = broker.subscribe("default", consumer)
      consumer.onLease = () =>
        setTimeout(() => {
          consumer.addRoom(1)
          subscription.ready()
        }, 5)
      return consumer
    })
    for (const one of tickets(1000)) a.offer(one)
    const leased = (): string[] => consumers.flatMap(({ ids }) => ids)
    await until("all leased", () => leased().length >= 1000)
    await pause(100)
    expect(leased().toSorted()).toEqual(
      tickets(1000)
        .map(({ id }) => id)
        .toSorted(),
    )
    for (const { ids } of consumers) expect(ids.length).toBeGreaterThan(100)
  })

  test("what an edge has no room for goes to the edges that have, without waiting for it", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const small = new RecordingConsumer(150)
    const large = new RecordingConsumer(150)
    a.subscribe("default", small)
    b.subscribe("default", large)
    for (const one of tickets(300)) a.offer(one)
    await until("both full", () => small.leased.length + large.leased.length === 300, 2000)
    expect(new Set([...small.ids, ...large.ids]).size).toBe(300)
  })

  test("tickets that a consumer leaves behind go to another edge", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const first = new RecordingConsumer(1)
    const subscription = b.subscribe("default", first)
    for (const one of tickets(10)) a.offer(one)
    await until("one leased", () => first.leased.length === 1)
    subscription.close()
    const second = new RecordingConsumer(100)
    a.subscribe("default", second)
    await until("the rest leased", () => second.leased.length === 9)
    expect(second.ids).not.toContain(first.ids[0])
  })

  test("an edge that stops hands back what it has fetched of others' tickets, and takes its own away", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const first = new RecordingConsumer(1)
    b.subscribe("default", first)
    for (const one of tickets(10)) a.offer(one)
    await until("one leased", () => first.leased.length === 1)
    b.offer(ticket("of-b", { owner: "edge-b" }))
    await pause(20)
    await b.stop()
    const second = new RecordingConsumer(100)
    a.subscribe("default", second)
    await until("the rest leased", () => second.leased.length === 9, 1000)
    await pause(50)
    expect(second.ids).not.toContain("of-b")
  })

  test("a job whose edge died after fetching it is leased elsewhere within 5 s", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    for (const one of tickets(3)) a.offer(one)
    const dead = await fleet.rawQueue("default")
    await until("fetched by the dying edge", async () => (await dead.fetch()) !== undefined)
    const consumer = new RecordingConsumer(10)
    a.subscribe("default", consumer)
    const startedAt = performance.now()
    await until("leased", () => consumer.leased.length === 3)
    expect(performance.now() - startedAt).toBeLessThan(5000 * slowness())
  }, 30_000)

  test("a withdrawn ticket's job is removed from Redis", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const offered = tickets(100)
    for (const one of offered) a.offer(one)
    const jobs = async (): Promise<string[]> =>
      (await fleet.keys()).filter((key) => /:edge-a\.[^:]+$/.test(key))
    await until("queued", async () => (await jobs()).length > 0)
    for (const one of offered) a.withdraw(one)
    await until("removed", async () => (await jobs()).length === 0)
    expect(await fleet.client().llen(`${fleet.prefix}:{default}:wait`)).toBe(0)
  })

  test("nothing is left in Redis of a tunnel that nobody uses any more", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const consumer = new RecordingConsumer(1000)
    const subscription = b.subscribe("default", consumer)
    for (const one of tickets(100)) a.offer(one)
    await until("leased", () => consumer.leased.length === 100)
    for (const one of tickets(100)) a.withdraw(one)
    subscription.close()
    await until("swept", async () => (await fleet.keys()).length === 0)
    expect(consumer.leased).toHaveLength(100)
  })

  test("nothing is left in Redis when all edges have stopped", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const consumer = new RecordingConsumer(5)
    b.subscribe("default", consumer)
    for (const one of tickets(100)) a.offer(one)
    await until("leased", () => consumer.leased.length === 5)
    await a.stop()
    await b.stop()
    expect(await fleet.keys()).toEqual([])
  })

  test("a job of a dead edge is forgotten by Redis when its tickets are worthless", async () => {
    await using fleet = new Fleet(redis)
    const queue = await fleet.rawQueue("default")
    const text = encodeTickets("edge-x", [ticket("a", { owner: "edge-x" })])
    await queue.add("x.1", dataOf(text), { first: false, expiresInMs: 100 })
    await pause(150)
    expect(await queue.sweep()).toBe(true)
    expect(await fleet.keys()).toEqual([])
  })

  test("a job that we did not write is dropped with a log entry and does not stop the queue", async () => {
    await using fleet = new Fleet(redis)
    const queue = await fleet.rawQueue("default")
    const odd = [
      "",
      "1:",
      "2:edge-x;",
      "1:edge-x;a,1,1,0,9,0,4,0;tooshort",
      "1:edge-x;a,999,1,0,0,0,0,0;",
      "\u{1F600}",
    ]
    await Promise.all(
      odd.map((text, index) => queue.add(`odd.${index}`, text, { first: false, expiresInMs: 60_000 })),
    )
    const a = await fleet.edge("edge-a")
    const consumer = new RecordingConsumer(10)
    a.subscribe("default", consumer)
    a.offer(ticket("good"))
    await until("leased", () => consumer.leased.length === 1)
    const warnings = logOf(a).filter(
      ({ level, event }) => level === "warn" && event === "malformed job dropped",
    )
    expect(warnings).toHaveLength(odd.length)
  })

  test("a stale copy of an own ticket is not handed out again", async () => {
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const consumer = new RecordingConsumer(10)
    a.subscribe("default", consumer)
    a.offer(ticket("a"))
    await until("leased", () => consumer.leased.length === 1)
    const queue = await fleet.rawQueue("default")
    const copy = encodeTickets("edge-a", [ticket("a")])
    await queue.add("copy.1", dataOf(copy), { first: false, expiresInMs: 60_000 })
    a.offer(ticket("b"))
    await until("the next leased", () => consumer.leased.length === 2)
    expect(consumer.ids).toEqual(["a", "b"])
  })
})

test("an eviction policy that may drop requests is warned about at start", async () => {
  await using redis = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] })
  await using fleet = new Fleet(redis)
  const a = await fleet.edge("edge-a")
  await until("checked", () => logOf(a).length > 0)
  const [warning] = logOf(a)
  expect(warning).toMatchObject({ level: "warn", fields: { policy: "allkeys-lru" } })
})

test("1,000 tunnels of one edge share at most ten connections", async () => {
  await using redis = await startRedis()
  await using fleet = new Fleet(redis)
  const a = await fleet.edge("edge-a")
  const consumers = Array.from({ length: 1000 }, (_, index) => {
    const consumer = new RecordingConsumer(10)
    a.subscribe(`tunnel-${index}`, consumer)
    return consumer
  })
  for (let index = 0; index < 1000; index++) a.offer(ticket(`t${index}`, { tunnel: `tunnel-${index}` }))
  await until("all leased", () => consumers.every(({ leased }) => leased.length === 1))
  const clients = String(await fleet.client().client("LIST")).split("\n")
  const ours = clients.filter((line) => line.includes(`name=${fleet.prefix}-edge-a`))
  expect(ours.length).toBeGreaterThan(0)
  expect(ours.length).toBeLessThanOrEqual(10)
})

test("idle tunnels cost Redis next to nothing", async () => {
  await using redis = await startRedis()
  await using fleet = new Fleet(redis)
  const a = await fleet.edge("edge-a")
  for (let index = 0; index < 200; index++) a.subscribe(`tunnel-${index}`, new RecordingConsumer(10))
  await pause(500)
  const client = fleet.client()
  const scripts = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info("commandstats"))?.[1])
  const before = await scripts()
  await pause(3000)
  expect((await scripts()) - before).toBeLessThan(40)
})
