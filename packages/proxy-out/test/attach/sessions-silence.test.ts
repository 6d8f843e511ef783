// Agents that fall silent: how long an edge waits for them, and how it gets what was lost on the way.
import { describe, expect, test, vi } from "vitest"
import { Desk } from "../support/desk.ts"

describe("a session without any carrier", () => {
  test("is kept for 30 s", () => {
    using desk = new Desk()
    const agent = desk.attach()
    agent.carrier().lost()
    vi.advanceTimersByTime(29_999)
    expect(desk.knows(agent)).toBe(true)
  })

  test("is over after 30 s, and its exchanges are told that nobody knows what became of them", () => {
    using desk = new Desk()
    const agent = desk.attach()
    const carrier = agent.carrier()
    const exchange = desk.offers("a")
    vi.advanceTimersByTime(0)
    carrier.lost()
    vi.advanceTimersByTime(30_000)
    expect([desk.knows(agent), exchange.heard]).toEqual([false, ["leased", "lost maybe"]])
  })

  test("that is carried again in time goes on", () => {
    using desk = new Desk()
    const agent = desk.attach()
    agent.carrier().lost()
    vi.advanceTimersByTime(29_000)
    agent.carrier()
    agent.peer.session.ping(Buffer.alloc(8))
    vi.advanceTimersByTime(20_000)
    expect(desk.knows(agent)).toBe(true)
  })

  test("that never got one is over after the same time", () => {
    using desk = new Desk()
    const agent = desk.attach()
    vi.advanceTimersByTime(30_000)
    expect(desk.knows(agent)).toBe(false)
  })
})

describe("a silent agent", () => {
  test("has its carriers closed after 35 s", () => {
    using desk = new Desk()
    const carrier = desk.attach().carrier()
    vi.advanceTimersByTime(36_000)
    expect(carrier.closed).toBe(true)
  })

  test("that says something now and then keeps them", () => {
    using desk = new Desk()
    const agent = desk.attach()
    const carrier = agent.carrier()
    for (let tenSeconds = 0; tenSeconds < 12; tenSeconds++) {
      vi.advanceTimersByTime(10_000)
      agent.peer.acknowledge(agent.edge)
    }
    expect(carrier.closed).toBe(false)
  })

  test("may come again within 30 s more", () => {
    using desk = new Desk()
    const agent = desk.attach()
    agent.carrier()
    vi.advanceTimersByTime(36_000 + 25_000)
    expect(desk.knows(agent)).toBe(true)
  })
})

describe("what got lost although no carrier did", () => {
  test("is asked for when a gap lasts", () => {
    using desk = new Desk()
    const agent = desk.attach()
    agent.carrier()
    const { session } = agent.peer
    session.window(1, 1)
    session.nextMessage(1) // lost
    session.window(1, 1)
    agent.peer.speak(agent.edge)
    vi.advanceTimersByTime(2000)
    agent.peer.speak(agent.edge)
    expect(agent.edge.session.missing).toBe(false)
  })

  test("is sent again when the agent acknowledges nothing for 15 s", () => {
    using desk = new Desk()
    const agent = desk.attach()
    const carrier = agent.carrier({ delivers: false })
    desk.offers("a")
    vi.advanceTimersByTime(0)
    carrier.delivers = true
    vi.advanceTimersByTime(16_000)
    expect(agent.peer.heard).toEqual(["open 1"])
  })
})
