// Redis goes away, comes back without its memory, hangs, or refuses. Each test has a server of its own.
import { describe, expect, test } from "vitest"
import { startRedis } from "../../../../test/support/redis.ts"
import type { Broker } from "../../src/queue/broker.ts"
import { Fleet, logOf } from "./bullmq-kit.ts"
import { RecordingConsumer, pause, ticket, tickets, until } from "./kit.ts"

/** Offers one ticket after the other until stopped; says which. */
function offering(broker: Broker, everyMs: number): () => string[] {
  const offered: string[] = []
  const timer = setInterval(() => {
    for (let burst = 0; burst < 5; burst++) {
      const id = `t${offered.length}`
      offered.push(id)
      broker.offer(ticket(id))
    }
  }, everyMs)
  return () => {
    clearInterval(timer)
    return offered
  }
}

/** A consumer that is done with each ticket after a few milliseconds. */
function serving(broker: Broker, room: number): RecordingConsumer {
  const consumer = new RecordingConsumer(room)
  const subscription = broker.subscribe("default", consumer)
  consumer.onLease = () =>
    setTimeout(() => {
      consumer.addRoom(1)
      subscription.ready()
    }, 3)
  return consumer
}

const outages = (broker: Parameters<typeof logOf>[0]): string[] =>
  logOf(broker)
    .filter(({ level }) => level !== "debug")
    .map(({ event }) => event)

describe.concurrent("an edge whose Redis is in trouble", () => {
  test("an edge that starts without Redis serves its own agents at once, and the others when Redis comes", async () => {
    await using redis = await startRedis()
    await redis.kill()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    expect(a.health).toEqual({ state: "degraded", reason: "redis is unreachable: ECONNREFUSED" })
    const own = new RecordingConsumer(1)
    a.subscribe("default", own)
    for (const one of tickets(3)) a.offer(one)
    expect(own.ids).toEqual(["t0"])
    const b = await fleet.edge("edge-b")
    const other = new RecordingConsumer(10)
    b.subscribe("default", other)
    await redis.start()
    await until("the others leased", () => other.leased.length === 2)
    expect(other.ids).toEqual(["t1", "t2"])
    await until("healthy", () => a.health.state === "ready")
    expect(outages(a)).toEqual(["redis is unreachable", "redis is back"])
  }, 20_000)

  test("Redis killed for a while under load and started again empty: no ticket is lost or handed out twice, none waits for it", async () => {
    await using redis = await startRedis()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const consumer = serving(a, 20)
    const stop = offering(a, 2)
    await pause(500)
    await redis.kill()
    await until("degraded", () => a.health.state === "degraded")
    const before = consumer.leased.length
    await pause(2500)
    expect(consumer.leased.length).toBeGreaterThan(before + 500)
    await redis.start()
    await until("healthy", () => a.health.state === "ready")
    await pause(500)
    const offered = stop()
    await until("all leased", () => consumer.leased.length >= offered.length)
    await pause(200)
    expect(consumer.ids.toSorted()).toEqual(offered.toSorted())
    expect(a.depth()).toBe(0)
    expect(outages(a)).toEqual(["redis is unreachable", "redis is back"])
  }, 30_000)

  test("tickets that wait without a consumer survive a Redis that loses its memory, in order", async () => {
    await using redis = await startRedis()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    for (const one of tickets(500)) a.offer(one)
    await pause(200)
    await redis.kill()
    await pause(200)
    a.offer(ticket("during"))
    await redis.start()
    const consumer = new RecordingConsumer(1000)
    b.subscribe("default", consumer)
    await until("all leased", () => consumer.leased.length >= 501)
    await pause(200)
    expect(consumer.ids).toEqual([...tickets(500).map(({ id }) => id), "during"])
  }, 20_000)

  test("connections that are cut again and again under load lose no ticket and hand none out twice", async () => {
    await using redis = await startRedis()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    const admin = fleet.client()
    const consumer = serving(a, 10)
    const leasedByB: string[] = []
    const stop = offering(a, 3)
    for (let cut = 0; cut < 15; cut++) {
      await pause(100)
      await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      if (cut === 7) await admin.call("CLIENT", "KILL", "TYPE", "pubsub")
    }
    const offered = stop()
    await until("all leased", () => consumer.leased.length + leasedByB.length >= offered.length)
    await pause(500)
    expect(consumer.ids.toSorted()).toEqual(offered.toSorted())
    expect(b.health.state).toBe("ready")
    await until("nothing left", async () => (await admin.llen(`${fleet.prefix}:{default}:active`)) === 0)
  }, 30_000)

  test("a Redis that hangs is noticed, and what it holds is served here meanwhile", async () => {
    await using redis = await startRedis()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const consumer = serving(a, 10)
    a.offer(ticket("before"))
    await until("leased", () => consumer.leased.length === 1)
    redis.pause()
    for (const one of tickets(50)) a.offer(one)
    await until("served without Redis", () => consumer.leased.length === 51)
    expect(a.health.state).toBe("degraded")
    redis.resume()
    await until("healthy", () => a.health.state === "ready")
    await pause(1000)
    expect(consumer.leased).toHaveLength(51)
    a.offer(ticket("after"))
    await until("leased", () => consumer.leased.length === 52)
  }, 30_000)

  test("tickets whose jobs vanish from a Redis that keeps running are queued again", async () => {
    await using redis = await startRedis()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const b = await fleet.edge("edge-b")
    for (const one of tickets(100)) a.offer(one)
    await pause(100)
    await fleet.client().flushall()
    const consumer = new RecordingConsumer(1000)
    b.subscribe("default", consumer)
    await until("all leased", () => consumer.leased.length >= 100, 15_000)
    expect(consumer.ids).toEqual(tickets(100).map(({ id }) => id))
  }, 30_000)

  test("while Redis refuses to store anything the edge serves its own agents and says why it is degraded", async () => {
    await using redis = await startRedis()
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a")
    const admin = fleet.client()
    const consumer = new RecordingConsumer(10)
    a.subscribe("default", consumer)
    await admin.config("SET", "maxmemory", "1")
    a.offer(ticket("a"))
    await until("leased", () => consumer.leased.length === 1)
    expect(a.health).toMatchObject({ state: "degraded", reason: expect.stringContaining("OOM") })
    await pause(2500)
    await admin.config("SET", "maxmemory", "0")
    await pause(1500)
    a.offer(ticket("b"))
    await until("leased", () => consumer.leased.length === 2)
    await until("healthy", () => a.health.state === "ready")
    expect(outages(a)).toEqual(["redis refuses to queue", "redis queues again"])
  }, 20_000)

  test("a wrong password is reported once and appears in no log entry and no health report", async () => {
    await using redis = await startRedis({ args: ["--requirepass", "right"] })
    await using fleet = new Fleet(redis)
    const a = await fleet.edge("edge-a", { redis: `redis://user:s3cr3t@127.0.0.1:${redis.port}` })
    await pause(500)
    expect(JSON.stringify([logOf(a), a.health])).not.toContain("s3cr3t")
    expect(a.health).toMatchObject({ state: "degraded", reason: expect.stringContaining("WRONGPASS") })
    expect(outages(a)).toEqual(["redis is unreachable"])
  }, 20_000)
})
