// Strangers who waste what the edge has: slow ones, silent ones, many, greedy ones. Each loses its own connection at most; a normal
// client is served all the while, and memory stays where it was.
import { preamble } from "@restante/protocol"
import { expect, test } from "vitest"
import { fetchWhole, keptAlive, RawClient } from "../support/client.ts"
import { startNearPair } from "../support/near-pair.ts"
import { slowness } from "../support/slowness.ts"
import { bodyOf, httpUpstream, type HttpUpstream } from "../support/upstream.ts"
import { until, within } from "../support/until.ts"

const mebibyte = 1024 * 1024
const impatient = { headMs: 2000, bodyMs: 2000, idleMs: 2000, stalledReaderMs: 2000 }
const greeting = (): Promise<HttpUpstream> =>
  httpUpstream((incoming, response) => response.end(`hello ${incoming.url}`))

async function normalClient(port: number): Promise<string> {
  const { text } = await within(
    "the answer to a normal client",
    5000 * slowness(),
    fetchWhole(`http://127.0.0.1:${port}/normal`),
  )
  return text
}

test.each([
  ["a head, byte by byte", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "y", "408"],
  ["a body, byte by byte", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n", "y", "408"],
  ["a body that pauses", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n", "", "408"],
  [
    "a chunk that pauses",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    "",
    "408",
  ],
] as const)(
  "two hundred connections that send %s are answered with 408 and closed",
  { timeout: 60_000 },
  async (_what, start, drip, status) => {
    let whole = 0
    await using upstream = await httpUpstream(async (incoming, response) => {
      await bodyOf(incoming)
      whole++
      response.end(`hello ${incoming.url}`)
    })
    await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { patience: impatient } })
    const slow = Array.from({ length: 200 }, () => new RawClient(pair.port).send(start))
    const dripping = setInterval(() => {
      for (const client of slow) if (client.ending === "open") client.send(drip)
    }, 200)
    try {
      expect(await normalClient(pair.port)).toBe("hello /normal")
      await until("all to be closed", () => slow.every(({ ending }) => ending !== "open"), 40_000)
      expect(slow.every(({ received }) => received.startsWith(`HTTP/1.1 ${status} `))).toBe(true)
      expect(whole).toBe(1)
    } finally {
      clearInterval(dripping)
      for (const client of slow) client[Symbol.dispose]()
    }
  },
)

test(
  "clients that read nothing of large answers hold no more than their windows, and lose their connections",
  { timeout: 120_000 },
  async () => {
    await using upstream = await httpUpstream((incoming, response) =>
      response.end(incoming.url === "/large" ? Buffer.alloc(20 * mebibyte) : "hello"),
    )
    await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { patience: impatient } })
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 20 }, () => {
      const client = new RawClient(pair.port).send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
      client.socket.pause()
      return client
    })
    await until("all to be asked for", () => upstream.seen.length === 20)
    expect((await fetchWhole(`http://127.0.0.1:${pair.port}/`)).text).toBe("hello")
    // Node's own server, in this process too, has the 20 answers.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((20 * 20 + 160) * mebibyte)
    // What the kernels hold is theirs; the edge gives up when nothing more of it is taken.
    await until("the agent to be told", () => pair.agent.status().requests.active === 0, 60_000)
    for (const client of readers) client.socket.resume()
    await until("all to be reset", () => readers.every(({ ending }) => ending === "reset"), 40_000)
  },
)

test(
  "twenty thousand pipelined requests on one connection are answered in turn, and others beside them",
  { timeout: 240_000 },
  async () => {
    await using upstream = await httpUpstream((incoming, response) => response.end(incoming.url))
    await using pair = await startNearPair({ upstreamPort: upstream.port })
    const targets = Array.from({ length: 20_000 }, (_, index) => `/${index}`)
    using client = new RawClient(pair.port)
    client.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""))
    await until("the first answer", () => client.received !== "")
    expect(await normalClient(pair.port)).toBe("/normal")
    // They wait where they came from: one of them at a time is with the upstream.
    expect(upstream.seen.length).toBeLessThan(targets.length)
    await until("the last answer", () => upstream.seen.length === targets.length + 1, 200_000)
    await until("all bytes", () => client.received.endsWith(`/${targets.length - 1}`))
    expect(client.received.split(/HTTP\/1\.1 200 OK\r\n(?:.+\r\n)+\r\n/).slice(1)).toEqual(targets)
  },
)

test("two thousand attempts to attach with wrong tokens are refused, and neither the right one nor clients are kept waiting", async () => {
  await using upstream = await greeting()
  await using pair = await startNearPair({ upstreamPort: upstream.port })
  using agent = keptAlive(50)
  const before = held()
  const attempts = Array.from({ length: 2000 }, (_, index) =>
    fetchWhole(`http://127.0.0.1:${pair.port}/.restante/v1/attach`, {
      method: "POST",
      headers: {
        authorization: `Bearer wrong-${index}-${"x".repeat(40)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        protocol: 1,
        tunnel: `t${index}`,
        instance: "x",
        concurrency: 1,
        software: "x",
      }),
      agent,
    }),
  )
  expect(await normalClient(pair.port)).toBe("hello /normal")
  const statuses = new Set((await Promise.all(attempts)).map(({ status }) => status))
  expect(statuses).toEqual(new Set([401, 429]))
  expect(held() - before).toBeLessThan(64 * mebibyte)
  expect(pair.agent.status().link.kind).toBe("connected")
})

const garbage: readonly (readonly [what: string, body: Buffer])[] = [
  ["nothing", Buffer.alloc(0)],
  ["zeros", Buffer.alloc(5000)],
  ["text", Buffer.from("hello ".repeat(1000))],
  ["another version", Buffer.from("525354 4e5445 0063".replaceAll(" ", ""), "hex")],
  ["a message that says it has 4 GiB", Buffer.concat([preamble, Buffer.alloc(20, 0xff)])],
  ["half a message", Buffer.concat([preamble, Buffer.alloc(7)])],
]
test.each(garbage)(
  "%s at every endpoint of the agents, without a session, is refused and nobody else notices",
  async (_what, body) => {
    await using upstream = await greeting()
    await using pair = await startNearPair({ upstreamPort: upstream.port })
    const asked = ["attach", "poll", "push", "websocket", "session", "", "..", "attach/", "poll?x"].flatMap(
      (endpoint) =>
        ["GET", "POST", "DELETE", "PUT"].map((method) =>
          fetchWhole(`http://127.0.0.1:${pair.port}/.restante/v1/${endpoint}`, {
            method,
            headers: {
              "restante-session": "x".repeat(24),
              "content-type": "application/vnd.restante.messages",
            },
            body,
          }),
        ),
    )
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([])
    expect(await normalClient(pair.port)).toBe("hello /normal")
    expect(pair.agent.status().link.kind).toBe("connected")
  },
)

function held(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
