// How many exchanges more an attached agent may be given, and when it has room again.
import { headFlags, openKind } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { Attached } from "../support/attached.ts"

describe("room", () => {
  test("is none while nothing carries the session", () => {
    const { edge } = new Attached(4)
    expect(edge.room).toBe(0)
  })

  test("is what the agent said, less what it has", () => {
    const attached = new Attached(4)
    attached.carrier()
    attached.opened("a")
    expect(attached.edge.room).toBe(3)
  })

  test("comes back with the answer's end, and whoever waits is told", () => {
    const attached = new Attached(4)
    attached.carrier()
    attached.opened("a")
    attached.peer.session.head(1, headFlags.final, "HTTP/1.1 200 OK\r\n\r\n")
    attached.events.length = 0
    attached.peer.speak(attached.edge)
    expect([attached.edge.room, attached.events]).toEqual([4, ["room"]])
  })

  test("comes back only when both sides have ended", () => {
    const attached = new Attached(4)
    attached.carrier()
    const exchange = attached.opened("a", { bodyFollows: true })
    attached.peer.session.head(1, headFlags.body, "HTTP/1.1 200 OK\r\n\r\n")
    exchange.stream?.end("")
    attached.edge.flush()
    attached.peer.speak(attached.edge)
    const before = attached.edge.room
    attached.peer.session.end(1)
    attached.peer.speak(attached.edge)
    expect([before, attached.edge.room]).toEqual([3, 4])
  })

  test("comes back with a 101, because what has switched protocols may live for days", () => {
    const attached = new Attached(1)
    attached.carrier()
    const exchange = attached.opened("a", { kind: openKind.upgrade, bodyFollows: true })
    const before = attached.edge.room
    attached.peer.session.head(1, headFlags.body, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
    attached.events.length = 0
    attached.peer.speak(attached.edge)
    const switched = [attached.edge.room, attached.edge.active, [...attached.events]]
    exchange.stream?.end("")
    attached.edge.flush()
    attached.peer.session.end(1)
    attached.peer.speak(attached.edge)
    expect([before, switched]).toEqual([0, [1, 1, ["room"]]])
    expect([attached.edge.room, attached.edge.active]).toEqual([1, 0])
  })

  test("comes back when our side ends after the agent's", () => {
    const attached = new Attached(1)
    attached.carrier()
    const exchange = attached.opened("a", { kind: openKind.upgrade, bodyFollows: true })
    attached.peer.session.head(1, headFlags.final, "HTTP/1.1 426 Upgrade Required\r\n\r\n")
    attached.peer.speak(attached.edge)
    const before = attached.edge.room
    exchange.stream?.end("")
    expect([before, attached.edge.room]).toEqual([0, 1])
  })

  test("comes back with a reset of either side", () => {
    const attached = new Attached(4)
    attached.carrier()
    attached.opened("a").stream?.reset("cancelled")
    attached.opened("b")
    attached.peer.session.reset(2, "upstream_refused")
    attached.peer.speak(attached.edge)
    expect(attached.edge.room).toBe(4)
  })

  test("is none for an agent that drains", () => {
    const attached = new Attached(4)
    attached.carrier()
    attached.peer.session.drain()
    attached.peer.speak(attached.edge)
    expect(attached.edge.room).toBe(0)
  })
})
