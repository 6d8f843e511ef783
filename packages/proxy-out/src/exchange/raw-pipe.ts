// Raw bytes between a client and an agent's stream, both ways under credit: what is left of an exchange once its connection has
// switched protocols. Each direction ends by itself, as TCP's do; the pipe is over with the second.
import { randomBytes } from "node:crypto"
import { Departure } from "@restante/protocol"
import type { WindowBudget } from "@restante/protocol"
import type { AgentStream } from "./agent-stream.ts"
import { ClientCredit } from "./client-credit.ts"
import type { Client } from "./client.ts"
import { RequestBody } from "./request-body.ts"

export interface RawPipeOptions {
  readonly client: Pick<Client, "data" | "end" | "unsentBytes" | "pauseBody" | "resumeBody">
  readonly stream: AgentStream
  readonly budget: WindowBudget
  /** The bytes are WebSocket frames: both peers can be told that we leave. */
  readonly websocket: boolean
  /** Both directions have ended. Called once. */
  readonly onOver: () => void
}

export class RawPipe {
  readonly #options: RawPipeOptions
  /** From the client to the agent. */
  readonly #body: RequestBody
  readonly #credit: ClientCredit
  readonly #fromClient: Departure | undefined
  readonly #fromAgent: Departure | undefined
  #clientTold = false
  #agentEnded = false
  #over = false

  constructor(options: RawPipeOptions) {
    const { client, stream, budget, websocket } = options
    this.#options = options
    this.#credit = new ClientCredit(client, budget)
    this.#body = new RequestBody(client)
    this.#body.attach(stream)
    this.#fromClient = websocket ? new Departure(() => randomBytes(4)) : undefined
    this.#fromAgent = websocket ? new Departure() : undefined
  }

  // The client's side.

  clientSaid(bytes: Buffer): void {
    if (this.#body.complete) return // we have left: nobody reads it
    const departure = this.#fromClient
    const onward = departure === undefined ? bytes : departure.pass(bytes)
    if (onward.length > 0) this.#body.push(onward)
    if (departure?.left === true) this.clientEnded()
  }

  /** The client has ended its side; it still reads. */
  clientEnded(): void {
    if (!this.#body.complete) this.#body.end("")
    this.#settleWhenOver()
  }

  clientDrained(): void {
    this.#giveBack()
  }

  // The agent's side.

  /** Throws WireError when the agent overdraws its credit. */
  onData(bytes: Buffer): void {
    this.#credit.received(bytes.length)
    if (!this.#clientTold) {
      const departure = this.#fromAgent
      const onward = departure === undefined ? bytes : departure.pass(bytes)
      if (onward.length > 0) this.#options.client.data(onward)
      if (departure?.left === true) this.#endClient()
    }
    this.#giveBack()
  }

  onEnd(): void {
    this.#agentEnded = true
    this.#endClient()
    this.#settleWhenOver()
  }

  onWindow(creditBytes: number): void {
    this.#body.grant(creditBytes)
    this.#settleWhenOver()
  }

  onWritable(): void {
    this.#body.writable()
    this.#settleWhenOver()
  }

  /** We are about to stop. A WebSocket's peers get a Close (1001) between two frames; of another protocol we know no last word. */
  leave(): void {
    const { client } = this.#options
    const up = this.#fromClient
    const down = this.#fromAgent
    if (up === undefined || down === undefined) return
    if (!this.#clientTold) {
      const lastWord = down.leave()
      if (lastWord.length > 0) client.data(lastWord)
      if (down.left) this.#endClient()
    }
    if (!this.#body.complete) {
      const lastWord = up.leave()
      if (lastWord.length > 0) this.#body.push(lastWord)
      if (up.left) this.clientEnded()
    }
  }

  /** It is over, whichever way. Twice is fine. */
  release(): void {
    this.#over = true
    this.#credit.release()
  }

  #giveBack(): void {
    const credit = this.#credit.drained()
    if (credit > 0 && !this.#over) this.#options.stream.window(credit)
  }

  #endClient(): void {
    if (this.#clientTold) return
    this.#clientTold = true
    this.#options.client.end("")
  }

  #settleWhenOver(): void {
    if (this.#over || !this.#agentEnded || !this.#body.sent) return
    this.release()
    this.#options.onOver()
  }
}
