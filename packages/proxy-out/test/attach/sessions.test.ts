// All sessions of an edge: which end by themselves, which are replaced, and how silence and gaps are noticed.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { AgentSession } from "../../src/attach/agent-session.ts"
import { Sessions } from "../../src/attach/sessions.ts"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import { AgentPeer, FakeCarrier } from "../support/agent-peer.ts"
import type { FakeCarrierOptions } from "../support/agent-peer.ts"
import { FakeExchange } from "../support/leasables.ts"
import { recordedLog } from "../support/log.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "Date"] })
})

afterEach(() => {
  vi.useRealTimers()
})

class Desk implements Disposable {
  readonly log = recordedLog()
  readonly exchanges = new Map<string, FakeExchange>()
  readonly broker = new MemoryBroker()
  readonly sessions = new Sessions({
    broker: this.broker,
    clock: { now: () => Date.now() },
    log: this.log.log,
    timeoutMs: 60_000,
    tickets: {
      own: (ticket) => this.exchanges.get(ticket.id),
      isForeign: () => false,
      claim: (_ticket, _onGranted, onRefused) => onRefused(),
    },
  })
  #count = 0

  constructor() {
    this.sessions.start()
  }

  attach(instance = `place ${this.#count}`, concurrency = 10, credentialId = "default"): Agent {
    const edge = this.sessions.create({
      id: `session-${++this.#count}-with-a-long-secret`,
      tunnel: "default",
      credentialId,
      instance,
      concurrency,
      software: "test",
    })
    return new Agent(edge)
  }

  offers(id: string, repeatable = false): FakeExchange {
    const exchange = new FakeExchange(id)
    exchange.repeatable = repeatable
    this.exchanges.set(id, exchange)
    this.broker.offer(exchange.ticket)
    return exchange
  }

  knows({ edge }: Agent): boolean {
    return this.sessions.get(edge.id) !== undefined
  }

  [Symbol.dispose](): void {
    this.sessions.stop()
  }
}

class Agent {
  readonly edge: AgentSession
  readonly peer = new AgentPeer()

  constructor(edge: AgentSession) {
    this.edge = edge
  }

  carrier(options?: FakeCarrierOptions): FakeCarrier {
    return new FakeCarrier(this.edge, this.peer, options)
  }
}

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

describe("a tunnel", () => {
  test("that nobody serves any more leaves nothing in the queue", () => {
    using desk = new Desk()
    const agent = desk.attach()
    desk.sessions.end(agent.edge, "detached")
    expect([desk.sessions.size, desk.broker.depth("default")]).toEqual([0, 0])
  })

  test("gets what waits as soon as an agent can be reached", () => {
    using desk = new Desk()
    const exchange = desk.offers("a")
    const agent = desk.attach()
    const before = [...exchange.heard]
    agent.carrier()
    expect([before, exchange.heard]).toEqual([[], ["leased"]])
  })
})

test("the log never holds a whole session id, which is what lets an agent in", () => {
  using desk = new Desk()
  const agent = desk.attach()
  desk.sessions.end(agent.edge, "detached")
  expect(desk.log.lines.length).toBeGreaterThan(1)
  expect(desk.log.text()).not.toContain(agent.edge.id)
})

test("when all sessions stop no timer is left", () => {
  const desk = new Desk()
  desk.attach().carrier().lost()
  desk.sessions.stop()
  expect(vi.getTimerCount()).toBe(0)
})

describe("a session that only looks whether the way works", () => {
  test("is given nothing, also when nobody else is there", () => {
    using desk = new Desk()
    desk.attach("doctor", 0).carrier()
    const offered = desk.offers("a")
    expect(offered.waiting).toBe(true)
  })

  test("is no agent of its tunnel", () => {
    using desk = new Desk()
    desk.attach("doctor", 0).carrier()
    expect([desk.sessions.serves("default"), [...desk.sessions.all]]).toEqual([false, []])
  })

  test("replaces no session, even one that says the same place and has no carrier", () => {
    using desk = new Desk()
    const agent = desk.attach("here")
    desk.attach("here", 0)
    expect(desk.knows(agent)).toBe(true)
  })

  test("ends by itself when nothing is heard of it", () => {
    using desk = new Desk()
    const looking = desk.attach("doctor", 0)
    vi.advanceTimersByTime(31_000)
    expect(desk.knows(looking)).toBe(false)
  })
})

describe("the most sessions", () => {
  const named = { id: "named" }
  const own = { id: "default", isOwn: true }

  function attachMany(desk: Desk, count: number, credentialId: string): AgentSession[] {
    return Array.from({ length: count }, () =>
      desk.sessions.create({
        id: `${desk.sessions.size}`,
        tunnel: `t${desk.sessions.size}`,
        credentialId,
        instance: "here",
        concurrency: 1,
        software: "test",
      }),
    )
  }

  test("of a named token are 2,000, and others still get in", () => {
    using desk = new Desk()
    attachMany(desk, 1999, "named")
    const before = desk.sessions.full(named)
    attachMany(desk, 1, "named")
    expect([before, desk.sessions.full(named), desk.sessions.full({ id: "other" })]).toEqual([
      undefined,
      { of: "token", most: 2000 },
      undefined,
    ])
  })

  test("of the operator's own token and of all together are 10,000", () => {
    using desk = new Desk()
    attachMany(desk, 9999, "default")
    const before = desk.sessions.full(own)
    attachMany(desk, 1, "other")
    expect([before, desk.sessions.full(own), desk.sessions.full(named)?.of]).toEqual([
      undefined,
      { of: "edge", most: 10_000 },
      "edge",
    ])
  })

  test("are fewer again when one has ended", () => {
    using desk = new Desk()
    const [first] = attachMany(desk, 2000, "named")
    desk.sessions.end(first!, "detached")
    expect(desk.sessions.full(named)).toBeUndefined()
  })

  test("include those that only look whether the way works", () => {
    using desk = new Desk()
    attachMany(desk, 1999, "named")
    desk.attach("looks", 0, "named")
    expect(desk.sessions.full(named)).toEqual({ of: "token", most: 2000 })
  })
})
