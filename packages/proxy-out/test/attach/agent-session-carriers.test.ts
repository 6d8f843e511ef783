// What carries messages to an attached agent: which of several, what becomes of what one took with it, and acknowledgements.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Attached } from "../support/attached.ts"

describe("carriers", () => {
  test("that go on are preferred to a poll that waits", () => {
    const attached = new Attached()
    const poll = attached.carrier({ kind: "poll" })
    const streamed = attached.carrier({ kind: "streamed" })
    attached.opened("a")
    expect([poll.sent, streamed.sent]).toEqual([0, 1])
  })

  test("that are not ready are passed over", () => {
    const attached = new Attached()
    const websocket = attached.carrier({ kind: "websocket" })
    const poll = attached.carrier({ kind: "poll" })
    websocket.ready = false
    attached.opened("a")
    expect([websocket.sent, poll.sent]).toEqual([0, 1])
  })

  test("that are lost have what they took sent again on the next", () => {
    const attached = new Attached()
    const first = attached.carrier({ delivers: false })
    attached.opened("a")
    first.lost()
    attached.carrier()
    expect(attached.peer.heard).toEqual(["open 1"])
  })

  test("what arrived before the loss is not done twice", () => {
    const attached = new Attached()
    const first = attached.carrier()
    attached.opened("a")
    first.lost()
    attached.carrier()
    expect(attached.peer.heard).toEqual(["open 1"])
  })

  test("a poll's answer that got lost is sent again when the agent asks", () => {
    const attached = new Attached()
    attached.carrier({ kind: "poll", delivers: false })
    attached.opened("a")
    attached.carrier({ kind: "poll" })
    attached.peer.acknowledge(attached.edge, { resend: true })
    attached.edge.flush()
    expect(attached.peer.heard).toEqual(["open 1"])
  })

  test("come and go: the first and the last are reported", () => {
    const attached = new Attached()
    const [one, two] = [attached.carrier(), attached.carrier()]
    one.lost()
    two.lost()
    expect(attached.events).toEqual(["attached", "detached"])
  })

  test("a streamed poll takes the place of the one before", () => {
    const attached = new Attached()
    const one = attached.carrier({ kind: "streamed" })
    const two = attached.carrier({ kind: "streamed" })
    const poll = attached.carrier({ kind: "poll" })
    attached.edge.replaceStreamed(two)
    expect([one.closed, two.closed, poll.closed]).toEqual([true, false, false])
  })
})

describe("an acknowledgement", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test("goes out by itself when nothing else does", () => {
    const attached = new Attached()
    const carrier = attached.carrier()
    attached.opened("a")
    attached.peer.session.taken(1)
    attached.peer.speak(attached.edge)
    const sentBefore = carrier.sent
    vi.advanceTimersByTime(20)
    expect([carrier.sent - sentBefore, attached.peer.session.unacknowledgedBytes]).toEqual([1, 0])
  })

  test("does not use up a poll", () => {
    const attached = new Attached()
    attached.carrier()
    attached.opened("a")
    attached.peer.acknowledge(attached.edge)
    attached.edge.closeCarriers()
    const poll = attached.carrier({ kind: "poll" })
    attached.peer.session.taken(1)
    attached.peer.speak(attached.edge)
    vi.advanceTimersByTime(20)
    expect(poll.sent).toBe(0)
  })
})
