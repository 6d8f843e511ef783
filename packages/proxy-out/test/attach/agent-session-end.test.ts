// What an agent's exchanges are told when it is gone or out of reach: whether it may have begun them.
import { describe, expect, test } from "vitest"
import { Attached } from "../support/attached.ts"

describe("an agent that is gone", () => {
  test("certainly began nothing of what never left", () => {
    const attached = new Attached()
    const carrier = attached.carrier()
    carrier.ready = false
    const exchange = attached.opened("a")
    attached.edge.end("lost")
    expect(exchange.heard.at(-1)).toBe("lost no")
  })

  test("may have begun what left, when nobody knows how it ended", () => {
    const attached = new Attached()
    attached.carrier()
    const exchange = attached.opened("a")
    attached.edge.end("lost")
    expect(exchange.heard.at(-1)).toBe("lost maybe")
  })

  test("and said goodbye began only what it announced", () => {
    const attached = new Attached()
    attached.carrier()
    const exchange = attached.opened("a")
    attached.edge.end("farewell")
    expect(exchange.heard.at(-1)).toBe("lost untaken")
  })

  test("and was replaced began only what it announced, when its websocket brought everything up to its end", () => {
    const attached = new Attached()
    const websocket = attached.carrier({ kind: "websocket" })
    const exchange = attached.opened("a")
    websocket.ended()
    attached.edge.end("replaced")
    expect(exchange.heard.at(-1)).toBe("lost untaken")
  })

  test("and was replaced may have begun more than it announced, when it spoke by another way after its websocket", () => {
    const attached = new Attached()
    const websocket = attached.carrier({ kind: "websocket" })
    const exchange = attached.opened("a")
    websocket.ended()
    attached.carrier({ kind: "streamed" }).lost()
    attached.peer.acknowledge(attached.edge)
    attached.edge.end("replaced")
    expect(exchange.heard.at(-1)).toBe("lost maybe")
  })

  test("and was replaced began only what it announced, whichever of its connections ended last", () => {
    const attached = new Attached()
    const websocket = attached.carrier({ kind: "websocket" })
    const streamed = attached.carrier({ kind: "streamed" })
    const exchange = attached.opened("a")
    websocket.ended()
    streamed.lost()
    attached.edge.end("replaced")
    expect(exchange.heard.at(-1)).toBe("lost untaken")
  })

  test("and was replaced may have begun more than it announced, when the path broke before", () => {
    const attached = new Attached()
    const websocket = attached.carrier({ kind: "websocket" })
    const exchange = attached.opened("a")
    websocket.lost()
    attached.edge.end("replaced")
    expect(exchange.heard.at(-1)).toBe("lost maybe")
  })

  test("and was replaced may have begun more than it announced, when a push may have been on its way", () => {
    const attached = new Attached()
    attached.carrier({ kind: "poll" })
    const exchange = attached.opened("a")
    attached.edge.end("replaced")
    expect(exchange.heard.at(-1)).toBe("lost maybe")
  })

  test("may have begun what left with one message although another still waits", () => {
    const attached = new Attached()
    attached.carrier({ kind: "poll", delivers: false })
    const first = attached.opened("a")
    const second = attached.opened("b")
    attached.edge.end("lost")
    expect([first.heard.at(-1), second.heard.at(-1)]).toEqual(["lost maybe", "lost no"])
  })

  test("tells every exchange once", () => {
    const attached = new Attached()
    attached.carrier()
    const exchange = attached.opened("a")
    attached.edge.end("lost")
    attached.edge.end("farewell")
    expect(exchange.heard).toEqual(["leased", "lost maybe"])
  })

  test("has its carriers closed", () => {
    const attached = new Attached()
    const carrier = attached.carrier()
    attached.edge.end("lost")
    expect([carrier.closed, attached.edge.attached]).toEqual([true, false])
  })
})

describe("an agent that is out of reach", () => {
  test("gives back what is safe to repeat, and only that", () => {
    const attached = new Attached()
    attached.carrier()
    const [repeatable, unsafe] = [attached.opened("a"), attached.opened("b")]
    repeatable.repeatable = true
    attached.edge.releaseRepeatable()
    expect([repeatable.heard.at(-1), unsafe.heard.at(-1)]).toEqual(["lost maybe", "leased"])
  })

  test("is told to stop what was given back, should it come again", () => {
    const attached = new Attached()
    const carrier = attached.carrier()
    attached.opened("a").repeatable = true
    carrier.lost()
    attached.edge.releaseRepeatable()
    attached.carrier()
    expect(attached.peer.heard).toEqual(["open 1", "reset 1 cancelled"])
  })
})
