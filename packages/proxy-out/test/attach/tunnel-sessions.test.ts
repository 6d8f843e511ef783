// The agents of one tunnel as one consumer of its queue: who gets a ticket, and how one of another edge is asked for.
import { openKind } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { AgentSession } from "../../src/attach/agent-session.ts"
import { TunnelSessions } from "../../src/attach/tunnel-sessions.ts"
import type { TicketSource } from "../../src/attach/tunnel-sessions.ts"
import type { Leasable } from "../../src/exchange/agent-stream.ts"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import type { Ticket } from "../../src/queue/broker.ts"
import { AgentPeer, FakeCarrier } from "../support/agent-peer.ts"
import { FakeExchange, ticketOf } from "../support/leasables.ts"

interface Claim {
  readonly ticket: Ticket
  readonly grant: (leasable: Leasable) => void
  readonly refuse: () => void
}

class Tunnel implements TicketSource {
  readonly broker = new MemoryBroker()
  readonly exchanges = new Map<string, FakeExchange>()
  readonly claims: Claim[] = []
  readonly sessions = new TunnelSessions("default", this.broker, this)

  own(ticket: Ticket): Leasable | undefined {
    return this.exchanges.get(ticket.id)
  }

  isForeign(ticket: Ticket): boolean {
    return ticket.owner !== "edge-a"
  }

  claim(ticket: Ticket, onGranted: (leasable: Leasable) => void, onRefused: () => void): void {
    this.claims.push({ ticket, grant: onGranted, refuse: onRefused })
  }

  agent(concurrency: number): { readonly edge: AgentSession; readonly carrier: FakeCarrier } {
    const edge: AgentSession = new AgentSession({
      id: `session ${concurrency}`,
      tunnel: "default",
      credentialId: "default",
      instance: "place",
      concurrency,
      timeoutMs: 60_000,
      port: { onRoom: () => this.sessions.ready(), onAttached: () => this.sessions.ready() },
    })
    this.sessions.add(edge)
    return { edge, carrier: new FakeCarrier(edge, new AgentPeer()) }
  }

  /** A request of a client of this edge. */
  exchange(id: string): FakeExchange {
    const exchange = new FakeExchange(id)
    this.exchanges.set(id, exchange)
    return exchange
  }
}

const foreign = ticketOf("far", { owner: "edge-b" })

describe("a ticket of this edge", () => {
  test("goes to the agent that has least to do", () => {
    const tunnel = new Tunnel()
    const [busy, idle] = [tunnel.agent(10), tunnel.agent(10)]
    busy.edge.open(new FakeExchange("x"))
    tunnel.sessions.lease(tunnel.exchange("a").ticket)
    expect([busy.edge.active, idle.edge.active]).toEqual([1, 1])
  })

  test("does not go to an agent that has no room, however little it has to do", () => {
    const tunnel = new Tunnel()
    const [small, large] = [tunnel.agent(1), tunnel.agent(10)]
    small.edge.open(new FakeExchange("x"))
    large.edge.open(new FakeExchange("y"))
    large.edge.open(new FakeExchange("z"))
    tunnel.sessions.lease(tunnel.exchange("a").ticket)
    expect([small.edge.active, large.edge.active]).toEqual([1, 3])
  })

  test("that asks to switch protocols goes to an agent that has not refused to, however much it has to do", () => {
    const tunnel = new Tunnel()
    const [full, busy] = [tunnel.agent(10), tunnel.agent(10)]
    busy.edge.open(new FakeExchange("x"))
    busy.edge.open(new FakeExchange("y"))
    full.edge.open(new FakeExchange("z", { kind: openKind.upgrade }))
    full.edge.onReset(1, "upgrade_limit")
    tunnel.exchanges.set("a", new FakeExchange("a", { kind: openKind.upgrade }))
    tunnel.exchanges.set("b", new FakeExchange("b"))
    tunnel.sessions.lease(tunnel.exchanges.get("a")!.ticket)
    tunnel.sessions.lease(tunnel.exchanges.get("b")!.ticket)
    expect([full.edge.active, busy.edge.active]).toEqual([1, 3])
  })

  test("that asks to switch protocols goes to an agent that has refused to when there is no other, as the last one", () => {
    const tunnel = new Tunnel()
    const { edge } = tunnel.agent(10)
    edge.open(new FakeExchange("z", { kind: openKind.upgrade }))
    edge.onReset(1, "upgrade_limit")
    const exchange = new FakeExchange("a", { kind: openKind.upgrade })
    tunnel.exchanges.set("a", exchange)
    tunnel.sessions.lease(exchange.ticket)
    expect(exchange.stream?.lastResort).toBe(true)
  })

  test("stays in the queue when nobody has room", () => {
    const tunnel = new Tunnel()
    tunnel.agent(1).carrier.lost()
    expect(tunnel.sessions.lease(tunnel.exchange("a").ticket)).toBe("no_room")
  })

  test("whose client is gone is gone", () => {
    const tunnel = new Tunnel()
    tunnel.agent(1)
    expect(tunnel.sessions.lease(ticketOf("unknown"))).toBe("gone")
  })

  test("that somebody serves already is not served twice", () => {
    const tunnel = new Tunnel()
    tunnel.agent(2)
    const { ticket } = tunnel.exchange("a")
    expect([tunnel.sessions.lease(ticket), tunnel.sessions.lease(ticket)]).toEqual(["taken", "gone"])
  })

  test("that waits goes to the first agent that attaches", () => {
    const tunnel = new Tunnel()
    const exchange = tunnel.exchange("a")
    tunnel.broker.offer(exchange.ticket)
    const before = [...exchange.heard]
    tunnel.agent(1)
    tunnel.sessions.ready()
    expect([before, exchange.heard]).toEqual([[], ["leased"]])
  })
})

describe("a ticket of another edge", () => {
  test("is asked for before it is served", () => {
    const tunnel = new Tunnel()
    const { edge } = tunnel.agent(1)
    const outcome = tunnel.sessions.lease(foreign)
    expect([outcome, tunnel.claims.map(({ ticket }) => ticket.id), edge.active]).toEqual([
      "taken",
      ["far"],
      0,
    ])
  })

  test("that is granted goes to an agent", () => {
    const tunnel = new Tunnel()
    const { edge } = tunnel.agent(1)
    tunnel.sessions.lease(foreign)
    const exchange = new FakeExchange("far")
    tunnel.claims[0]?.grant(exchange)
    expect([exchange.heard, edge.active]).toEqual([["leased"], 1])
  })

  test("takes its place among the room while it is asked for", () => {
    const tunnel = new Tunnel()
    tunnel.agent(2)
    tunnel.sessions.lease(foreign)
    expect(tunnel.sessions.room()).toBe(1)
  })

  test("keeps others out when it takes the last place", () => {
    const tunnel = new Tunnel()
    tunnel.agent(1)
    tunnel.sessions.lease(foreign)
    expect(tunnel.sessions.lease(tunnel.exchange("a").ticket)).toBe("no_room")
  })

  test("that is refused gives its place back, and the next one gets it", () => {
    const tunnel = new Tunnel()
    tunnel.agent(1)
    tunnel.sessions.lease(foreign)
    const exchange = tunnel.exchange("a")
    tunnel.broker.offer(exchange.ticket)
    const before = [...exchange.heard]
    tunnel.claims[0]?.refuse()
    expect([before, exchange.heard]).toEqual([[], ["leased"]])
  })

  test("that is granted when no agent is left is not opened", () => {
    const tunnel = new Tunnel()
    const { carrier } = tunnel.agent(1)
    tunnel.sessions.lease(foreign)
    carrier.lost()
    const exchange = new FakeExchange("far")
    tunnel.claims[0]?.grant(exchange)
    expect(exchange.heard).toEqual([])
  })
})
