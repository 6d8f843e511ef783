// Agents and edges that die, are restarted, or are asked to stop, while clients keep coming.
import { once } from "node:events"
import { type IncomingMessage, request, type ServerResponse } from "node:http"
import { describe, expect, test } from "vitest"
import { begin, fetchWhole, RawClient } from "../support/client.ts"
import { startLoad } from "../support/load.ts"
import {
  edgeStatus,
  type Pair,
  startAgent,
  startEdge,
  startPair,
  type Transport,
  transports,
} from "../support/pair.ts"
import { refusalIn } from "../support/refusal.ts"
import { passTime, until } from "../support/until.ts"
import { bodyOf, type HttpUpstream, httpUpstream } from "../support/upstream.ts"

describe("an agent that dies", () => {
  test("after it took a POST: 502 as soon as another one has taken its place, and the upstream ran it once", async () => {
    await using upstream = await httpUpstream(() => undefined)
    await using edge = await startEdge()
    const options = { server: upstream.url, external: edge.url }
    await using first = await startAgent(options)
    await first.attached()
    const answer = fetchWhole(`${edge.url}/pay`, { method: "POST", body: "once" })
    await until("the upstream to have it", () => upstream.seen.length === 1)
    await first.program.kill()
    await using second = await startAgent(options)
    await second.attached()
    const attachedAt = performance.now()
    expect(refusalIn(await answer, [upstream.port])).toEqual({
      status: 502,
      error: "connection_terminated",
      code: "agent_lost",
      forwarded: "maybe",
      retry: false,
    })
    expect(performance.now() - attachedAt).toBeLessThan(10_000)
    expect(upstream.seen).toEqual(["POST /pay"])
  })

  test("in the middle of its answer: the client's connection is reset as soon as another one has taken its place", async () => {
    await using upstream = await httpUpstream((_request, response) => response.write("half of it"))
    await using edge = await startEdge()
    const options = { server: upstream.url, external: edge.url }
    await using first = await startAgent(options)
    await first.attached()
    using client = new RawClient(edge.port)
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").receives(/half of it/)
    await first.program.kill()
    await using second = await startAgent(options)
    await second.attached()
    expect(await client.ended(10_000)).toBe("reset")
  })

  test("while another one serves the tunnel too: a GET that only waited for it goes to the other one within seconds", async () => {
    await using edge = await startEdge()
    await using silent = await httpUpstream(() => undefined)
    await using first = await startAgent({ server: silent.url, external: edge.url })
    await first.attached()
    const answer = fetchWhole(`${edge.url}/`)
    await until("the first one's upstream to have it", () => silent.seen.length === 1)
    await using upstream = await httpUpstream((_request, response) => response.end("the other one"))
    await using second = await startAgent({ server: upstream.url, external: edge.url })
    await second.attached()
    const killedAt = performance.now()
    await first.program.kill()
    expect(await answer).toMatchObject({ status: 200, text: "the other one" })
    expect(performance.now() - killedAt).toBeLessThan(10_000)
  })
})

describe.for(transports)("over %s", (transport) => {
  test("agents killed with -9 again and again under POSTs: none runs twice, and each client is told the truth", async () => {
    const runs = new Map<string, number>()
    await using upstream = await httpUpstream(async (incoming, response) => {
      const target = String(incoming.url)
      runs.set(target, (runs.get(target) ?? 0) + 1)
      await passTime(30)
      response.end("ok")
    })
    await using edge = await startEdge()
    const options = { server: upstream.url, external: edge.url, transport }
    let agent = await startAgent(options)
    await agent.attached()
    const load = startLoad(edge.url, 100, "POST")
    for (let killed = 0; killed < 4; killed++) {
      const runsBefore = runs.size
      await until("it to serve", () => runs.size > runsBefore + 50)
      await agent.program.kill()
      agent = await startAgent(options)
    }
    await using last = agent
    await last.attached()
    const { requests, outcomes, targets } = await load.stop()
    const maybe = `502 restante; error=connection_terminated; details="may have been forwarded"`
    const never = `502 restante; error=connection_terminated; details="not forwarded"`
    expect([maybe, never, "200"]).toEqual(expect.arrayContaining([...outcomes.keys()]))
    expect([...runs.values()].every((count) => count === 1)).toBe(true)
    expect(targets("200").filter((target) => !runs.has(target))).toEqual([])
    expect(targets(never).filter((target) => runs.has(target))).toEqual([])
    expect(targets("200").length + targets(maybe).length + targets(never).length).toBe(requests)
    expect(targets(maybe).length).toBeGreaterThan(0)
  })

  test("an edge that is killed and started again: its agent attaches again by itself", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("ok"))
    await using edge = await startEdge()
    await using agent = await startAgent({ server: upstream.url, external: edge.url, transport })
    await agent.attached()
    await edge.program.kill()
    await until("the agent to notice", async () => (await agent.status()).link.kind === "reconnecting")
    await using again = await startEdge({ port: edge.port })
    expect((await fetchWhole(`${again.url}/`)).text).toBe("ok")
    await agent.attached()
  })

  test("an agent asked to stop finishes what runs, leaves what comes to the next one, and exits with 0", async () => {
    await using running = await startRunning(transport)
    const { pair, upstream } = running
    pair.agent.program.signal("SIGTERM")
    await until("it to be stopping", () => pair.agent.program.hasLogged("stopping"))
    const later = fetchWhole(`${pair.url}/later`)
    await until("it to wait", async () => (await edgeStatus(pair.edge)).queue.waiting === 1)
    expect(await running.finish()).toEqual({ download: "first,last", upload: "200000 bytes" })
    expect(await pair.agent.program.ended).toEqual({ code: 0, signal: null })
    expect(upstream.seen).not.toContain("GET /later")
    await using next = await startAgent({ server: upstream.url, external: pair.url, transport })
    await next.attached()
    expect((await later).text).toBe("at once")
  })

  test("an edge asked to stop finishes what runs, refuses what comes, and exits with 0", async () => {
    await using running = await startRunning(transport)
    const { pair } = running
    pair.edge.program.signal("SIGTERM")
    await until("it to be stopping", () => pair.edge.program.hasLogged("stopping"))
    expect(refusalIn(await fetchWhole(`${pair.url}/later`))).toEqual({
      status: 503,
      error: "destination_unavailable",
      code: "edge_stopping",
      forwarded: "no",
      retry: true,
    })
    expect(await running.finish()).toEqual({ download: "first,last", upload: "200000 bytes" })
    expect(await pair.edge.program.ended).toEqual({ code: 0, signal: null })
  })
})

interface Running extends AsyncDisposable {
  readonly pair: Pair
  readonly upstream: HttpUpstream
  /** Lets both come to their ends; resolves with what client and upstream got. */
  finish(): Promise<{ download: string; upload: string }>
}

/** A pair through which a download and an upload run, both half done. Everything but those is answered at once. */
async function startRunning(transport: Transport): Promise<Running> {
  await using stack = new AsyncDisposableStack()
  const downloads: ServerResponse[] = []
  const upstream = stack.use(
    await httpUpstream(async (incoming, response) => {
      if (incoming.url === "/upload") {
        response.end(`${(await bodyOf(incoming)).length} bytes`)
      } else if (incoming.url === "/download") {
        response.write("first,")
        downloads.push(response)
      } else {
        response.end("at once")
      }
    }),
  )
  const pair = stack.use(await startPair({ server: upstream.url, transport }))
  const headers = { "content-length": 200_000 }
  const upload = request(`${pair.url}/upload`, { method: "PUT", headers, agent: false })
  upload.write("x".repeat(100_000))
  const uploaded = once(upload, "response") as Promise<[IncomingMessage]>
  const download = await begin(`${pair.url}/download`)
  const downloaded = bodyOf(download)
  await until("the upload to have begun", () => upstream.seen.includes("PUT /upload"))
  const owned = stack.move()
  return {
    pair,
    upstream,
    finish: async () => {
      upload.end("x".repeat(100_000))
      for (const response of downloads) response.end("last")
      const [answer] = await uploaded
      return { download: (await downloaded).toString(), upload: (await bodyOf(answer)).toString() }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
