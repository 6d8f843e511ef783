// How an agent attaches, by hand: who gets in, and what is refused and how.
import { describe, expect, test } from "vitest"
import { edgeToken, RunningEdge } from "../support/running-edge.ts"

describe("attach", () => {
  test.each([
    ["no token", ""],
    ["another token", "Bearer another-token"],
    ["the token with something behind it", `Bearer ${edgeToken}x`],
    ["a part of the token", `Bearer ${edgeToken.slice(0, -1)}`],
    ["an empty token", "Bearer "],
    ["the token in another scheme", `Basic ${edgeToken}`],
    ["two words", `Bearer ${edgeToken} ${edgeToken}`],
  ])("with %s gets 401 and a challenge", async (_what, authorization) => {
    await using edge = await new RunningEdge().start()
    const reply = await edge.attach({}, authorization)
    expect([reply.status, reply.json, reply.headers.get("www-authenticate")]).toEqual([
      401,
      expect.objectContaining({ code: "token_refused" }),
      expect.stringMatching(/^Bearer /),
    ])
  })

  test("with the token gets a session that nobody can guess, and the times that both keep", async () => {
    await using edge = await new RunningEdge().start()
    const reply = await edge.attach()
    expect([reply.status, reply.json]).toEqual([
      200,
      {
        session: expect.stringMatching(/^[\w-]{24}$/),
        protocol: 1,
        resumeSeconds: 30,
        pollSeconds: 25,
        pieces: true,
        ports: [],
        software: expect.stringMatching(/^proxy-out\//),
      },
    ])
  })

  test("in another version of the protocol is told which ones there are", async () => {
    await using edge = await new RunningEdge().start()
    const reply = await edge.attach({ protocol: 2, unknown: "field" })
    expect([reply.status, reply.json]).toEqual([
      400,
      expect.objectContaining({ code: "version_unsupported", supported: [1] }),
    ])
  })

  test("may say more than this version knows", async () => {
    await using edge = await new RunningEdge().start()
    expect((await edge.attach({ later: true })).status).toBe(200)
  })

  test.each([
    ["tunnel", { tunnel: "" }],
    ["tunnel", { tunnel: "-x" }],
    ["tunnel", { tunnel: "Upper" }],
    ["tunnel", { tunnel: "a.b" }],
    ["tunnel", { tunnel: "a".repeat(64) }],
    ["instance", { instance: "a b" }],
    ["concurrency", { concurrency: -1 }],
    ["concurrency", { concurrency: 70_000 }],
    ["concurrency", { concurrency: 1.5 }],
    ["software", { software: "line\nbreak" }],
  ])("with a %s that cannot be one is told which part is wrong: %j", async (detail, fields) => {
    await using edge = await new RunningEdge().start()
    const reply = await edge.attach(fields)
    expect([reply.status, reply.json]).toEqual([
      400,
      expect.objectContaining({ code: "malformed_request", detail }),
    ])
  })

  test.each([
    ["not JSON", "{"],
    ["not an object", "[1]"],
    ["too long", `"${"x".repeat(20_000)}"`],
  ])("with a body that is %s is refused", async (_what, body) => {
    await using edge = await new RunningEdge().start()
    const reply = await edge.ask("POST", "attach", {
      headers: { authorization: `Bearer ${edgeToken}` },
      body,
    })
    expect([reply.status, reply.json]).toEqual([400, expect.objectContaining({ code: "malformed_request" })])
  })

  test("leaves neither the right token nor a wrong one in the log", async () => {
    await using edge = await new RunningEdge().start()
    await edge.attach()
    await edge.attach({}, "Bearer a-wrong-one")
    expect(edge.log.text()).toContain("wrong or missing token")
    expect(edge.log.text()).not.toMatch(/a-token-that|a-wrong-one/)
  })
})
