// The agent's network goes away in the middle of everything: every exchange goes on where it was, byte for byte, and
// nothing runs twice.
import { once } from "node:events"
import { type IncomingMessage, request } from "node:http"
import { describe, expect, test as base, type TestAPI } from "vitest"
import { mib, readBulk, type Received, writeBulk } from "../support/bulk.ts"
import { begin, fetchWhole } from "../support/client.ts"
import { startLoad } from "../support/load.ts"
import { type Edge, startAgent, startEdge, startPair, type Transport, transports } from "../support/pair.ts"
import { Wire } from "../support/relay.ts"
import { passTime, until, within } from "../support/until.ts"
import { bodyOf, httpUpstream, type HttpUpstream } from "../support/upstream.ts"

const bulkBytes = 200 * mib
const cutMs = 10_000
const eventEveryMs = 50
/** For everything to end after the network is back: longer than any test waits, shorter than its timeout. */
const afterwardsMs = 40_000

interface World extends AsyncDisposable {
  readonly edge: Edge
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
  return { edge, wire, upstream, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** What became of everything that ran, or came, while the network was away for 10 s. A text is an error's. */
interface Cut {
  readonly downloadedBefore: number
  readonly download: Received | string
  readonly uploadedBefore: number
  readonly upload: unknown
  /** Numbers of the events, as they came. */
  readonly events: readonly number[]
  /** Answers to a GET, a POST and a PUT of /slow that were at the upstream when the network went. */
  readonly waiting: readonly string[]
  /** Answers to 20 GETs and 20 POSTs that came while there was none. */
  readonly during: readonly string[]
  /** What reached the upstream. */
  readonly seen: readonly string[]
}

async function cutInTheMiddle(transport: Transport): Promise<Cut> {
  await using world = await startWorld(transport)
  const { url } = world.edge
  const ended = <T>(promise: Promise<T>): Promise<T | string> =>
    within("it to end", cutMs + afterwardsMs, promise).catch(String)
  const short = async (path: string, method: string): Promise<string> => {
    const { status, text } = await fetchWhole(`${url}${path}`, { method, body: method === "GET" ? "" : "x" })
    return `${status} ${text}`
  }

  const events = new EventReader(await begin(`${url}/events`))
  let downloadedBytes = 0
  const download = begin(`${url}/download`).then((stream) =>
    readBulk(stream, (bytes) => void (downloadedBytes = bytes)),
  )
  let uploadedBytes = 0
  const upload = async (): Promise<unknown> => {
    const headers = { "content-length": bulkBytes }
    const client = request(`${url}/upload`, { method: "PUT", headers, agent: false })
    const [[answer]] = await Promise.all([
      once(client, "response") as Promise<[IncomingMessage]>,
      writeBulk(client, bulkBytes, (bytes) => (uploadedBytes = bytes)),
    ])
    return JSON.parse((await bodyOf(answer)).toString())
  }
  const large = [ended(download), ended(upload())] as const
  await until("both to be on their way", () => downloadedBytes > 20 * mib && uploadedBytes > 20 * mib, 30_000)
  const waiting = ["GET", "POST", "PUT"].map((method) => ended(short("/slow", method)))
  await until(
    "them to reach the upstream",
    () => world.upstream.seen.filter((line) => line.endsWith("/slow")).length === 3,
  )

  const [downloadedBefore, uploadedBefore] = [downloadedBytes, uploadedBytes]
  world.wire.cut()
  const eventsBefore = events.numbers.length
  const during = Array.from({ length: 40 }, (_, index) =>
    ended(short(`/during/${index}`, index % 2 === 0 ? "GET" : "POST")),
  )
  await passTime(cutMs)
  world.wire.mend()
  const eventsDue = eventsBefore + (1.2 * cutMs) / eventEveryMs
  await ended(until("events from after the cut", () => events.numbers.length > eventsDue, afterwardsMs))
  return {
    downloadedBefore,
    uploadedBefore,
    download: await large[0],
    upload: await large[1],
    waiting: await Promise.all(waiting),
    during: await Promise.all(during),
    events: [...events.numbers],
    seen: world.upstream.seen,
  }
}

class EventReader {
  readonly numbers: number[] = []
  #text = ""

  constructor(stream: IncomingMessage) {
    stream.setEncoding("latin1").on("data", (chunk: string) => this.#add(chunk))
    // A stream that broke off counts as a wrong event.
    stream.on("error", () => this.numbers.push(Number.NaN))
  }

  #add(chunk: string): void {
    const events = (this.#text + chunk).split("\n\n")
    this.#text = events.pop() ?? ""
    this.numbers.push(...events.map((event) => Number(/^data: (\d+)$/.exec(event)?.[1])))
  }
}

function upTo(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

/** Everything is cut once per transport; each test looks at one part of what came of it. */
function testsOver(transport: Transport): TestAPI<{ cut: Cut }> {
  return base.extend<{ cut: Cut }>({
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    cut: [async ({}, use) => await use(await cutInTheMiddle(transport)), { scope: "file" }],
  })
}

const tests = { poll: testsOver("poll"), websocket: testsOver("websocket") }

describe.for(transports)("over %s", { concurrent: true, timeout: 120_000 }, (transport) => {
  const test = tests[transport]

  test("a download of 200 MiB goes on after 10 s without a network, byte for byte", ({ cut }) => {
    expect(cut.downloadedBefore).toBeLessThan(bulkBytes)
    expect(cut.download).toEqual({ bytes: bulkBytes })
    expect(cut.seen.filter((line) => line === "GET /download")).toHaveLength(1)
  })

  test("an upload of 200 MiB goes on after 10 s without a network, byte for byte", ({ cut }) => {
    expect(cut.uploadedBefore).toBeLessThan(bulkBytes)
    expect(cut.upload).toEqual({ bytes: bulkBytes })
    expect(cut.seen.filter((line) => line === "PUT /upload")).toHaveLength(1)
  })

  test("an event stream goes on after 10 s without a network, and no event is missing or doubled", ({
    cut,
  }) => {
    expect(cut.events.length).toBeGreaterThan(cutMs / eventEveryMs)
    expect(cut.events).toEqual(upTo(cut.events.length))
  })

  test("requests that wait for their answers get them after 10 s without a network, and each ran once", ({
    cut,
  }) => {
    expect(cut.waiting).toEqual(["200 done", "200 done", "200 done"])
    expect(cut.seen.filter((line) => line.endsWith("/slow"))).toHaveLength(3)
  })

  test("requests that come while there is no network are answered once it is back, and each runs once", ({
    cut,
  }) => {
    expect(cut.during).toEqual(Array(40).fill("200 done"))
    const seen = cut.seen.filter((line) => line.includes("/during/"))
    expect(new Set(seen).size).toBe(40)
    expect(seen).toHaveLength(40)
  })

  base("a network that comes and goes under POSTs: each gets its answer, and each ran once", async () => {
    await using world = await startWorld(transport)
    const load = startLoad(world.edge.url, 100, "POST")
    for (let cuts = 0; cuts < 8; cuts++) {
      const seenBefore = world.upstream.seen.length
      await until("POSTs to run", () => world.upstream.seen.length > seenBefore + 20, 30_000)
      world.wire.cut()
      await passTime(50 * cuts)
      world.wire.mend()
    }
    const { requests, outcomes } = await load.stop()
    expect(outcomes).toEqual(new Map([["200", requests]]))
    expect(new Set(world.upstream.seen).size).toBe(requests)
    expect(world.upstream.seen).toHaveLength(requests)
  })

  base(
    "connections that a router forgot without a word are noticed, and what went over them goes on over others",
    async () => {
      await using world = await startWorld(transport)
      const stream = await begin(`${world.edge.url}/events`)
      const { numbers } = new EventReader(stream)
      await until("events to arrive", () => numbers.length > 20)
      world.wire.forget()
      const due = numbers.length + 24_000 / eventEveryMs
      await until("events from after that to arrive", () => numbers.length > due, 60_000)
      expect(numbers).toEqual(upTo(numbers.length))
    },
  )
})

base.concurrent(
  "an agent that never comes back: who waits for a POST that it took hears so when its session is over",
  async () => {
    await using upstream = await httpUpstream(() => undefined)
    await using pair = await startPair({ server: upstream.url })
    const answer = fetchWhole(`${pair.url}/pay`, { method: "POST", body: "once" })
    await until("the upstream to have it", () => upstream.seen.length === 1)
    await pair.agent.program.kill()
    const killedAt = performance.now()
    expect((await answer).headers["restante-error"]).toBe("agent_lost")
    expect(performance.now() - killedAt).toBeLessThan(35_000)
  },
)
