// WebSockets whose agent is attached to another edge than the client's: what either way to Redis and to the agent does to them.
import { describe, expect, test } from "vitest"
import { startAgent, startEdge, transports } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { Wire } from "../support/relay.ts"
import { passTime } from "../support/until.ts"
import { echo, WebSocketClient, webSocketUpstream } from "../support/websocket.ts"

const clients = 5

interface Busy {
  /** No more is sent. Resolves with what was, and what each client has got back by then, when that is as many or more. */
  end(): Promise<{ readonly sent: readonly string[]; readonly received: readonly (readonly string[])[] }>
}

/** Clients at this edge that send every few milliseconds. */
async function busyEchoes(url: string): Promise<Busy> {
  const all = await Promise.all(Array.from({ length: clients }, () => WebSocketClient.to(url)))
  let count = 0
  const timer = setInterval(() => {
    for (const { socket } of all) socket.send(`${count} ${"x".repeat((count * 37) % 5000)}`)
    count++
  }, 5)
  return {
    end: async () => {
      clearInterval(timer)
      await Promise.all(all.map((client) => client.receives(count, 60_000)))
      for (const { socket } of all) socket.terminate()
      const numberOf = (message: string | Buffer): string => String(message).split(" ", 1)[0] ?? ""
      return {
        sent: Array.from({ length: count }, (_, number) => String(number)),
        received: all.map(({ messages }) => messages.map(numberOf)),
      }
    },
  }
}

async function cutRepeatedly(wire: Wire): Promise<void> {
  for (let cut = 0; cut < 4; cut++) {
    await passTime(600)
    wire.cut()
    await passTime(1200)
    wire.mend()
  }
  await passTime(600)
}

describe.each(transports)("over %s", { concurrent: true, timeout: 120_000 }, (transport) => {
  test("an agent's way that is cut again and again loses no message and doubles none", async () => {
    await using redis = await startRedis()
    await using upstream = await webSocketUpstream(echo)
    await using here = await startEdge({ args: ["--redis", redis.url] })
    await using there = await startEdge({ args: ["--redis", redis.url] })
    await using wire = await Wire.to(there.port)
    await using agent = await startAgent({ server: upstream.url, external: wire.url, transport })
    await agent.attached()
    const busy = await busyEchoes(here.url)
    await cutRepeatedly(wire)
    const { sent, received } = await busy.end()
    expect(received).toEqual(received.map(() => sent))
  })
})

test.each(["the client's", "the agent's"])(
  "%s edge that is cut off from Redis again and again loses no message and doubles none",
  { timeout: 120_000 },
  async (whose) => {
    await using redis = await startRedis()
    await using upstream = await webSocketUpstream(echo)
    await using wire = await Wire.to(redis.port)
    const [direct, cut] = [redis.url, wire.url.replace("http", "redis")]
    const [hereUrl, thereUrl] = whose === "the client's" ? [cut, direct] : [direct, cut]
    await using here = await startEdge({ args: ["--redis", hereUrl] })
    await using there = await startEdge({ args: ["--redis", thereUrl] })
    await using agent = await startAgent({ server: upstream.url, external: there.url })
    await agent.attached()
    const busy = await busyEchoes(here.url)
    await cutRepeatedly(wire)
    const { sent, received } = await busy.end()
    expect(received).toEqual(received.map(() => sent))
  },
)
