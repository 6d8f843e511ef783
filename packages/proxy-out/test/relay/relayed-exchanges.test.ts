// An exchange whose client is at one edge and whose agent is at another: what both say reaches the other one, in order.
import { headFlags, openKind } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { TwoEdges } from "../support/two-edges.ts"

describe("a relayed exchange", () => {
  test("hears all that the agent says, in order", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    const { sink } = edges.agent
    sink?.onTaken()
    sink?.onHead(headFlags.informational, "HTTP/1.1 103 Early Hints\r\n\r\n", undefined)
    sink?.onHead(headFlags.body, "HTTP/1.1 200 OK\r\n\r\n", undefined)
    sink?.onData(Buffer.from("abc"))
    sink?.onWindow(5)
    sink?.onEnd("X: 1\r\n")
    await edges.settled()
    expect(exchange.heard).toEqual([
      "leased",
      "taken",
      "head 4 HTTP/1.1 103 Early Hints",
      "head 2 HTTP/1.1 200 OK",
      "data 3",
      "window 5",
      `end ${JSON.stringify("X: 1\r\n")}`,
    ])
  })

  test("gets an answer that rides in the head's frame", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    edges.agent.sink?.onHead(headFlags.final, "HTTP/1.1 200 OK\r\n\r\n", Buffer.from("whole"))
    await edges.settled()
    expect(exchange.heard.at(-1)).toBe("head 1 HTTP/1.1 200 OK whole")
  })

  test("reaches the agent with all that the client says, in order", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared({ bodyFollows: true })
    exchange.stream?.data(Buffer.from("abc"))
    exchange.stream?.window(7)
    exchange.stream?.data(Buffer.from("de"))
    exchange.stream?.end("X: 1\r\n")
    await edges.settled()
    expect(edges.agent.told).toEqual(["data 3", "window 7", "data 2", `end ${JSON.stringify("X: 1\r\n")}`])
  })

  test("carries bodies both ways at once, byte for byte", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared({ bodyFollows: true })
    const up = Buffer.from(Array.from({ length: 500_000 }, (_, index) => (index * 7) % 251))
    const down = Buffer.from(Array.from({ length: 500_000 }, (_, index) => (index * 11) % 253))
    edges.agent.sink?.onHead(headFlags.body, "HTTP/1.1 200 OK\r\n\r\n", undefined)
    for (let at = 0; at < up.length; at += 50_000) {
      exchange.stream?.data(up.subarray(at, at + 50_000))
      edges.agent.sink?.onData(down.subarray(at, at + 50_000))
    }
    await edges.settled()
    expect([edges.agent.body.equals(up), exchange.body.equals(down)]).toEqual([true, true])
  })

  test("that its client leaves is cancelled at the agent", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    exchange.stream?.reset("cancelled")
    await edges.settled()
    expect(edges.agent.told).toEqual(["reset cancelled"])
  })

  test("is told the agent's own reason when it fails", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    edges.agent.sink?.onReset("upstream_refused")
    await edges.settled()
    expect(exchange.heard.at(-1)).toBe("reset upstream_refused")
  })

  test("hears nothing after its reset", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    exchange.stream?.reset("cancelled")
    edges.agent.sink?.onHead(headFlags.final, "HTTP/1.1 200 OK\r\n\r\n", undefined)
    await edges.settled()
    expect(exchange.heard).toEqual(["leased"])
  })

  test("still reaches the agent with the rest of its body after an early answer's head", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared({ bodyFollows: true })
    edges.agent.sink?.onHead(headFlags.final, "HTTP/1.1 200 OK\r\n\r\n", undefined)
    await edges.settled()
    exchange.stream?.reset("cancelled")
    await edges.settled()
    expect(edges.agent.told).toEqual(["reset cancelled"])
  })

  test("says in one payload what was said in one turn", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared({ bodyFollows: true })
    const before = edges.posts
    for (let part = 0; part < 10; part++) exchange.stream?.data(Buffer.from("part"))
    await edges.settled()
    expect(edges.posts - before).toBe(1)
  })
})

describe("a relayed exchange that switches protocols", () => {
  const kind = openKind.upgrade

  test("goes on in one direction when the other has ended, whichever ends first", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared({ kind, bodyFollows: true })
    edges.agent.sink?.onHead(headFlags.body, "HTTP/1.1 101 x\r\n\r\n", undefined)
    edges.agent.sink?.onEnd("")
    await edges.settled()
    exchange.stream?.data(Buffer.from("still"))
    edges.agent.sink?.onWindow(7)
    await edges.settled()
    exchange.stream?.end("")
    await edges.settled()
    expect(edges.agent.told).toEqual(["data 5", 'end ""'])
    expect(exchange.heard).toEqual(["leased", "head 2 HTTP/1.1 101 x", 'end ""', "window 7"])
  })

  test("is over with both ends: what comes later is nobody's", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared({ kind, bodyFollows: true })
    edges.agent.sink?.onHead(headFlags.body, "HTTP/1.1 101 x\r\n\r\n", undefined)
    exchange.stream?.end("")
    await edges.settled()
    edges.agent.sink?.onEnd("")
    await edges.settled()
    edges.owner.lost("lessee")
    expect(exchange.heard.filter((said) => said.startsWith("lost"))).toEqual([])
  })
})
