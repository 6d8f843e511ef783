// What becomes of relayed exchanges when an agent or an edge is lost, or says what nobody can read.
import { FrameWriter, headFlags, WireError } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { TwoEdges } from "../support/two-edges.ts"

describe("an agent that is lost at the other edge", () => {
  test.each([
    ["no", false, false, "reset agent_stopping"],
    ["untaken", false, false, "reset agent_stopping"],
    ["untaken", true, false, "reset agent_lost"],
    ["untaken", false, true, "reset agent_lost"],
    ["maybe", false, false, "reset agent_lost"],
  ] as const)(
    "begun: %s, announced: %s, idempotent: %s is told as %s",
    async (begun, announced, idempotent, expected) => {
      const edges = new TwoEdges()
      const exchange = await edges.shared({ idempotent })
      const { sink } = edges.agent
      const announce = { true: () => sink?.onTaken(), false: () => {} }[`${announced}`]
      announce()
      sink?.onLost({ begun })
      await edges.settled()
      expect(exchange.heard.at(-1)).toBe(expected)
    },
  )

  test("may be replaced only for what is safe to repeat and has no answer yet", async () => {
    const safe = new TwoEdges()
    await safe.shared({ idempotent: true })
    const unsafe = new TwoEdges()
    await unsafe.shared({ idempotent: false })
    const streamed = new TwoEdges()
    await streamed.shared({ idempotent: true, bodyFollows: true })
    const answering = new TwoEdges()
    await answering.shared({ idempotent: true })
    answering.agent.sink?.onHead(headFlags.body, "HTTP/1.1 200 OK\r\n\r\n", undefined)
    expect([safe, unsafe, streamed, answering].map(({ agent }) => agent.sink?.repeatable)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe("an edge that is lost", () => {
  test("takes its agents' exchanges with it: nobody knows what became of them", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    edges.owner.lost("lessee")
    expect(exchange.heard.at(-1)).toBe("lost maybe")
  })

  test("takes its clients with it: their exchanges are cancelled at the agents", async () => {
    const edges = new TwoEdges()
    await edges.shared()
    edges.lessee.lost("owner")
    expect(edges.agent.told).toEqual(["reset cancelled"])
  })

  test("leaves the exchanges of others alone", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    edges.owner.lost("another")
    expect(exchange.heard).toEqual(["leased"])
  })

  test("that comes again starts anew", async () => {
    const edges = new TwoEdges()
    await edges.shared()
    edges.owner.lost("lessee")
    edges.lessee.lost("owner")
    await edges.claim(edges.exchange("b").ticket)
    expect(edges.claims).toEqual(["granted", "granted"])
  })

  test("is not heard any more: what it said before it was lost reaches no exchange", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    edges.agent.sink?.onHead(headFlags.final, "HTTP/1.1 200 OK\r\n\r\n", undefined)
    edges.owner.lost("lessee")
    await edges.settled()
    expect(exchange.heard).toEqual(["leased", "lost maybe"])
  })
})

test.each([
  ["half a frame", Buffer.from([0, 1, 2, 3])],
  ["an unknown frame", Buffer.concat([Buffer.from([0]), frame(100)])],
  ["a frame between agent and edge", Buffer.concat([Buffer.from([0]), drainFrame()])],
])(
  "a payload that is %s is refused, so that the relay reports the edge lost at both ends",
  async (_what, payload) => {
    const edges = new TwoEdges()
    await edges.shared()
    expect(() => edges.owner.receive("lessee", payload)).toThrow(WireError)
  },
)

function frame(type: number): Buffer {
  return Buffer.from([type, 0, 0, 0, 0, 0, 0, 1])
}

function drainFrame(): Buffer {
  const writer = new FrameWriter()
  writer.drain()
  return Buffer.concat(writer.take() ?? [])
}
