// Plays conformance cases through real pairs, and checks every byte at both ends. After each case a plain request goes through
// the same pair: whatever the case left behind at the upstream, or broke, is noticed there and then.
import { Redis } from "ioredis"
import { afterAll, beforeAll, expect, test } from "vitest"
import type { Transport } from "../support/pair.ts"
import type { Queue } from "../support/queue.ts"
import { until, within } from "../support/until.ts"
import { type Case, okAnswered, ok, forwarded, gets, head, says, type Setup, type Step } from "./case.ts"
import { allCases } from "./cases/index.ts"
import { Line, type Stage } from "./line.ts"
import { World } from "./world.ts"

/** Each case as a test over this queue and transport; one pair serves them one after the other. */
export function conformance(queue: Queue, transport: Transport, cases: readonly Case[] = allCases): void {
  const world = new World(queue, transport)
  beforeAll(() => world.start(), 60_000)
  afterAll(() => world[Symbol.asyncDispose](), 60_000)
  for (const one of cases) {
    test(`row ${one.row}: ${one.title}`, { timeout: 60_000 }, async () => {
      expect(await runCase(world, one)).toBe("every byte as it should be")
    })
  }
}

const caseLimitMs = 30_000

/** Rejects with the first thing that is not as the case says. */
export async function runCase(world: World, one: Case): Promise<"every byte as it should be"> {
  const { setup = "plain", tunnel = "default", client, otherClient = [], upstream = [], leavesNoTrace } = one
  await world.attach(setup, "default")
  if (tunnel === "round") await world.attach("tuned", tunnel)
  await world.attach(setup, tunnel)
  if (world.pseudonym(setup) === "") world.pseudonym(setup, await learnPseudonym(world, setup))
  const stage = stageFor(world, one)
  const lines: Line[] = []
  world.upstream.begin(stage)
  try {
    const connect = await world.connector(setup)
    const play = async (
      clients: readonly (readonly Step[])[],
      scripts: readonly (readonly Step[])[],
    ): Promise<void> => {
      const played = clients.map((steps) => {
        const line = new Line(connect())
        lines.push(line)
        return line.play(steps, stage).catch((error: unknown) => {
          throw new Error(`client: ${String(error)}`)
        })
      })
      const all = Promise.all([...played, world.upstream.plays(scripts)])
      await within("the case to end", caseLimitMs, Promise.race([all, world.upstream.failed]))
    }
    await play([client, otherClient], upstream)
    await play([[says(probe), gets(okAnswered)]], [[gets(probeForwarded), says(ok)]])
    for (const { unread } of lines)
      if (unread !== "") throw new Error(`the client got more: ${JSON.stringify(unread)}`)
  } catch (error) {
    const unread = JSON.stringify(lines.map((line) => line.unread))
    await world.recover(setup)
    throw new Error(`${String(error)}; clients have ${unread}; ${world.upstream.missing}`, { cause: error })
  } finally {
    for (const { socket } of lines) socket.destroy()
  }
  const redisUrl = world.redisUrl(setup)
  if (leavesNoTrace !== undefined && redisUrl !== undefined) await checkTrace(redisUrl, leavesNoTrace)
  return "every byte as it should be"
}

const probe = head("GET /probe HTTP/1.1", "Host: a")
const probeForwarded = forwarded(["GET /probe HTTP/1.1", "Host: a"])

function stageFor(world: World, { setup = "plain", tunnel = "default" }: Case): Stage {
  const signals = new Map<string, PromiseWithResolvers<void>>()
  const signal = (what: string): PromiseWithResolvers<void> => {
    const known = signals.get(what) ?? Promise.withResolvers<void>()
    signals.set(what, known)
    return known
  }
  return {
    tell: (what) => signal(what).resolve(),
    told: (what) => signal(what).promise,
    fill: (bytes) => bytes.replaceAll("‹edge›", world.pseudonym(setup)),
    waitingExchanges: () => world.waitingExchanges(setup),
    killAgent: () => world.kill(setup, tunnel),
    startAgent: () => world.attach(setup, tunnel),
  }
}

/** From the answer to a plain request. */
async function learnPseudonym(world: World, setup: Setup): Promise<string> {
  world.upstream.begin(stageFor(world, { row: 0, title: "", rfc: "", client: [], setup }))
  const seen = Promise.withResolvers<string>()
  const socket = (await world.connector(setup))()
  let text = ""
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1")
    const found = /^Via: 1\.1 (\S+)\r$/m.exec(text)?.[1]
    if (found !== undefined) seen.resolve(found)
  })
  socket.on("error", seen.reject)
  socket.write(probe)
  try {
    const both = Promise.all([seen.promise, world.upstream.plays([[gets(probeForwarded), says(ok)]])])
    const [pseudonym] = await within(
      "an answer with Via",
      caseLimitMs,
      Promise.race([both, world.upstream.failed]),
    )
    return pseudonym
  } finally {
    socket.destroy()
  }
}

/** Rejects unless the text is soon in no key of this edge's queue. */
async function checkTrace(url: string, secret: string): Promise<void> {
  const redis = new Redis(url)
  try {
    await redis.config("SET", "rdbcompression", "no") // what DUMP gives is read as it is
    await until(`Redis to hold nothing of ${secret}`, async () => !(await holds(redis, secret)), traceLimitMs)
  } finally {
    redis.disconnect()
  }
}

const traceLimitMs = 5000

async function holds(redis: Redis, secret: string): Promise<boolean> {
  const keys = await redis.keys("*")
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
  return dumps.some((dump) => dump?.includes(secret))
}
