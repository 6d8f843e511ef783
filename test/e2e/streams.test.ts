// What has to arrive while it happens: events, many slow answers at a time, and the news that a client has left.
import { once } from "node:events"
import { type IncomingMessage, request, type ServerResponse } from "node:http"
import { describe, expect, test as base, type TestAPI } from "vitest"
import { begin, fetchWhole } from "../support/client.ts"
import {
  edgeStatus,
  type Pair,
  startAgent,
  startEdge,
  startPair,
  type Transport,
  transports,
} from "../support/pair.ts"
import { report } from "../support/report.ts"
import { slowness } from "../support/slowness.ts"
import { until } from "../support/until.ts"
import { type HttpUpstream, httpUpstream } from "../support/upstream.ts"

interface World {
  readonly pair: Pair
  readonly upstream: HttpUpstream
  /** The upstream's ends of all exchanges, by target. */
  readonly exchanges: ReadonlyMap<string, UpstreamExchange>
  /** The most requests for /slow that the upstream ever had at a time. */
  readonly mostAtATime: () => number
}

interface UpstreamExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** One pair for all tests over a transport, before a server whose answers the tests write themselves; /slow answers after 2 s. */
function testsOver(transport: Transport): TestAPI<{ world: World }> {
  return base.extend<{ world: World }>({
    world: [
      // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
      async ({}, use) => {
        const exchanges = new Map<string, UpstreamExchange>()
        let running = 0
        let most = 0
        await using upstream = await httpUpstream((incoming, response) => {
          const target = incoming.url ?? ""
          exchanges.set(target, { request: incoming, response })
          if (target !== "/slow") return
          most = Math.max(most, ++running)
          setTimeout(() => {
            running--
            response.end("at last")
          }, 2000)
        })
        await using pair = await startPair({ server: upstream.url, transport })
        await use({ pair, upstream, exchanges, mostAtATime: () => most })
      },
      { scope: "file" },
    ],
  })
}

const tests = { poll: testsOver("poll"), websocket: testsOver("websocket") }

function reached({ exchanges }: World, target: string): Promise<UpstreamExchange> {
  return until(`${target} to reach the upstream`, () => exchanges.get(target))
}

/** Resolves when the upstream has noticed, within the second that it may take. */
function closedWithinASecond({ response }: UpstreamExchange): Promise<true> {
  return until("the upstream's connection to close", () => response.closed && response.destroyed, 1000)
}

describe.for(transports)("over %s", (transport) => {
  const test = tests[transport]

  test("events of a stream arrive within 100 ms of being sent", async ({ world }) => {
    const answer = begin(`${world.pair.url}/events`)
    const { response } = await reached(world, "/events")
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders()
    const stream = await answer
    stream.setEncoding("latin1")
    const latencies: number[] = []
    for (let event = 0; event < 20; event++) {
      const sentAt = performance.now()
      response.write(`id: ${event}\ndata: ${"x".repeat(event * 100)}\n\n`)
      let text = ""
      while (!text.endsWith("\n\n")) text += String((await once(stream, "data"))[0])
      latencies.push(performance.now() - sentAt)
      expect(text).toBe(`id: ${event}\ndata: ${"x".repeat(event * 100)}\n\n`)
    }
    response.end()
    // On a busy machine one or two may have to wait for a turn of the processor.
    expect(latencies.toSorted((a, b) => a - b)[17]).toBeLessThan(100 * slowness())
  })

  test("300 clients of an upstream that takes 2 s are served at the same time, not in waves", async ({
    world,
  }) => {
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 300 }, () => fetchWhole(`${world.pair.url}/slow`)))
    const tookMs = performance.now() - began
    report(() => `300 clients, 2 s each, over ${transport}: ${Math.round(tookMs)} ms`)
    expect(answers.every(({ status, text }) => status === 200 && text === "at last")).toBe(true)
    expect(world.mostAtATime()).toBe(300)
    expect(tookMs).toBeLessThan(6000 * slowness())
  })

  test("a client that leaves while it waits for the head closes the upstream's connection", async ({
    world,
  }) => {
    const client = request(`${world.pair.url}/no-head`, { agent: false })
    client.on("error", () => undefined).end()
    const exchange = await reached(world, "/no-head")
    client.destroy()
    await closedWithinASecond(exchange)
  })

  test("a client that leaves in the middle of a download closes the upstream's connection", async ({
    world,
  }) => {
    const answer = begin(`${world.pair.url}/download`)
    const exchange = await reached(world, "/download")
    exchange.response.write("x".repeat(1_000_000))
    const stream = await answer
    await once(stream, "data")
    stream.destroy()
    await closedWithinASecond(exchange)
  })

  test("a client that leaves while the upstream is silent in the middle of its answer closes the upstream's connection", async ({
    world,
  }) => {
    const answer = begin(`${world.pair.url}/silent-download`)
    const exchange = await reached(world, "/silent-download")
    exchange.response.write("first")
    const stream = await answer
    await once(stream, "data")
    stream.destroy()
    await closedWithinASecond(exchange)
  })

  test("a client that leaves in the middle of an upload closes the upstream's connection", async ({
    world,
  }) => {
    const client = request(`${world.pair.url}/upload`, {
      agent: false,
      method: "PUT",
      headers: { "content-length": 10_000_000 },
    })
    client.on("error", () => undefined)
    client.write("x".repeat(1_000_000))
    const exchange = await reached(world, "/upload")
    await once(exchange.request, "data")
    client.destroy()
    await closedWithinASecond(exchange)
    expect(exchange.request.complete).toBe(false)
  })
})

base(
  "a client that leaves while nobody serves it leaves nothing behind for the agent that comes later",
  async () => {
    await using upstream = await httpUpstream((_request, response) => response.end())
    await using edge = await startEdge()
    const client = request(`${edge.url}/left`, { agent: false })
    client.on("error", () => undefined).end()
    await until("it to wait", async () => (await edgeStatus(edge)).queue.waiting === 1)
    client.destroy()
    await until("it to be forgotten", async () => (await edgeStatus(edge)).queue.waiting === 0, 1000)
    await using agent = await startAgent({ server: upstream.url, external: edge.url })
    await agent.attached()
    await fetchWhole(`${edge.url}/stayed`)
    expect(upstream.seen).toEqual(["GET /stayed"])
  },
)
