// The agent's network goes away for ten seconds in the middle of everything: every exchange goes on where it was, byte for byte.
import { once } from "node:events"
import { type IncomingMessage, request } from "node:http"
import { describe, expect, test } from "vitest"
import { mib, readBulk, writeBulk } from "../support/bulk.ts"
import { begin, fetchWhole } from "../support/client.ts"
import { type Agent, type Edge, startAgent, startEdge, type Transport, transports } from "../support/pair.ts"
import { Wire } from "../support/relay.ts"
import { passTime, until } from "../support/until.ts"
import { bodyOf, httpUpstream, type HttpUpstream } from "../support/upstream.ts"

const bulkBytes = 200 * mib
const cutMs = 10_000
const eventEveryMs = 50

interface World extends AsyncDisposable {
  readonly edge: Edge
  readonly agent: Agent
  /** Between the agent and the edge. */
  readonly wire: Wire
  readonly upstream: HttpUpstream
}

/**
 * /download gives 200 MiB, /upload takes as much and tells how it came, /events sends numbers until the client leaves,
 * /slow answers after 3 s, everything else at once.
 */
async function startWorld(transport: Transport): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(
    await httpUpstream(async (incoming, response) => {
      if (incoming.url === "/download") {
        response.setHeader("content-length", bulkBytes)
        await writeBulk(response, bulkBytes)
      } else if (incoming.url === "/upload") {
        response.end(JSON.stringify(await readBulk(incoming)))
      } else if (incoming.url === "/events") {
        let event = 0
        const timer = setInterval(() => response.write(`data: ${event++}\n\n`), eventEveryMs)
        response.on("close", () => clearInterval(timer))
      } else {
        await passTime(incoming.url === "/slow" ? 3000 : 0)
        response.end("done")
      }
    }),
  )
  const edge = stack.use(await startEdge())
  const wire = stack.use(await Wire.to(edge.port))
  const agent = stack.use(await startAgent({ server: upstream.url, external: wire.url, transport }))
  await agent.attached()
  const owned = stack.move()
  return { edge, agent, wire, upstream, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function cutFor(wire: Wire, milliseconds: number): Promise<void> {
  wire.cut()
  await passTime(milliseconds)
  wire.mend()
}

describe.for(transports)("over %s", { concurrent: true, timeout: 90_000 }, (transport) => {
  test("a download of 200 MiB goes on after 10 s without a network, byte for byte", async () => {
    await using world = await startWorld(transport)
    const stream = await begin(`${world.edge.url}/download`)
    let receivedBytes = 0
    const whole = readBulk(stream, (bytes) => void (receivedBytes = bytes))
    await until("50 MiB to arrive", () => receivedBytes > 50 * mib)
    await cutFor(world.wire, cutMs)
    expect(receivedBytes).toBeLessThan(bulkBytes)
    expect(await whole).toEqual({ bytes: bulkBytes, firstWrong: undefined })
    expect(world.upstream.seen).toEqual(["GET /download"])
  })

  test("an upload of 200 MiB goes on after 10 s without a network, byte for byte", async () => {
    await using world = await startWorld(transport)
    let writtenBytes = 0
    const client = request(`${world.edge.url}/upload`, {
      method: "PUT",
      headers: { "content-length": bulkBytes },
      agent: false,
    })
    const written = writeBulk(client, bulkBytes, (bytes) => (writtenBytes = bytes))
    const answer = once(client, "response")
    await until("50 MiB to be written", () => writtenBytes > 50 * mib)
    await cutFor(world.wire, cutMs)
    expect(writtenBytes).toBeLessThan(bulkBytes)
    const [response] = (await answer) as [IncomingMessage]
    await written
    expect(JSON.parse((await bodyOf(response)).toString())).toEqual({ bytes: bulkBytes })
    expect(world.upstream.seen).toEqual(["PUT /upload"])
  })

  test("an event stream goes on after 10 s without a network, and no event is missing or doubled", async () => {
    await using world = await startWorld(transport)
    const stream = await begin(`${world.edge.url}/events`)
    let text = ""
    stream.setEncoding("latin1").on("data", (chunk: string) => (text += chunk))
    await until("events to arrive", () => text.includes("data: 20\n\n"))
    await cutFor(world.wire, cutMs)
    const after = 20 + (2 * cutMs) / eventEveryMs
    await until("events from after the cut to arrive", () => text.includes(`data: ${after}\n\n`), 30_000)
    const numbers = [...text.matchAll(/data: (\d+)\n\n/g)].map(([, number]) => Number(number))
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index))
    stream.destroy()
  })

  test("requests that wait for their answers get them after 10 s without a network, and each ran once", async () => {
    await using world = await startWorld(transport)
    const answers = ["GET", "POST", "PUT"].map((method) =>
      fetchWhole(`${world.edge.url}/slow`, { method, body: method === "GET" ? "" : "x" }),
    )
    await until("them to reach the upstream", () => world.upstream.seen.length === 3)
    await cutFor(world.wire, cutMs)
    expect((await Promise.all(answers)).map(({ status, text }) => [status, text])).toEqual(
      Array.from({ length: 3 }, () => [200, "done"]),
    )
    expect(world.upstream.seen.toSorted()).toEqual(["GET /slow", "POST /slow", "PUT /slow"])
  })

  test("requests that come while there is no network are answered once it is back, and each runs once", async () => {
    await using world = await startWorld(transport)
    world.wire.cut()
    const answers = Array.from({ length: 50 }, (_, index) =>
      fetchWhole(`${world.edge.url}/${index}`, { method: index % 2 === 0 ? "GET" : "POST" }),
    )
    await cutFor(world.wire, cutMs)
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(50).fill(200))
    expect(new Set(world.upstream.seen).size).toBe(50)
    expect(world.upstream.seen).toHaveLength(50)
  })

  test("connections that a router forgot without a word are noticed, and what went over them goes on over others", async () => {
    await using world = await startWorld(transport)
    const stream = await begin(`${world.edge.url}/events`)
    let text = ""
    stream.setEncoding("latin1").on("data", (chunk: string) => (text += chunk))
    await until("events to arrive", () => text.includes("data: 20\n\n"))
    world.wire.forget()
    const after = 20 + 30_000 / eventEveryMs
    await until("events from after that to arrive", () => text.includes(`data: ${after}\n\n`), 70_000)
    const numbers = [...text.matchAll(/data: (\d+)\n\n/g)].map(([, number]) => Number(number))
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index))
    stream.destroy()
  })
})
