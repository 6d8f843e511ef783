// The agent's end of a session, and carriers between it and the edge's end that lose what the test has them lose.
import { Session } from "@restante/protocol"
import type { OpenFrame } from "@restante/protocol"
import { recordedFrames } from "../../../../test/support/recorded-frames.ts"
import type { AgentSession } from "../../src/attach/agent-session.ts"
import type { Carrier } from "../../src/attach/carrier.ts"

export class AgentPeer {
  /** Frames that arrived, in order. */
  readonly heard: string[] = []
  readonly opens: { readonly stream: number; readonly frame: OpenFrame }[] = []
  pongs = 0
  readonly session: Session = new Session({
    onOutput: () => {},
    onPong: () => this.pongs++,
    sink: {
      ...recordedFrames(this.heard),
      onOpen: (stream, frame) => {
        this.opens.push({ stream, frame })
        this.heard.push(`open ${stream}`)
      },
    },
  })

  /** Everything that the agent has to say reaches the edge. */
  speak(edge: AgentSession): void {
    for (let parts = this.session.nextMessage(1); parts !== undefined; parts = this.session.nextMessage(1))
      edge.receive(Buffer.concat(parts))
  }

  acknowledge(edge: AgentSession, options?: { readonly resend: boolean }): void {
    edge.receive(this.session.ackMessage(options))
  }
}

export interface FakeCarrierOptions {
  readonly kind?: Carrier["kind"]
  /** Whether what it is given arrives. Default true. */
  readonly delivers?: boolean
}

export class FakeCarrier implements Carrier {
  readonly id: number
  readonly kind: Carrier["kind"]
  ready = true
  closed = false
  endedInOrder = false
  answered = false
  /** Messages that it took. */
  sent = 0
  delivers: boolean
  readonly #edge: AgentSession
  readonly #peer: AgentPeer

  constructor(
    edge: AgentSession,
    peer: AgentPeer,
    { kind = "websocket", delivers = true }: FakeCarrierOptions = {},
  ) {
    this.id = edge.carrierId()
    this.kind = kind
    this.delivers = delivers
    this.#edge = edge
    this.#peer = peer
    edge.attach(this)
  }

  send(parts: readonly Buffer[]): void {
    this.sent++
    if (this.delivers) this.#peer.session.receive(Buffer.concat(parts))
    if (this.kind !== "poll") return
    this.ready = false
    this.answered = true
    this.#edge.detach(this, true)
  }

  close(): void {
    this.closed = true
    this.lost()
  }

  /** The agent's process has ended it. */
  ended(): void {
    this.endedInOrder = true
    this.lost()
  }

  /** The connection is gone. */
  lost(): void {
    this.ready = false
    this.#edge.detach(this, this.kind === "poll")
  }
}
