// The relay over a real Redis.
import { Redis } from "ioredis"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { RedisServer } from "../../../../test/support/redis.ts"
import { startRedis } from "../../../../test/support/redis.ts"
import { decodeEntry, encodeEntry } from "../../src/queue/relay-entry.ts"
import type { PeerLoss, RelayOptions } from "../../src/queue/relay.ts"
import { Relay, maxRelayPayloadBytes } from "../../src/queue/relay.ts"
import { pause, recordingLog, until } from "./kit.ts"

interface Ear {
  readonly relay: Relay
  readonly heard: { from: string; payload: Buffer }[]
  readonly lost: { edge: string; why: PeerLoss }[]
}

/** Started relays of one test, which share a prefix of their own. */
class Relays implements AsyncDisposable {
  readonly prefix = `r${crypto.randomUUID().slice(0, 8)}`
  readonly #redis: RedisServer
  readonly #stack = new AsyncDisposableStack()

  constructor(redis: RedisServer) {
    this.#redis = redis
  }

  async open(edgeId: string, options: Partial<RelayOptions> = {}): Promise<Ear> {
    const { log } = recordingLog()
    const relay = this.#stack.use(
      new Relay({ redis: this.#redis.url, edgeId, prefix: this.prefix, log, ...options }),
    )
    const ear: Ear = { relay, heard: [], lost: [] }
    relay.onMessage((from, payload) => ear.heard.push({ from, payload: Buffer.from(payload) }))
    relay.onPeerLost((edge, why) => ear.lost.push({ edge, why }))
    await relay.start()
    return ear
  }

  client(): Redis {
    const client = new Redis(this.#redis.url)
    client.on("error", () => undefined)
    this.#stack.defer(() => client.disconnect())
    return client
  }

  inbox(edgeId: string): string {
    return `${this.prefix}:inbox:{${edgeId}}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

/** Both have heard of each other. */
async function acquainted(a: Ear, b: Ear): Promise<void> {
  a.relay.post("b", Buffer.from("hello"))
  b.relay.post("a", Buffer.from("hello"))
  await until("acquainted", () => a.heard.length === 1 && b.heard.length === 1)
  a.heard.length = 0
  b.heard.length = 0
}

describe.concurrent("relays of several edges", () => {
  let redis: RedisServer

  beforeAll(async () => {
    redis = await startRedis()
  })

  afterAll(() => redis.stop())

  test("payloads arrive whole and in order, both ways at once", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    const sent: Buffer[] = []
    for (let index = 0; index < 2000; index++) {
      const payload = Buffer.alloc((index * 7919) % 20_000, index)
      sent.push(payload)
      a.relay.post("b", payload)
      b.relay.post("a", payload)
      // oxlint-disable-next-line no-await-in-loop -- several turns
      if (index % 100 === 0) await pause(1)
    }
    await until("all arrived", () => a.heard.length === 2000 && b.heard.length === 2000)
    expect(Buffer.concat(b.heard.map(({ payload }) => payload)).equals(Buffer.concat(sent))).toBe(true)
    expect(a.heard.map(({ payload }) => payload.length)).toEqual(sent.map(({ length }) => length))
    expect([...a.lost, ...b.lost]).toEqual([])
  })

  test("a payload of the largest size passes, a larger one is refused", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    const payload = Buffer.alloc(maxRelayPayloadBytes, 7)
    a.relay.post("b", payload)
    await until("arrived", () => b.heard.length === 1)
    expect(b.heard[0]?.payload.equals(payload)).toBe(true)
    expect(() => a.relay.post("b", Buffer.alloc(maxRelayPayloadBytes + 1))).toThrow(RangeError)
    expect(() => a.relay.post("a", payload)).toThrow(RangeError)
  })

  test("an edge hears from many edges, each in its order", async () => {
    await using relays = new Relays(redis)
    const hub = await relays.open("hub")
    const others = await Promise.all(["a", "b", "c", "d"].map((id) => relays.open(id)))
    for (let index = 0; index < 200; index++) {
      for (const { relay } of others) relay.post("hub", Buffer.from(`${index}`))
    }
    await until("all arrived", () => hub.heard.length === 800)
    const fromC = hub.heard.filter(({ from }) => from === "c").map(({ payload }) => payload.toString())
    expect(fromC).toEqual(Array.from({ length: 200 }, (_, index) => `${index}`))
  })

  test("what is lost on the way is noticed at both ends, and then they begin anew", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    await acquainted(a, b)
    const admin = relays.client()
    const last = decodeEntry(
      (await admin.xrevrangeBuffer(relays.inbox("b"), "+", "-", "COUNT", 1))[0]![1][1]!,
    )!
    const later = encodeEntry({ ...last, number: last.number + 2, payloads: [Buffer.from("after a gap")] })
    await admin.xadd(relays.inbox("b"), "*", "m", later)
    await until("noticed", () => a.lost.length === 1 && b.lost.length === 1)
    expect([...a.lost, ...b.lost]).toEqual([
      { edge: "b", why: "gap" },
      { edge: "a", why: "gap" },
    ])
    a.relay.post("b", Buffer.from("again"))
    await until("arrived", () => b.heard.length > 0)
    expect(b.heard.map(({ payload }) => payload.toString())).toEqual(["again"])
  })

  test("what is not an entry is dropped", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    await acquainted(a, b)
    const admin = relays.client()
    await admin.xadd(relays.inbox("b"), "*", "m", "noise", "and", "more")
    await admin.xadd(relays.inbox("b"), "*", "other", "noise")
    a.relay.post("b", Buffer.from("x"))
    await until("arrived", () => b.heard.length === 1)
    expect(b.lost).toEqual([])
  })

  test("an edge that stops says so", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    await acquainted(a, b)
    b.relay.post("a", Buffer.from("last words"))
    await b.relay.stop()
    await until("gone", () => a.lost.length === 1)
    expect(a.lost).toEqual([{ edge: "b", why: "gone" }])
    expect(a.heard.map(({ payload }) => payload.toString())).toEqual(["last words"])
    expect(await relays.client().exists(relays.inbox("b"))).toBe(0)
    b.relay.post("a", Buffer.from("too late"))
    await b.relay.stop()
  })

  test("an edge that has no inbox is gone, and none is made for it", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    a.relay.post("nobody", Buffer.from("x"))
    await until("gone", () => a.lost.length === 1)
    expect(a.lost).toEqual([{ edge: "nobody", why: "gone" }])
    expect(await relays.client().exists(relays.inbox("nobody"))).toBe(0)
  })

  test("an edge that falls silent is lost after ten seconds, and one that is quiet but alive is not", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    await acquainted(a, b)
    await meetDeadEdge(relays, a)
    const startedAt = performance.now()
    await until("silent", () => a.lost.length === 1, 15_000)
    expect(performance.now() - startedAt).toBeGreaterThan(9000)
    expect(a.lost).toEqual([{ edge: "dead", why: "silent" }])
    expect(b.lost).toEqual([])
  }, 20_000)

  test("an inbox that nobody reads holds a bounded number of bytes, and its sender gives up at the limit", async () => {
    await using relays = new Relays(redis)
    const limits = { entryBytes: 65_536, windowBytes: 262_144, backlogBytes: 1_048_576 }
    const a = await relays.open("a", { limits })
    await meetDeadEdge(relays, a)
    for (let index = 0; index < 10; index++) a.relay.post("dead", Buffer.alloc(65_536))
    await pause(200)
    expect(a.lost).toEqual([])
    expect(await relays.client().memory("USAGE", relays.inbox("dead"))).toBeLessThan(500_000)
    for (let index = 0; index < 20; index++) a.relay.post("dead", Buffer.alloc(65_536))
    expect(a.lost).toEqual([{ edge: "dead", why: "gap" }])
  })

  test("an inbox expires when its edge dies", async () => {
    await using relays = new Relays(redis)
    await relays.open("a")
    const lifeMs = await relays.client().pttl(relays.inbox("a"))
    expect(lifeMs).toBeGreaterThan(0)
    expect(lifeMs).toBeLessThanOrEqual(30_000)
  })

  test("what has been read leaves Redis", async () => {
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    for (let index = 0; index < 40; index++) a.relay.post("b", Buffer.alloc(500_000))
    await until("arrived", () => b.heard.length === 40)
    const admin = relays.client()
    await until("trimmed", async () => ((await admin.memory("USAGE", relays.inbox("b"))) ?? 0) < 100_000)
    expect(await admin.xlen(relays.inbox("b"))).toBeLessThan(5)
  })
})

/** Makes an edge "dead" that answers `ear`'s beginning and never says or reads anything again. */
async function meetDeadEdge(relays: Relays, ear: Ear): Promise<void> {
  const admin = relays.client()
  await admin.xadd(relays.inbox("dead"), "*", "i", "")
  await admin.pexpire(relays.inbox("dead"), 60_000)
  ear.relay.post("dead", Buffer.from("x"))
  await until("spoken to", async () => (await admin.xlen(relays.inbox("dead"))) > 1)
  const [, [, hello]] = (await admin.xrevrangeBuffer(relays.inbox("dead"), "+", "-", "COUNT", 1))[0]!
  const { epoch } = decodeEntry(hello!)!
  const nothing = { number: 0, acknowledged: 0, payloads: [] }
  const answer = encodeEntry({ from: "dead", kind: "payloads", epoch: 1, peerEpoch: epoch, ...nothing })
  await admin.xadd(relays.inbox("a"), "*", "m", answer)
  await until("answered", async () => (await admin.xlen(relays.inbox("dead"))) > 2)
}

describe.concurrent("relays whose Redis goes away", () => {
  test("a Redis that loses its memory costs what was under way and nothing else", async () => {
    await using redis = await startRedis()
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    await acquainted(a, b)
    await redis.kill()
    a.relay.post("b", Buffer.from("during"))
    await pause(300)
    await redis.start()
    await until("arrived", () => b.heard.length === 1)
    b.relay.post("a", Buffer.from("answer"))
    await until("answered", () => a.heard.length === 1)
    expect([...a.lost, ...b.lost]).toEqual([])
  }, 20_000)

  test("an outage of more than ten seconds ends what edges share, and they meet again afterwards", async () => {
    await using redis = await startRedis()
    await using relays = new Relays(redis)
    const a = await relays.open("a")
    const b = await relays.open("b")
    await acquainted(a, b)
    await redis.kill()
    await until("silent", () => a.lost.length === 1 && b.lost.length === 1, 15_000)
    expect(a.lost).toEqual([{ edge: "b", why: "silent" }])
    await redis.start()
    await until("arrived", () => {
      a.relay.post("b", Buffer.from("again"))
      return b.heard.length > 0
    })
  }, 30_000)
})
