// One attached agent: the edge's session with it, the agent's end, and what the session's owner was told.
import { AgentSession } from "../../src/attach/agent-session.ts"
import { AgentPeer, FakeCarrier } from "./agent-peer.ts"
import type { FakeCarrierOptions } from "./agent-peer.ts"
import { FakeExchange } from "./leasables.ts"

export class Attached {
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
