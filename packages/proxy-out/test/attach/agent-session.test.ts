// One attached agent: its room, its carriers, and what its exchanges are told when it is gone.
import { headFlags, openKind, wireLimits } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { AgentSession } from "../../src/attach/agent-session.ts"
import { AgentPeer, FakeCarrier } from "../support/agent-peer.ts"
import type { FakeCarrierOptions } from "../support/agent-peer.ts"
import { FakeExchange } from "../support/leasables.ts"
import { turns } from "../../../../test/support/turns.ts"

class Attached {
  readonly peer = new AgentPeer()
  readonly events: string[] = []
  readonly edge: AgentSession

  constructor(concurrency = 4) {
    this.edge = new AgentSession({
      id: "session-id",
      tunnel: "default",
      credentialId: "default",
      instance: "place",
      concurrency,
      timeoutMs: 60_000,
      port: {
        onRoom: () => this.events.push("room"),
        onAttached: (_session, attached) => this.events.push(attached ? "attached" : "detached"),
      },
    })
  }

  carrier(options?: FakeCarrierOptions): FakeCarrier {
    return new FakeCarrier(this.edge, this.peer, options)
  }

  /** An exchange that the agent has been given. */
  opened(...args: ConstructorParameters<typeof FakeExchange>): FakeExchange {
    const exchange = new FakeExchange(...args)
    this.edge.open(exchange)
    this.edge.flush()
    return exchange
  }
}

describe("what many connections say in one turn", () => {
  test("leaves on a websocket while the turn still makes more, so that the agent works meanwhile", () => {
    const { carrier } = busyTurn("websocket")
    expect(carrier.sent).toBe(2)
  })

  test("waits for the end of the turn where only a poll is there, which is answered once", async () => {
    const { attached, carrier } = busyTurn("poll")
    const before = carrier.sent
    await turns(1)
    expect([before, carrier.sent]).toEqual([0, 1])
    expect(attached.peer.heard.filter((frame) => frame === "data 1 64")).toHaveLength(20)
  })

  function busyTurn(kind: "websocket" | "poll"): { attached: Attached; carrier: FakeCarrier } {
    const attached = new Attached()
    const first = attached.carrier()
    const { stream } = attached.opened("a", { bodyFollows: true })
    attached.edge.detach(first, true)
    const carrier = attached.carrier({ kind })
    for (let count = 1; count <= 20; count++) stream?.data(Buffer.alloc(64))
    return { attached, carrier }
  }
})

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

describe("frames", () => {
  test("of one stream reach its exchange, in order", () => {
    const attached = new Attached()
    attached.carrier()
    const exchange = attached.opened("a")
    const { session } = attached.peer
    session.taken(1)
    session.head(1, headFlags.informational, "HTTP/1.1 103 Early Hints\r\n\r\n")
    session.head(1, headFlags.body, "HTTP/1.1 200 OK\r\n\r\n")
    session.data(1, Buffer.from("abc"))
    session.end(1, "X: 1\r\n")
    attached.peer.speak(attached.edge)
    expect(exchange.heard).toEqual([
      "leased",
      "taken",
      "head 4 HTTP/1.1 103 Early Hints",
      "head 2 HTTP/1.1 200 OK",
      "data 3",
      `end ${JSON.stringify("X: 1\r\n")}`,
    ])
  })

  test("of a stream that is over are ignored", () => {
    const attached = new Attached()
    attached.carrier()
    const exchange = attached.opened("a")
    exchange.stream?.reset("cancelled")
    attached.peer.session.head(1, headFlags.final, "HTTP/1.1 200 OK\r\n\r\n")
    attached.peer.speak(attached.edge)
    expect(exchange.heard).toEqual(["leased"])
  })

  test("that only an edge may send break the session", () => {
    const attached = new Attached()
    attached.peer.session.open(1, {
      kind: 1,
      exchangeId: "x",
      attempt: 1,
      scheme: "http",
      head: "",
      bodyFollows: false,
    })
    expect(() => attached.peer.speak(attached.edge)).toThrow(
      expect.objectContaining({ code: "frame_unexpected" }),
    )
  })

  test("tell the agent what HTTP does not say", () => {
    const attached = new Attached()
    attached.carrier()
    attached.opened("a", {
      attempt: 3,
      body: Buffer.from("inline"),
      record: { clientAddress: "2001:db8::1", scheme: "https", traceparent: "00-1-2-01" },
    })
    const [open] = attached.peer.opens
    const { exchangeId, attempt, clientAddress, scheme, traceparent, deadlineMs, body } = open!.frame
    expect({
      exchangeId,
      attempt,
      clientAddress,
      scheme,
      traceparent,
      deadlineMs,
      body: body?.toString(),
    }).toEqual({
      exchangeId: "a",
      attempt: 3,
      clientAddress: "2001:db8::1",
      scheme: "https",
      traceparent: "00-1-2-01",
      deadlineMs: 60_000,
      body: "inline",
    })
  })

  test("of one turn of the event loop leave as one message", async () => {
    const attached = new Attached()
    const carrier = attached.carrier()
    for (const id of ["a", "b", "c"]) attached.edge.open(new FakeExchange(id))
    await turns(2)
    expect([carrier.sent, attached.peer.heard]).toEqual([1, ["open 1", "open 2", "open 3"]])
  })
})

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

describe("a session that holds too much", () => {
  test("says so to its exchanges, and when it has room again", () => {
    const attached = new Attached()
    attached.carrier()
    const exchange = attached.opened("a", { bodyFollows: true })
    const chunk = Buffer.alloc(1024 * 1024)
    let sentBytes = 0
    while (exchange.stream?.congested === false && sentBytes < 100_000_000) {
      exchange.stream.data(chunk)
      sentBytes += chunk.length
    }
    attached.edge.flush()
    attached.peer.acknowledge(attached.edge)
    expect([
      sentBytes <= wireLimits.maxUnacknowledgedBytes + 2 * chunk.length,
      exchange.heard.at(-1),
    ]).toEqual([true, "writable"])
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
