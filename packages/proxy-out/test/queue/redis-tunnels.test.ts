// Known tunnels that edges share through a real Redis.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { RedisServer, startRedis } from "../../../../test/support/redis.ts"
import { until } from "../../../../test/support/until.ts"
import { forgetRedisTunnel, readRedisTunnels, RedisTunnels } from "../../src/queue/redis-tunnels.ts"
import { KnownTunnels } from "../../src/routing/known-tunnels.ts"
import { Fleet } from "./bullmq-kit.ts"
import { recordingLog } from "./kit.ts"

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

const shop = { name: "shop", routes: ["shop.example"], stripPrefix: true }

interface Edge {
  readonly known: KnownTunnels
  /** Tunnels whose sessions had to end. */
  readonly ended: string[]
}

async function edge(fleet: Fleet, edgeId: string, served: readonly string[] = []): Promise<Edge> {
  const broker = await fleet.edge(edgeId)
  const ended: string[] = []
  const known = new KnownTunnels({
    store: broker.tunnels,
    domain: undefined,
    isServed: (tunnel) => served.includes(tunnel),
    onTaken: (tunnel) => ended.push(tunnel),
  })
  onTestFinished(() => known.stop())
  await known.start()
  return { known, ended }
}

const names = ({ known }: Edge): string => [...known.all].map(({ name }) => name).join(" ")

test("what is claimed at one edge is known at the others at once, and at one that starts later", async () => {
  await using fleet = new Fleet(redis)
  const here = await edge(fleet, "here")
  const there = await edge(fleet, "there")
  here.known.claim(shop)
  await until("the other to know it", () => names(there) === "shop", 2000)
  const later = await edge(fleet, "later")
  expect([...later.known.all]).toEqual([shop])
})

test("two edges that grant one route at the same moment: one of them has to give it back", async () => {
  await using fleet = new Fleet(redis)
  const here = await edge(fleet, "here")
  const there = await edge(fleet, "there")
  const rival = { ...shop, name: "rival" }
  const claims = [here.known.claim(shop), there.known.claim(rival)]
  await until("one to lose", () => here.ended.length + there.ended.length > 0)
  await until("both to know the winner alone", () => names(here) === names(there))
  expect(claims.map(({ kind }) => kind)).toEqual(["granted", "granted"])
  expect([...here.ended, ...there.ended, names(here)].toSorted()).toEqual(["rival", "shop"])
})

test("other routes of a tunnel free the ones it had", async () => {
  await using fleet = new Fleet(redis)
  const here = await edge(fleet, "here")
  const there = await edge(fleet, "there")
  here.known.claim(shop)
  here.known.claim({ ...shop, routes: ["new.example"] })
  await until("the other to know it", () => there.known.match("new.example", "/")?.tunnel === "shop")
  const claim = there.known.claim({ ...shop, name: "rival" })
  await until("it to be known here", () => names(here) === "shop rival")
  expect([claim.kind, there.ended]).toEqual(["granted", []])
})

test("one that is forgotten is forgotten everywhere at once, unless it is served", async () => {
  await using fleet = new Fleet(redis)
  const here = await edge(fleet, "here", ["served"])
  const there = await edge(fleet, "there")
  here.known.claim(shop)
  here.known.claim({ name: "served", routes: [], stripPrefix: false })
  await until("the other to know both", () => names(there).split(" ").length === 2)
  const client = fleet.client()
  const forgotten = await Promise.all(
    ["shop", "served", "nobody"].map((name) => forgetRedisTunnel(client, name, fleet.prefix)),
  )
  await until("both to know what is left", () => names(here) === "served" && names(there) === "served")
  expect(forgotten).toEqual([true, true, false])
  expect(await readRedisTunnels(client, fleet.prefix)).toMatchObject([{ name: "served" }])
})

test("a Redis that comes back empty gets back what the edges know", { timeout: 60_000 }, async () => {
  await using own = await startRedis()
  await using fleet = new Fleet(own)
  const here = await edge(fleet, "here")
  here.known.claim(shop)
  await untilStored(fleet)
  const there = await edge(fleet, "there")
  await until("both to know it", () => names(here) === names(there))
  await own.kill()
  const during = here.known.match("shop.example", "/")?.tunnel
  await own.start()
  await untilStored(fleet)
  expect([during, names(here), names(there)]).toEqual(["shop", "shop", "shop"])
})

test("an edge that has only written to a Redis notices when that comes back empty", async () => {
  await using fleet = new Fleet(redis)
  const { prefix } = fleet
  const client = fleet.client()
  const { log } = recordingLog()
  // It hears of no change: all that it knows of the store is the answer to what it wrote.
  const store = new RedisTunnels({ client, wakeUps: deaf, prefix, log })
  const known = new KnownTunnels({ store, domain: undefined, isServed: () => false, onTaken: () => {} })
  onTestFinished(() => known.stop())
  await known.start()
  known.claim(shop)
  await untilStored(fleet)
  await client.del(`${prefix}:tunnels`)
  store.refresh()
  await untilStored(fleet)
  expect([...known.all]).toEqual([shop])
})

const deaf = { watch: () => {}, unwatch: () => {}, announce: () => {} }

async function untilStored(fleet: Fleet): Promise<void> {
  const client = fleet.client()
  await until("it to be stored", async () => (await readRedisTunnels(client, fleet.prefix)).length === 1)
}
