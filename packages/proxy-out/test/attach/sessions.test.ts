// All sessions of an edge: what a tunnel gets from them, how many there may be, and what is left of them.
import { describe, expect, test, vi } from "vitest"
import type { AgentSession } from "../../src/attach/agent-session.ts"
import { Desk } from "../support/desk.ts"

describe("a tunnel", () => {
  test("that nobody serves any more leaves nothing in the queue", () => {
    using desk = new Desk()
    const agent = desk.attach()
    desk.sessions.end(agent.edge, "detached")
    expect([desk.sessions.size, desk.broker.depth("default")]).toEqual([0, 0])
  })

  test("gets what waits as soon as an agent can be reached", () => {
    using desk = new Desk()
    const exchange = desk.offers("a")
    const agent = desk.attach()
    const before = [...exchange.heard]
    agent.carrier()
    expect([before, exchange.heard]).toEqual([[], ["leased"]])
  })
})

describe("a session that only looks whether the way works", () => {
  test("is given nothing, also when nobody else is there", () => {
    using desk = new Desk()
    desk.attach("doctor", 0).carrier()
    const offered = desk.offers("a")
    expect(offered.waiting).toBe(true)
  })

  test("is no agent of its tunnel", () => {
    using desk = new Desk()
    desk.attach("doctor", 0).carrier()
    expect([desk.sessions.serves("default"), [...desk.sessions.all]]).toEqual([false, []])
  })

  test("replaces no session, even one that says the same place and has no carrier", () => {
    using desk = new Desk()
    const agent = desk.attach("here")
    desk.attach("here", 0)
    expect(desk.knows(agent)).toBe(true)
  })

  test("ends by itself when nothing is heard of it", () => {
    using desk = new Desk()
    const looking = desk.attach("doctor", 0)
    vi.advanceTimersByTime(31_000)
    expect(desk.knows(looking)).toBe(false)
  })
})

describe("the most sessions", () => {
  const named = { id: "named" }
  const own = { id: "default", isOwn: true }

  function attachMany(desk: Desk, count: number, credentialId: string): AgentSession[] {
    return Array.from({ length: count }, () =>
      desk.sessions.create({
        id: `${desk.sessions.size}`,
        tunnel: `t${desk.sessions.size}`,
        credentialId,
        instance: "here",
        concurrency: 1,
        software: "test",
      }),
    )
  }

  test("of a named token are 2,000, and others still get in", () => {
    using desk = new Desk()
    attachMany(desk, 1999, "named")
    const before = desk.sessions.full(named)
    attachMany(desk, 1, "named")
    expect([before, desk.sessions.full(named), desk.sessions.full({ id: "other" })]).toEqual([
      undefined,
      { of: "token", most: 2000 },
      undefined,
    ])
  })

  test("of the operator's own token and of all together are 10,000", () => {
    using desk = new Desk()
    attachMany(desk, 9999, "default")
    const before = desk.sessions.full(own)
    attachMany(desk, 1, "other")
    expect([before, desk.sessions.full(own), desk.sessions.full(named)?.of]).toEqual([
      undefined,
      { of: "edge", most: 10_000 },
      "edge",
    ])
  })

  test("are fewer again when one has ended", () => {
    using desk = new Desk()
    const [first] = attachMany(desk, 2000, "named")
    desk.sessions.end(first!, "detached")
    expect(desk.sessions.full(named)).toBeUndefined()
  })

  test("include those that only look whether the way works", () => {
    using desk = new Desk()
    attachMany(desk, 1999, "named")
    desk.attach("looks", 0, "named")
    expect(desk.sessions.full(named)).toEqual({ of: "token", most: 2000 })
  })
})

test("the log never holds a whole session id, which is what lets an agent in", () => {
  using desk = new Desk()
  const agent = desk.attach()
  desk.sessions.end(agent.edge, "detached")
  expect(desk.log.lines.length).toBeGreaterThan(1)
  expect(desk.log.text()).not.toContain(agent.edge.id)
})

test("when all sessions stop no timer is left", () => {
  const desk = new Desk()
  desk.attach().carrier().lost()
  desk.sessions.stop()
  expect(vi.getTimerCount()).toBe(0)
})
