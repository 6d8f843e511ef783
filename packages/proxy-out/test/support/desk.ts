// All sessions of an edge at a queue, and agents that attach to it. Time is the test's.
import { onTestFinished, vi } from "vitest"
import type { AgentSession } from "../../src/attach/agent-session.ts"
import { Sessions } from "../../src/attach/sessions.ts"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import { AgentPeer, FakeCarrier } from "./agent-peer.ts"
import type { FakeCarrierOptions } from "./agent-peer.ts"
import { FakeExchange } from "./leasables.ts"
import { recordedLog } from "./log.ts"

export class Desk implements Disposable {
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
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "Date"] })
    onTestFinished(() => void vi.useRealTimers())
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
