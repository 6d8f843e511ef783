// Two edges that share a Redis: clients at one, the agent at the other.
import { once } from "node:events"
import { type IncomingMessage, request, type ServerResponse } from "node:http"
import { describe, expect, test as base } from "vitest"
import { mib, readBulk, writeBulk } from "../support/bulk.ts"
import { begin, fetchWhole } from "../support/client.ts"
import { type Edge, startAgent, startEdge } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { slowness } from "../support/slowness.ts"
import { until } from "../support/until.ts"
import { bodyOf, httpUpstream, type HttpUpstream } from "../support/upstream.ts"

const bulkBytes = 32 * mib

interface World {
  /** Where the clients are. */
  readonly here: Edge
  /** Where the agent is. */
  readonly there: Edge
  readonly upstream: HttpUpstream
  /** The upstream's answers, by target. */
  readonly answers: ReadonlyMap<string, ServerResponse>
}

/** /download gives 32 MiB, a PUT is read and told about, /endless begins its answer, /silent does not, the rest is answered at once. */
const test = base.extend<{ world: World }>({
  // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
  world: async ({}, use) => {
    const answers = new Map<string, ServerResponse>()
    await using redis = await startRedis()
    await using upstream = await httpUpstream(async (incoming, response) => {
      answers.set(incoming.url ?? "", response)
      if (incoming.method === "PUT") response.end(JSON.stringify(await readBulk(incoming)))
      else if (incoming.url === "/download") await writeBulk(response, bulkBytes)
      else if (incoming.url === "/endless") response.write("the first of it")
      else if (incoming.url !== "/silent") response.end("from the other edge's agent")
    })
    await using here = await startEdge({ args: ["--redis", redis.url] })
    await using there = await startEdge({ args: ["--redis", redis.url] })
    await using agent = await startAgent({ server: upstream.url, external: there.url })
    await agent.attached()
    await use({ here, there, upstream, answers })
  },
})

describe("two edges with one Redis", { concurrent: true, timeout: 120_000 }, () => {
  test("a request at one edge is answered by the other edge's agent", async ({ world }) => {
    expect((await fetchWhole(`${world.here.url}/`)).text).toBe("from the other edge's agent")
    expect((await fetchWhole(`${world.there.url}/`)).text).toBe("from the other edge's agent")
  })

  test("bodies cross between edges unchanged, both ways", async ({ world }) => {
    expect(await readBulk(await begin(`${world.here.url}/download`))).toEqual({ bytes: bulkBytes })
    const headers = { "content-length": bulkBytes }
    const upload = request(`${world.here.url}/upload`, { method: "PUT", headers, agent: false })
    const [[answer]] = await Promise.all([
      once(upload, "response") as Promise<[IncomingMessage]>,
      writeBulk(upload, bulkBytes),
    ])
    expect(JSON.parse((await bodyOf(answer)).toString())).toEqual({ bytes: bulkBytes })
  })

  test.for(["/endless", "/silent"])(
    "a client that leaves %s at one edge closes the upstream's connection behind the other within a second",
    async (target, { world }) => {
      const client = request(`${world.here.url}${target}`, { agent: false })
      client.on("error", () => undefined).end()
      const answer = await until("it to reach the upstream", () => world.answers.get(target))
      client.destroy()
      expect(
        await until("the upstream's connection to close", () => answer.destroyed, 1000 * slowness()),
      ).toBe(true)
    },
  )

  test("an edge that is killed: what its clients had asked for is ended at the upstream too", async ({
    world,
  }) => {
    const client = await begin(`${world.here.url}/endless`)
    client.on("error", () => undefined)
    await world.here.program.kill()
    const answer = world.answers.get("/endless")
    await until("the upstream's connection to close", () => answer?.destroyed, 30_000)
    expect((await fetchWhole(`${world.there.url}/`)).text).toBe("from the other edge's agent")
  })
})
