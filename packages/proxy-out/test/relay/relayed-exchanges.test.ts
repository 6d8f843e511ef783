// An exchange whose client is at one edge and whose agent is at another: two edges joined by a relay in this process.
import { FrameWriter, headFlags, openKind, WireError } from "@restante/protocol"
import type { ResetCode } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import type { AgentStream, StreamSink } from "../../src/exchange/agent-stream.ts"
import { RelayedExchanges } from "../../src/relay/relayed-exchanges.ts"
import type { Ticket } from "../../src/queue/broker.ts"
import { FakeExchange } from "../support/leasables.ts"
import { turns } from "../../../../test/support/turns.ts"

/** The agent's stream at the edge that leased. */
class AgentEnd implements AgentStream {
  readonly told: string[] = []
  readonly congested = false
  sink: StreamSink | undefined
  readonly #chunks: Buffer[] = []

  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  data(bytes: Buffer): void {
    this.#chunks.push(bytes)
    this.told.push(`data ${bytes.length}`)
  }

  end(trailers: string): void {
    this.told.push(`end ${JSON.stringify(trailers)}`)
  }

  reset(code: ResetCode): void {
    this.told.push(`reset ${code}`)
  }

  window(creditBytes: number): void {
    this.told.push(`window ${creditBytes}`)
  }
}

class TwoEdges {
  readonly exchanges = new Map<string, FakeExchange>()
  /** What became of the claims, in order. */
  readonly claims: string[] = []
  readonly agent = new AgentEnd()
  /** Agents at the leasing edge are there for it. */
  agentsLeft = true
  posts = 0
  readonly owner: RelayedExchanges = new RelayedExchanges({
    relay: { post: (edgeId, payload) => this.#carry(edgeId, "owner", this.lessee, payload) },
    find: (id) => this.exchanges.get(id),
  })
  readonly lessee: RelayedExchanges = new RelayedExchanges({
    relay: { post: (edgeId, payload) => this.#carry(edgeId, "lessee", this.owner, payload) },
    find: () => undefined,
  })

  exchange(id: string, fields: Partial<Ticket> = {}): FakeExchange {
    const exchange = new FakeExchange(id, { owner: "owner", ...fields })
    this.exchanges.set(id, exchange)
    return exchange
  }

  /** The leasing edge took this ticket from the queue and asks for it. */
  async claim(ticket: Ticket): Promise<void> {
    this.lessee.claim(
      ticket,
      (leasable) => {
        this.claims.push("granted")
        if (this.agentsLeft) this.agent.sink = leasable.leased(this.agent)
      },
      () => this.claims.push("refused"),
    )
    await this.settled()
  }

  /** All that was said has arrived. */
  settled(): Promise<void> {
    return turns(10)
  }

  async shared(fields: Partial<Ticket> = {}): Promise<FakeExchange> {
    const exchange = this.exchange("a", fields)
    await this.claim(exchange.ticket)
    return exchange
  }

  #carry(to: string, from: string, edge: RelayedExchanges, payload: Buffer): void {
    if (to !== "owner" && to !== "lessee") throw new Error(`no edge ${to}`)
    this.posts++
    setImmediate(() => edge.receive(from, payload))
  }
}

describe("a claim", () => {
  test("of an exchange that waits is granted", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    expect([edges.claims, exchange.heard]).toEqual([["granted"], ["leased"]])
  })

  test("of an exchange that is over is refused", async () => {
    const edges = new TwoEdges()
    await edges.claim(new FakeExchange("gone", { owner: "owner" }).ticket)
    expect(edges.claims).toEqual(["refused"])
  })

  test("of an exchange that somebody serves already is refused", async () => {
    const edges = new TwoEdges()
    const exchange = edges.exchange("a")
    exchange.waiting = false
    await edges.claim(exchange.ticket)
    expect([edges.claims, exchange.heard]).toEqual([["refused"], []])
  })

  test("with an old ticket does not win over the newer attempt", async () => {
    const edges = new TwoEdges()
    const exchange = edges.exchange("a", { attempt: 2 })
    await edges.claim({ ...exchange.ticket, attempt: 1 })
    expect([edges.claims, exchange.heard]).toEqual([["refused"], []])
  })

  test("of two edges is granted to one", async () => {
    const edges = new TwoEdges()
    const exchange = edges.exchange("a")
    await Promise.all([edges.claim(exchange.ticket), edges.claim(exchange.ticket)])
    expect([edges.claims.toSorted(), exchange.heard]).toEqual([["granted", "refused"], ["leased"]])
  })

  test("that was granted in vain, because the agents have gone, is handed back unbegun", async () => {
    const edges = new TwoEdges()
    edges.agentsLeft = false
    const exchange = await edges.shared()
    expect(exchange.heard).toEqual(["leased", "reset agent_stopping"])
  })

  test("is refused when its owner is lost", async () => {
    const edges = new TwoEdges()
    edges.lessee.claim(
      edges.exchange("a").ticket,
      () => edges.claims.push("granted"),
      () => edges.claims.push("refused"),
    )
    edges.lessee.lost("owner")
    expect(edges.claims).toEqual(["refused"])
  })
})

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
