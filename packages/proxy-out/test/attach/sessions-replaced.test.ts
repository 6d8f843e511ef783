// Agents in whose place another one serves: which sessions end, and what becomes of their exchanges.
import { describe, expect, test, vi } from "vitest"
import { Desk } from "../support/desk.ts"

describe("a process that starts where another one was", () => {
  test("ends that one's session at once when nothing carries it", () => {
    using desk = new Desk()
    const old = desk.attach("here")
    old.carrier().lost()
    desk.attach("here")
    expect(desk.knows(old)).toBe(false)
  })

  test("does not end one that is only between two polls", () => {
    using desk = new Desk()
    const old = desk.attach("here")
    old.carrier({ kind: "poll" })
    desk.offers("a")
    vi.advanceTimersByTime(0)
    desk.attach("here")
    expect(desk.knows(old)).toBe(true)
  })

  test("gets what that one had not begun", () => {
    using desk = new Desk()
    const old = desk.attach("here")
    const carrier = old.carrier()
    const exchange = desk.offers("a")
    vi.advanceTimersByTime(0)
    carrier.ended()
    desk.attach("here")
    expect(exchange.heard).toEqual(["leased", "lost untaken"])
  })

  test("leaves alone one that shows that it is alive", () => {
    using desk = new Desk()
    const old = desk.attach("here")
    old.carrier()
    desk.attach("here")
    vi.advanceTimersByTime(0)
    old.peer.speak(old.edge) // the answer to a PING
    vi.advanceTimersByTime(5000)
    expect(desk.knows(old)).toBe(true)
  })

  test("ends one that does not answer within 2 s, and nobody knows what that one began", () => {
    using desk = new Desk()
    const old = desk.attach("here")
    old.carrier()
    const exchange = desk.offers("a")
    vi.advanceTimersByTime(0)
    desk.attach("here")
    vi.advanceTimersByTime(2000)
    expect([desk.knows(old), exchange.heard.at(-1)]).toEqual([false, "lost maybe"])
  })

  test("leaves those of other places alone", () => {
    using desk = new Desk()
    const other = desk.attach("there")
    other.carrier().lost()
    desk.attach("here")
    vi.advanceTimersByTime(5000)
    expect(desk.knows(other)).toBe(true)
  })
})

describe("an agent that is out of reach while another one serves", () => {
  test("loses after 2 s what is safe to repeat", () => {
    using desk = new Desk()
    const carrier = desk.attach().carrier()
    const exchange = desk.offers("a", true)
    vi.advanceTimersByTime(0)
    desk.attach().carrier()
    carrier.lost()
    vi.advanceTimersByTime(2000)
    expect(exchange.heard.at(-1)).toBe("lost maybe")
  })

  test("keeps it when it is back before", () => {
    using desk = new Desk()
    const agent = desk.attach()
    const carrier = agent.carrier()
    const exchange = desk.offers("a", true)
    vi.advanceTimersByTime(0)
    desk.attach().carrier()
    carrier.lost()
    vi.advanceTimersByTime(1900)
    agent.carrier()
    vi.advanceTimersByTime(5000)
    expect(exchange.heard).toEqual(["leased"])
  })

  test("keeps everything when nobody else serves", () => {
    using desk = new Desk()
    const carrier = desk.attach().carrier()
    const exchange = desk.offers("a", true)
    vi.advanceTimersByTime(0)
    carrier.lost()
    vi.advanceTimersByTime(20_000)
    expect(exchange.heard).toEqual(["leased"])
  })
})
