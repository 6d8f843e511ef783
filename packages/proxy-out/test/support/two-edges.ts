// Two edges joined by a relay in this process: one has the client of an exchange, the other one leases it for an agent.
import type { ResetCode } from "@restante/protocol"
import type { AgentStream, StreamSink } from "../../src/exchange/agent-stream.ts"
import type { Ticket } from "../../src/queue/broker.ts"
import { RelayedExchanges } from "../../src/relay/relayed-exchanges.ts"
import { turns } from "../../../../test/support/turns.ts"
import { FakeExchange } from "./leasables.ts"

export class TwoEdges {
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
