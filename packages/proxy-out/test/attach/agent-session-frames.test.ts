// What an attached agent and its exchanges say to each other: frame by frame, in batches, and no more than fits.
import { headFlags, wireLimits } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { turns } from "../../../../test/support/turns.ts"
import type { FakeCarrier } from "../support/agent-peer.ts"
import { Attached } from "../support/attached.ts"
import { FakeExchange } from "../support/leasables.ts"

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
