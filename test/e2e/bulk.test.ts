// Large bodies, both ways: they arrive unchanged, and no process needs more memory for them than for small ones.
// RESTANTE_TEST_BULK_MIB sets their size.
import { once } from "node:events"
import { type IncomingMessage, request } from "node:http"
import { describe, expect, test as base, type TestAPI } from "vitest"
import { mib, readBulk, writeBulk } from "../support/bulk.ts"
import { begin } from "../support/client.ts"
import { type Pair, startPair, type Transport, transports } from "../support/pair.ts"
import { report } from "../support/report.ts"
import { passTime, until } from "../support/until.ts"
import { bodyOf, httpUpstream } from "../support/upstream.ts"

const bulkBytes = Number(process.env["RESTANTE_TEST_BULK_MIB"] ?? 2048) * mib
/** Far more than both programs may have in memory. */
const slowBytes = 512 * mib
const memoryLimitBytes = 200 * mib
const minutes = 60_000

interface World {
  readonly pair: Pair
  /** How much the upstream has written of its latest answer. */
  readonly sentBytes: () => number
}

/** A pair per test, because what is measured is the most memory that it ever had. */
function testsOver(transport: Transport): TestAPI<{ world: World }> {
  return base.extend<{ world: World }>({
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    world: async ({}, use) => {
      let sentBytes = 0
      await using upstream = await httpUpstream(async (incoming, response) => {
        if (incoming.method === "PUT") {
          response.end(JSON.stringify(await readBulk(incoming)))
        } else {
          const bytes = Number(incoming.url?.slice(1))
          response.setHeader("content-length", bytes)
          await writeBulk(response, bytes, (written) => (sentBytes = written))
        }
      })
      await using pair = await startPair({ server: upstream.url, transport })
      await use({ pair, sentBytes: () => sentBytes })
    },
  })
}

const tests = { poll: testsOver("poll"), websocket: testsOver("websocket") }

function expectSmallMemory({ edge, agent }: Pair): void {
  expect(edge.program.peakMemoryBytes).toBeLessThan(memoryLimitBytes)
  expect(agent.program.peakMemoryBytes).toBeLessThan(memoryLimitBytes)
}

function reportBulk(what: string, { edge, agent }: Pair, bytes: number, tookMs: number): void {
  const [edgeMib, agentMib] = [edge, agent].map(({ program }) => Math.round(program.peakMemoryBytes / mib))
  const gigabytes = (bytes / tookMs / 1e6).toFixed(2)
  report(() => `${what}: ${gigabytes} GB/s, most memory: edge ${edgeMib} MiB, agent ${agentMib} MiB`)
}

describe.for(transports)("over %s", { timeout: 10 * minutes }, (transport) => {
  const test = tests[transport]

  test("a large download arrives unchanged, in bounded memory", async ({ world }) => {
    const { pair } = world
    const began = performance.now()
    const received = await readBulk(await begin(`${pair.url}/${bulkBytes}`))
    reportBulk(`download over ${transport}`, pair, bulkBytes, performance.now() - began)
    expect(received).toEqual({ bytes: bulkBytes })
    expectSmallMemory(pair)
  })

  test.for([
    ["content-length", { "content-length": bulkBytes }, bulkBytes],
    ["chunked", { "transfer-encoding": "chunked" }, bulkBytes / 8],
  ] as const)(
    "a large upload with %s arrives unchanged, in bounded memory",
    async ([framing, headers, bytes], { world }) => {
      const { pair } = world
      const began = performance.now()
      const client = request(`${pair.url}/`, { method: "PUT", headers, agent: false })
      const [[response]] = await Promise.all([
        once(client, "response") as Promise<[IncomingMessage]>,
        writeBulk(client, bytes),
      ])
      const received: unknown = JSON.parse((await bodyOf(response)).toString())
      reportBulk(`upload over ${transport}, ${framing}`, pair, bytes, performance.now() - began)
      expect(received).toEqual({ bytes })
      expectSmallMemory(pair)
    },
  )

  test("a slow client slows a fast upstream down, and what it has not read is not in memory", async ({
    world,
  }) => {
    const { pair, sentBytes } = world
    const stream = await begin(`${pair.url}/${slowBytes}`)
    let slow = true
    let receivedBytes = 0
    const whole = readBulk(stream, (bytes) => {
      receivedBytes = bytes
      // 64 KiB every 10 ms is a line of 50 Mbit/s.
      return slow ? passTime(10) : undefined
    })
    await until("the client to have read 8 MiB", () => receivedBytes > 8 * mib, 60_000)
    // What is under way: windows and buffers of edge, agent and four sockets.
    expect(sentBytes() - receivedBytes).toBeLessThan(64 * mib)
    expectSmallMemory(pair)
    slow = false
    expect(await whole).toEqual({ bytes: slowBytes })
    expectSmallMemory(pair)
  })
})
