// The agents' endpoints, by hand: what they say of sessions that are none, of wrong requests, and when the edge stops.
import { preamble } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { RunningEdge } from "../support/running-edge.ts"

describe("a session that the edge does not know", () => {
  test.each([
    ["POST", "poll"],
    ["POST", "push"],
    ["GET", "websocket"],
    ["DELETE", "session"],
  ])("%s %s: 410, attach anew", async (method, endpoint) => {
    await using edge = await new RunningEdge().start()
    const reply = await edge.ask(method, endpoint, {
      headers: { "restante-session": "made-up-session-id-123456" },
    })
    expect([reply.status, reply.json]).toEqual([410, expect.objectContaining({ code: "session_unknown" })])
  })

  test("is what is left of one that said goodbye", async () => {
    await using edge = await new RunningEdge().start()
    const session = await edge.session()
    const goodbye = await edge.ask("DELETE", "session", { headers: { "restante-session": session } })
    expect([goodbye.status, (await edge.carry("push", session)).status]).toEqual([200, 410])
  })

  test("is not asked for the rest of an endless push", async () => {
    await using edge = await new RunningEdge().start()
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(preamble) })
    const reply = await edge.ask("POST", "push", { body: endless, duplex: "half" })
    expect(reply.status).toBe(410)
  })
})

test.each([
  ["GET", "attach"],
  ["GET", "poll"],
  ["PUT", "push"],
  ["POST", "session"],
  ["POST", "websocket"],
])("%s %s is not how it is done: 405", async (method, endpoint) => {
  await using edge = await new RunningEdge().start()
  expect((await edge.ask(method, endpoint)).status).toBe(405)
})

test("the websocket's address speaks websocket only", async () => {
  await using edge = await new RunningEdge().start()
  const reply = await edge.ask("GET", "websocket", { headers: { "restante-session": await edge.session() } })
  expect([reply.status, reply.headers.get("upgrade")]).toEqual([426, "websocket"])
})

test("every answer says which version speaks", async () => {
  await using edge = await new RunningEdge().start()
  const session = await edge.session()
  const replies = await Promise.all([
    edge.attach(),
    edge.attach({}, ""),
    edge.carry("push", session),
    edge.carry("push", "unknown"),
    edge.ask("GET", "poll"),
    edge.ask("GET", "nothing"),
  ])
  expect(replies.map(({ headers }) => headers.get("restante-version"))).toEqual([
    "1",
    "1",
    "1",
    "1",
    "1",
    "1",
  ])
})

test("an edge that stops ends the polls that wait, empty", async () => {
  const edge = await new RunningEdge().start()
  const poll = edge.carry("poll", await edge.session())
  const attached = { tunnels: [{ tunnel: "default", sessions: 1, active: 0 }] }
  await expect.poll(async () => (await edge.ask("GET", "status")).json).toMatchObject(attached)
  await edge[Symbol.asyncDispose]()
  expect((await poll).status).toBe(204)
})
