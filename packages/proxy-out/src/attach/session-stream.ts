// One stream of a session on this edge: what an exchange says becomes frames, what the agent says reaches the exchange.
import { openKind } from "@restante/protocol"
import type { ResetCode, Session } from "@restante/protocol"
import type { AgentStream, StreamSink } from "../exchange/agent-stream.ts"
import type { Ticket } from "../queue/broker.ts"

export interface StreamOwner {
  readonly session: Session
  readonly congested: boolean
  readonly upgradesFull: boolean
  /** Nothing more will be said on this stream by either side. */
  forget(stream: SessionStream): void
  /** Wants to be told when the session is no longer congested. */
  await(stream: SessionStream): void
}

export class SessionStream implements AgentStream {
  readonly id: number
  /** Position of its OPEN among all OPENs of the session. */
  readonly opened: number
  readonly #owner: StreamOwner
  sink: StreamSink | undefined
  /** The request is whole on our side. */
  #requestEnded: boolean
  #responseEnded = false
  /** It is of kind `upgrade`, and no 101 has come yet. */
  maySwitch: boolean
  /** It does not count against the agent's concurrency: it is of a port, or has switched protocols. */
  lasting: boolean
  readonly ofPort: boolean
  readonly ofUpgrade: boolean
  readonly lastResort: boolean

  constructor(owner: StreamOwner, id: number, opened: number, { bodyFollows, kind }: Ticket) {
    this.#owner = owner
    this.id = id
    this.opened = opened
    this.#requestEnded = !bodyFollows
    this.ofUpgrade = kind === openKind.upgrade
    this.lastResort = this.ofUpgrade && owner.upgradesFull
    this.maySwitch = this.ofUpgrade
    this.ofPort = kind === openKind.tcp || kind === openKind.udp
    this.lasting = this.ofPort
  }

  get congested(): boolean {
    if (!this.#owner.congested) return false
    this.#owner.await(this)
    return true
  }

  data(bytes: Buffer): void {
    this.#owner.session.data(this.id, bytes)
  }

  end(trailers: string): void {
    this.#requestEnded = true
    this.#owner.session.end(this.id, trailers)
    if (this.#responseEnded) this.#owner.forget(this)
  }

  reset(code: ResetCode): void {
    this.#owner.session.reset(this.id, code)
    this.#owner.forget(this)
  }

  window(creditBytes: number): void {
    this.#owner.session.window(this.id, creditBytes)
  }

  /** The agent's answer is whole. An answer before the request's end leaves it to the exchange to reset. */
  responseEnded(): void {
    this.#responseEnded = true
    if (this.#requestEnded) this.#owner.forget(this)
  }
}
