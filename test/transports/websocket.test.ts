// The contract over websocket, and what a websocket alone promises.
import { describe, expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { httpUpstream } from "../support/upstream.ts"
import { transportContract } from "./transport-contract.ts"
import { eventually, World } from "./world.ts"

transportContract("websocket", { transport: "websocket", path: "plain" })

describe("websocket alone", () => {
  test("is not attached where the path knows no upgrade, and says so", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end())
    await using world = await World.open({ transport: "websocket", path: "buffering", upstream })
    const agent = await world.agent()
    await eventually("it to say so", () => agent.status().lastErrors.length > 0)
    expect([agent.status().carriedOn, agent.status().lastErrors[0]?.message]).toEqual([
      undefined,
      expect.stringContaining("websocket: status 501"),
    ])
  })

  test("knows what a dead process had not begun: even an unsafe request is given to the next one", async () => {
    await using upstream = await httpUpstream(() => {})
    await using world = await World.open({ transport: "websocket", path: "plain", upstream })
    const doomed = await world.process("the-same-place", { answers: false })
    const answer = fetchWhole(`${world.url}/`, { method: "POST", body: "x" })
    await eventually("the first to have it", () => doomed.opened.length === 1)
    await doomed.die()
    await eventually("the edge to see it die", async () => (await world.sessions()) === 0)
    await world.process("the-same-place", { answers: true })
    expect((await answer).headers["x-attempt"]).toBe("2")
  })

  test("does not know it of a process that died behind a broken path: the unsafe request is not run twice", async () => {
    await using upstream = await httpUpstream(() => {})
    await using world = await World.open({ transport: "websocket", path: "plain", upstream })
    const doomed = await world.process("the-same-place", { answers: false })
    const answer = fetchWhole(`${world.url}/`, { method: "POST", body: "x" })
    await eventually("the first to have it", () => doomed.opened.length === 1)
    world.relay.refuse(true)
    world.relay.cut()
    await doomed.die()
    await eventually("the edge to see it", async () => (await world.sessions()) === 0)
    world.relay.refuse(false)
    const next = await world.process("the-same-place", { answers: true })
    expect([(await answer).headers["restante-error"], next.opened]).toEqual(["agent_lost", []])
  })
})
