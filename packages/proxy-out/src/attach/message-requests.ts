// The two requests that carry messages up: push, which is answered when it ends, and poll, which becomes a carrier of
// messages down. Messages are taken as they arrive, so a push may go on for as long as its agent likes.
import { MessageDecoder, WireError } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"
import type { RequestHandler } from "../exchange/client.ts"
import type { ClientConnection } from "../ingress/client-connection.ts"
import type { AgentSession } from "./agent-session.ts"
import { PollCarrier, StreamedPollCarrier, writeMessages } from "./poll-carrier.ts"

export interface MessageRequestPort {
  /** The agent's bytes make no messages: answers, and ends the session. */
  broken(session: AgentSession, connection: ClientConnection, error: WireError): void
  pollWaits(poll: PollCarrier): void
  pollEnded(poll: PollCarrier): void
}

abstract class MessageRequest implements RequestHandler {
  protected readonly session: AgentSession
  protected readonly connection: ClientConnection
  protected readonly keepAlive: boolean
  protected readonly port: MessageRequestPort
  readonly #decoder = new MessageDecoder()
  #over = false
  #empty = true

  constructor(
    port: MessageRequestPort,
    session: AgentSession,
    head: RequestHead,
    connection: ClientConnection,
  ) {
    this.port = port
    this.session = session
    this.connection = connection
    this.keepAlive = head.keepAlive
  }

  onBody(bytes: Buffer): void {
    this.#empty = false
    this.#guarded(() => {
      for (const message of this.#decoder.push(bytes)) this.session.receive(message)
    })
  }

  onBodyEnd(): void {
    if (this.#over) return
    if (this.#empty || !this.#decoder.incomplete) return this.complete()
    // What stands between has cut it and made a whole body of the rest: the agent sends it again, as after any cut.
    this.#over = true
    this.connection.reset()
  }

  onReadPaused(): void {}

  onClientDrain(): void {}

  onClientGone(): void {
    this.#over = true
  }

  protected abstract complete(): void

  #guarded(step: () => void): void {
    if (this.#over) return
    try {
      step()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#over = true
      this.port.broken(this.session, this.connection, error)
    }
  }
}

export class PushRequest extends MessageRequest {
  /** A streamed push is quiet while the agent has nothing to say; its session notices when it is gone. */
  readonly patient = true

  protected complete(): void {
    writeMessages(this.connection, [this.session.session.ackMessage()])
    this.connection.finish(this.keepAlive)
  }
}

export class PollRequest extends MessageRequest {
  readonly #streamed: boolean
  #carrier: PollCarrier | StreamedPollCarrier | undefined

  constructor(
    port: MessageRequestPort,
    session: AgentSession,
    head: RequestHead,
    connection: ClientConnection,
  ) {
    super(port, session, head, connection)
    this.#streamed = head.fields.get("restante-stream") === "1" && head.minorVersion === 1
  }

  override onClientDrain(): void {
    this.#carrier?.drained()
  }

  override onClientGone(): void {
    super.onClientGone()
    this.#carrier?.lost()
    if (this.#carrier instanceof PollCarrier) this.port.pollEnded(this.#carrier)
  }

  protected complete(): void {
    if (this.#streamed) {
      this.#carrier = new StreamedPollCarrier(this.connection, this.session)
    } else {
      this.#carrier = new PollCarrier(this.connection, this.session, this.keepAlive)
      this.port.pollWaits(this.#carrier)
    }
    this.session.attach(this.#carrier)
  }
}
