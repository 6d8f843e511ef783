// Scenes where more goes on than one pair: agents that are killed with SIGKILL, edges that share a Redis, clients of HTTP/2.
import { expect, test } from "vitest"
import { transports } from "../support/pair.ts"
import { fuzz } from "./fuzz.ts"
import { worlds } from "./worlds.ts"

const whileKilled = 800
const overRedis = 5000
const overHttp2 = 5000

test.each(transports)(
  `${whileKilled} exchanges over %s while agents are killed: what fails fails truthfully, and nothing happens twice that may not`,
  { timeout: 300_000 },
  async (transport) => {
    await using world = await worlds.kills(transport)
    const enough = (played: number): boolean => played >= whileKilled
    const exchanges = await fuzz({ stage: world.stage, seed: 9, lanes: 4, enough, scenesPerBlock: 2 })
    expect(exchanges).toBeGreaterThanOrEqual(whileKilled)
    const told = world.finish()
    expect(Number.parseInt(told)).toBeGreaterThan(4)
    // Neither did everything fail, nor nothing.
    expect(Number(/(\d+) whole/.exec(told)?.[1])).toBeGreaterThan(whileKilled / 2)
    expect(told).toMatch(/\d+ (?:refused|broken)/)
  },
)

test(
  `${overRedis} exchanges that cross a shared queue from one edge to another, every byte as it should be`,
  { timeout: 300_000 },
  async () => {
    await using world = await worlds.redis("websocket")
    const enough = (played: number): boolean => played >= overRedis
    const exchanges = await fuzz({ stage: world.stage, seed: 12, lanes: 4, enough, scenesPerBlock: 10 })
    expect(exchanges).toBeGreaterThanOrEqual(overRedis)
  },
)

test(
  `${overHttp2} exchanges, every other connection of HTTP/2, every byte as it should be`,
  { timeout: 300_000 },
  async () => {
    await using world = await worlds.http2("websocket")
    const enough = (played: number): boolean => played >= overHttp2
    const exchanges = await fuzz({ stage: world.stage, seed: 3, lanes: 4, enough, scenesPerBlock: 10 })
    expect(exchanges).toBeGreaterThanOrEqual(overHttp2)
  },
)
