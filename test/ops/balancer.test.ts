// Two edges on one Redis behind the HAProxy of Compose, and an agent that reaches them only through it.
import { once } from "node:events"
import { type IncomingMessage, request, type ServerResponse } from "node:http"
import { describe, expect, test as base } from "vitest"
import { mib, readBulk, writeBulk } from "../support/bulk.ts"
import { Balancer } from "../support/balancer.ts"
import { begin, fetchWhole } from "../support/client.ts"
import {
  type Agent,
  type Edge,
  edgeStatus,
  startAgent,
  startEdge,
  type Transport,
  transports,
} from "../support/pair.ts"
import { freePort, startRedis } from "../support/redis.ts"
import { passTime, until } from "../support/until.ts"
import { bodyOf, httpUpstream, type HttpUpstream } from "../support/upstream.ts"

const bulkBytes = 32 * mib
const adminToken = "an-admin-token-that-only-these-tests-use-0123"
const addresses = ["127.0.0.2", "127.0.0.3"] as const

interface World {
  readonly edges: readonly [Edge, Edge]
  readonly balancer: Balancer
  readonly upstream: HttpUpstream
  /** The upstream's answers, by target: the test goes on with them. */
  readonly answers: ReadonlyMap<string, ServerResponse>
  startAgent(): Promise<Agent>
}

for (const transport of transports) {
  const test = base.extend<{ world: World; attached: World }>({
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    world: ({}, use) => withWorld(transport, use),
    /** With an agent, for all tests that leave both as they are. */
    attached: [
      // oxlint-disable-next-line no-empty-pattern -- likewise
      ({}, use) =>
        withWorld(transport, async (world) => {
          await world.startAgent()
          await use(world)
        }),
      { scope: "file" },
    ],
  })

  // These mostly wait, for HAProxy as much as for a poll's end: over both transports at the same time.
  describe(`edges behind HAProxy, the agent over ${transport}`, { timeout: 60_000, concurrent: true }, () => {
    test("an agent that has nothing to do keeps its session beyond a long poll", async ({ world }) => {
      await world.startAgent()
      await passTime(28_000)
      expect((await fetchWhole(`${world.balancer.url}/`)).status).toBe(200)
      expect(attachments(world)).toBe(1)
    })

    describe("one after the other", { concurrent: false }, () => {
      test("200 clients are answered, all in one session of the agent", async ({ attached: world }) => {
        const answered = Array.from({ length: 200 }, async (_, index) =>
          fetchWhole(`${world.balancer.url}/${index}`),
        )
        const statuses = (await Promise.all(answered)).map((answer) => answer.status)
        expect(statuses).toEqual(Array.from({ length: 200 }, () => 200))
        expect(attachments(world)).toBe(1)
      })

      test("bodies cross unchanged, both ways", async ({ attached: world }) => {
        expect(await readBulk(await begin(`${world.balancer.url}/download`))).toEqual({ bytes: bulkBytes })
        const headers = { "content-length": bulkBytes }
        const upload = request(`${world.balancer.url}/upload`, { method: "PUT", headers, agent: false })
        const [[answer]] = await Promise.all([
          once(upload, "response") as Promise<[IncomingMessage]>,
          writeBulk(upload, bulkBytes),
        ])
        expect(JSON.parse((await bodyOf(answer)).toString())).toEqual({ bytes: bulkBytes })
      })

      test("an event is with the client before the next one is sent", async ({ attached: world }) => {
        const stream = await begin(`${world.balancer.url}/events`)
        const events = stream.setEncoding("utf8")[Symbol.asyncIterator]() as AsyncIterator<string>
        for (const event of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
          world.answers.get("/events")?.write(event)
          expect((await events.next()).value).toBe(event)
        }
        stream.destroy()
      })

      test("when the agent's edge is killed it attaches at the other, and clients are answered again", async ({
        world,
      }) => {
        await world.startAgent()
        const home = await edgeWithAgent(world)
        await home.program.kill()
        expect((await fetchWhole(`${world.balancer.url}/`)).status).toBe(200)
        await until("both edges' lines of it to be read", () => attachments(world) === 2)
      })

      test("a GET that waits at an edge that is killed is answered through the other", async ({ world }) => {
        const waiting = fetchWhole(`${world.balancer.url}/`)
        const edge = await until("the request to wait at an edge", () =>
          edgeWith(world, (one) => one.exchanges.live === 1),
        )
        await edge.program.kill()
        await world.startAgent()
        expect((await waiting).status).toBe(200)
      })

      test("a POST that waits at an edge that is killed is not repeated: 502", async ({ world }) => {
        const waiting = fetchWhole(`${world.balancer.url}/`, { method: "POST", body: "once" })
        const edge = await until("the request to wait at an edge", () =>
          edgeWith(world, (one) => one.exchanges.live === 1),
        )
        await edge.program.kill()
        expect((await waiting).status).toBe(502)
      })

      test("an edge that is told to stop finishes what its agent is doing", async ({ world }) => {
        await world.startAgent()
        const home = await edgeWithAgent(world)
        const running = fetchWhole(`${world.balancer.url}/silent`)
        await until("the request to reach the upstream", () => world.answers.has("/silent"))
        home.program.signal("SIGTERM")
        await until("the edge to be stopping", () => home.program.hasLogged("stopping"))
        // The balancer has seen by now that this edge takes nothing new.
        await passTime(4000)
        world.answers.get("/silent")?.end("finished")
        expect((await running).text).toBe("finished")
      })

      test("the private server learns who the client is, whatever the client says", async ({
        attached: world,
      }) => {
        const headers = { "x-forwarded-for": "203.0.113.7" }
        expect((await fetchWhole(`${world.balancer.url}/`, { headers })).text).toBe("127.0.0.1, 127.0.0.1")
      })

      test("a client sees neither the balancer's cookie nor the operator's pages", async ({
        attached: world,
      }) => {
        expect((await fetchWhole(`${world.balancer.url}/`)).headers).not.toHaveProperty("set-cookie")
        expect((await fetchWhole(`${world.balancer.url}/.restante/v1/status`)).status).toBe(404)
      })
    })
  })
}

async function withWorld(transport: Transport, use: (world: World) => Promise<void>): Promise<void> {
  const answers = new Map<string, ServerResponse>()
  await using redis = await startRedis()
  await using upstream = await httpUpstream(async (incoming, response) => {
    answers.set(incoming.url ?? "", response)
    if (incoming.method === "PUT") response.end(JSON.stringify(await readBulk(incoming)))
    else if (incoming.url === "/download") await writeBulk(response, bulkBytes)
    else if (incoming.url === "/events")
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders()
    else if (incoming.url !== "/silent") response.end(incoming.headers["x-forwarded-for"])
  })
  const port = await freePort()
  const args = ["--redis", redis.url, "--trusted-proxies=10.0.0.0/8", "--trusted-proxies=127.0.0.0/8"]
  await using here = await startEdge({ args, port, host: addresses[0], adminToken })
  await using there = await startEdge({ args, port, host: addresses[1], adminToken })
  await using balancer = await Balancer.start(addresses, port)
  await using agents = new AsyncDisposableStack()
  await use({
    edges: [here, there],
    balancer,
    upstream,
    answers,
    startAgent: async () => {
      const agent = agents.use(await startAgent({ server: upstream.url, external: balancer.url, transport }))
      await agent.attached()
      return agent
    },
  })
}

/** How often an agent attached, at both edges together. */
function attachments({ edges }: World): number {
  return edges.flatMap((edge) => edge.program.logged).filter((line) => line.includes("agent attached")).length
}

function edgeWithAgent(world: World): Promise<Edge> {
  return until("an edge to have the agent", () =>
    edgeWith(world, (one) => one.tunnels.some((tunnel) => tunnel.sessions > 0)),
  )
}

async function edgeWith(
  { edges }: World,
  holds: (status: Awaited<ReturnType<typeof edgeStatus>>) => boolean,
): Promise<Edge | undefined> {
  for (const edge of edges) if (holds(await edgeStatus(edge))) return edge
  return undefined
}
