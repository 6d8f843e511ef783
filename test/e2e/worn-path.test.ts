// A path whose every connection ends after a little: bodies far larger than what one connection carries come through whole.
import { once } from "node:events"
import { type IncomingMessage, request } from "node:http"
import { describe, test } from "vitest"
import { readBulk, writeBulk } from "../support/bulk.ts"
import { begin } from "../support/client.ts"
import { startAgent, startEdge, type Transport, transports } from "../support/pair.ts"
import { Wire } from "../support/relay.ts"
import { bodyOf, httpUpstream } from "../support/upstream.ts"

const bulkBytes = 20_000_000
const connectionBytes = 150_000

interface World {
  readonly url: string
  readonly wire: Wire
}

async function withWorld(transport: Transport, use: (world: World) => Promise<void>): Promise<void> {
  await using upstream = await httpUpstream(async (incoming, response) => {
    if (incoming.method === "PUT") {
      response.end(JSON.stringify(await readBulk(incoming)))
    } else {
      response.setHeader("content-length", bulkBytes)
      await writeBulk(response, bulkBytes)
    }
  })
  await using edge = await startEdge()
  await using wire = await Wire.to(edge.port)
  await using agent = await startAgent({ server: upstream.url, external: wire.url, transport })
  await agent.attached()
  wire.mostBytes = connectionBytes
  wire.cut()
  wire.mend()
  await use({ url: edge.url, wire })
}

describe.concurrent.for(transports)(
  "over %s, with 150 kB for each connection",
  { timeout: 480_000 },
  (transport) => {
    test("a download of 20 MB arrives unchanged", async ({ expect }) => {
      await withWorld(transport, async ({ url, wire }) => {
        expect(await readBulk(await begin(`${url}/`))).toEqual({ bytes: bulkBytes })
        expect(wire.worn).toBeGreaterThan(bulkBytes / connectionBytes)
      })
    })

    test("an upload of 20 MB arrives unchanged", async ({ expect }) => {
      await withWorld(transport, async ({ url, wire }) => {
        const headers = { "content-length": bulkBytes }
        const client = request(`${url}/`, { method: "PUT", headers, agent: false })
        const [[response]] = await Promise.all([
          once(client, "response") as Promise<[IncomingMessage]>,
          writeBulk(client, bulkBytes),
        ])
        expect(JSON.parse((await bodyOf(response)).toString())).toEqual({ bytes: bulkBytes })
        expect(wire.worn).toBeGreaterThan(bulkBytes / connectionBytes)
      })
    })
  },
)
