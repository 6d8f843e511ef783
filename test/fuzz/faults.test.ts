// Scenes while every connection between agent and edge is cut again and again: what is on its way survives it, to the last byte.
import { expect, test } from "vitest"
import type { Transport } from "../support/pair.ts"
import { attached, nearAgent, startNearEdge } from "../support/near-pair.ts"
import { Relay } from "../transports/relays.ts"
import { fuzz } from "./fuzz.ts"
import { FuzzUpstream } from "./upstream.ts"

const wanted = 3000
/** Above the size of the largest message (1 MiB): what does not fit between two cuts never arrives. */
const cutEveryBytes = 1_500_000

test.each<Transport>(["websocket", "poll"])(
  `three thousand exchanges over %s whose connections are cut every ${cutEveryBytes} bytes`,
  { timeout: 300_000 },
  async (transport) => {
    await using stack = new AsyncDisposableStack()
    const upstream = stack.use(new FuzzUpstream())
    const upstreamPort = await upstream.start()
    const { edge, port } = await startNearEdge()
    stack.use(edge)
    const relay = stack.use(await new Relay(() => port).start())
    const agent = stack.use(nearAgent(port, upstreamPort, { transport, external: new URL(relay.url) }))
    await agent.start()
    await attached(agent)
    relay.cutEvery(cutEveryBytes)
    const exchanges = await fuzz({
      stage: { port, upstream },
      seed: 5,
      lanes: 4,
      scenesPerBlock: 10,
      enough: (played) => played >= wanted,
    })
    expect(exchanges).toBeGreaterThanOrEqual(wanted)
    expect(relay.cuts).toBeGreaterThan(20)
  },
)
