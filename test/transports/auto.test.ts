// The contract over auto, and how it chooses and changes its carriers.
import { describe, expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { httpUpstream } from "../support/upstream.ts"
import { transportContract } from "./transport-contract.ts"
import { eventually, World } from "./world.ts"

transportContract("auto", { transport: "auto", path: "plain" })

describe("auto", () => {
  test("stays with polls where the path knows no upgrade, and serves", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("served"))
    await using world = await World.open({ transport: "auto", path: "buffering", upstream })
    const agent = await world.attached()
    const { text } = await fetchWhole(`${world.url}/`)
    expect([text, agent.status().carriedOn]).toEqual(["served", "poll"])
  })

  test("goes back to polls when its websocket breaks, and serves", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("served"))
    await using world = await World.open({ transport: "auto", path: "plain", upstream })
    const agent = await world.attached()
    world.relay.breaksUpgrades = true
    world.relay.cut()
    const { text } = await fetchWhole(`${world.url}/`)
    await eventually("polls to carry", () => agent.status().carriedOn === "poll")
    expect(text).toBe("served")
  })

  test("moves to a websocket again when there is one again", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("served"))
    await using world = await World.open({ transport: "auto", path: "plain", upstream })
    const agent = await world.attached()
    world.relay.breaksUpgrades = true
    world.relay.cut()
    await eventually("polls to carry", () => agent.status().carriedOn === "poll")
    world.relay.breaksUpgrades = false
    await eventually("a websocket to carry", () => agent.status().carriedOn === "websocket")
    expect((await fetchWhole(`${world.url}/`)).text).toBe("served")
  })

  test("loses nothing and doubles nothing while it moves from polls to a websocket", async () => {
    await using upstream = await httpUpstream((request, response) => response.end(request.url))
    await using world = await World.open({ transport: "auto", path: "plain", upstream })
    const targets = Array.from({ length: 200 }, (_, index) => `/${index}`)
    const answers = Promise.all(targets.map((target) => fetchWhole(world.url + target, { method: "POST" })))
    await world.attached()
    expect((await answers).map(({ text }) => text)).toEqual(targets)
    expect(upstream.seen).toHaveLength(targets.length)
  })
})
