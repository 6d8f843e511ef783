// Plays conformance cases through real pairs, and checks every byte at both ends. After each case a plain request goes through
// the same pair: whatever the case left behind at the upstream, or broke, is noticed there and then.
import net from "node:net"
import { Redis } from "ioredis"
import { afterAll, beforeAll, expect, test } from "vitest"
import type { Transport } from "../support/pair.ts"
import type { Queue } from "../support/queue.ts"
import { within } from "../support/until.ts"
import { type Case, okAnswered, ok, forwarded, gets, head, says, type Setup, type Step } from "./case.ts"
import { allCases } from "./cases/index.ts"
import { Line, type Stage } from "./line.ts"
import { World } from "./world.ts"

/** Every case as a test over this broker and transport. */
export function conformance(queue: Queue, transport: Transport): void {
  runCases(allCases, queue, transport)
}

/** One pair serves them one after the other. */
export function runCases(cases: readonly Case[], queue: Queue, transport: Transport): void {
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
  try {
    await play(world, setup, [client, otherClient], upstream, stage)
    await play(world, setup, [[says(probe), gets(okAnswered)]], [[gets(probeForwarded), says(ok)]], stage)
  } catch (error) {
    await world.recover(setup)
    throw error
  }
  if (leavesNoTrace !== undefined && world.queue === "redis") await checkTrace(world.redisPort, leavesNoTrace)
  return "every byte as it should be"
}

const probe = head("GET /probe HTTP/1.1", "Host: a")
const probeForwarded = forwarded(["GET /probe HTTP/1.1", "Host: a"])

async function play(
  world: World,
  setup: Setup,
  clients: readonly (readonly Step[])[],
  scripts: readonly (readonly Step[])[],
  stage: Stage,
): Promise<void> {
  const { port } = await world.edge(setup)
  world.upstream.begin(scripts, stage)
  const lines: Line[] = []
  try {
    const played = clients.map((steps) => {
      const line = new Line(net.connect({ port, host: "127.0.0.1", allowHalfOpen: true }))
      lines.push(line)
      return line.play(steps, stage).catch((error: unknown) => {
        throw new Error(`client: ${String(error)}`)
      })
    })
    await within("the case to end", caseLimitMs, Promise.all([...played, world.upstream.finished()])).catch(
      (error: unknown) => {
        const unread = JSON.stringify(lines.map((line) => line.unread))
        throw new Error(`${String(error)}; clients have ${unread}; ${world.upstream.missing}`)
      },
    )
    for (const { unread } of lines)
      if (unread !== "") throw new Error(`the client got more: ${JSON.stringify(unread)}`)
  } finally {
    for (const { socket } of lines) socket.destroy()
  }
}

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

/** From the answer to a request that reaches nobody. */
async function learnPseudonym(world: World, setup: Setup): Promise<string> {
  const { port } = await world.edge(setup)
  const seen = Promise.withResolvers<string>()
  world.upstream.begin([[gets(probeForwarded), says(ok)]], stageFor(world, { setup } as Case))
  const socket = net.connect({ port, host: "127.0.0.1" })
  let text = ""
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1")
    const found = /^Via: 1\.1 (\S+)\r$/m.exec(text)?.[1]
    if (found !== undefined) seen.resolve(found)
  })
  socket.on("error", seen.reject)
  socket.write(probe)
  try {
    return await within("an answer with Via", caseLimitMs, seen.promise)
  } finally {
    socket.destroy()
  }
}

/** Every key of Redis, as its bytes. */
async function checkTrace(port: number, secret: string): Promise<void> {
  const redis = new Redis(port, "127.0.0.1")
  try {
    await redis.config("SET", "rdbcompression", "no") // what DUMP gives is read as it is
    for (const key of await redis.keys("*")) {
      // oxlint-disable-next-line no-await-in-loop -- few keys
      const dump = await redis.dumpBuffer(key)
      if (dump?.includes(secret)) throw new Error(`Redis still holds ${secret}, in ${key}`)
    }
  } finally {
    redis.disconnect()
  }
}
