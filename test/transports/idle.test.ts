// A switched connection on which nobody says anything for hours: none of the deadlines on its way ends it. Time is fake, so that
// every timer of edge and agent runs out as often as it would.
import { afterEach, expect, test, vi } from "vitest"
import { echo, WebSocketClient, webSocketUpstream } from "../support/websocket.ts"
import { eventually, World } from "./world.ts"
import type { WorldOptions } from "./world.ts"

const hours = 3
/** Shorter than what an end waits for a sign of life: PING and PONG cross in between. */
const stepMs = 4000

afterEach(() => {
  vi.useRealTimers()
})

const ways: readonly (readonly [string, Pick<WorldOptions, "transport" | "path">])[] = [
  ["a websocket", { transport: "websocket", path: "plain" }],
  ["polls that stream", { transport: "poll", path: "plain" }],
  ["polls on a path that holds bodies back", { transport: "poll", path: "buffering" }],
  ["what works best", { transport: "auto", path: "plain" }],
]

test.each(ways)("is still there after hours, over %s", { timeout: 120_000 }, async (_name, options) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
  await using upstream = await webSocketUpstream(echo)
  await using world = await World.open({ ...options, upstream })
  const agent = await world.attached()
  using client = new WebSocketClient(world.url)
  await eventually("the WebSocket to open", () => client.socket.readyState === client.socket.OPEN)
  const endsAt = Date.now() + hours * 3_600_000
  const links = new Set<string>()
  while (Date.now() < endsAt && client.closing === undefined) {
    vi.advanceTimersByTime(stepMs)
    links.add(agent.status().link.kind)
    for (let turn = 0; turn < 20; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- what was sent arrives by turns of the event loop
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  vi.useRealTimers() // for the farewells
  client.socket.send("anybody there?")
  await eventually("an answer or an end", () => client.messages.length > 0 || client.closing !== undefined)
  expect([client.messages, client.closing, upstream.sockets.size]).toEqual([["anybody there?"], undefined, 1])
  expect([...links]).toEqual(["connected"])
})
