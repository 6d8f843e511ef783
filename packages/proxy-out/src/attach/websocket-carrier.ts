// A websocket that carries a session: each binary message is one message of the session. The agent speaks first: its
// acknowledgement says what need not be sent again, and our answer shows it that the path carries both ways.
import { WireError, websocketProtocol, wireLimits } from "@restante/protocol"
import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import type { AgentSession } from "./agent-session.ts"
import type { Carrier } from "./carrier.ts"

/** Beyond this the agent does not keep up and messages wait in the session, where they can still change carriers. */
const maxBufferedBytes = 4 * 1024 * 1024

export class WebSocketCarrier implements Carrier {
  readonly id: number
  readonly kind = "websocket"
  readonly #socket: WebSocket
  readonly #session: AgentSession
  #open = true
  #heard = false
  endedInOrder = false

  constructor(
    socket: WebSocket,
    connection: Socket,
    session: AgentSession,
    onBroken: (error: WireError) => void,
  ) {
    this.#socket = socket
    // A process that dies ends its connections after what it wrote; a path that breaks ends them anyhow.
    connection.once("end", () => (this.endedInOrder = true))
    this.#session = session
    this.id = session.carrierId()
    socket.binaryType = "nodebuffer"
    socket.on("message", (message, isBinary) => {
      try {
        if (!isBinary || !Buffer.isBuffer(message)) throw new WireError("frame_malformed", "not binary")
        session.receive(message)
        if (!this.#heard) this.#begin()
      } catch (error) {
        if (!(error instanceof WireError)) throw error
        onBroken(error)
      }
    })
    socket.on("error", () => socket.terminate())
    socket.on("close", () => this.#ended())
  }

  get ready(): boolean {
    return this.#open && this.#heard && this.#socket.bufferedAmount < maxBufferedBytes
  }

  send(parts: readonly Buffer[]): void {
    const message = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    // Only a filled socket needs to tell when it has room again; asking each time would cost every small message.
    if (this.#socket.bufferedAmount + message.length < maxBufferedBytes) this.#socket.send(message, binary)
    else this.#socket.send(message, binary, () => this.#session.flush())
  }

  close(): void {
    this.#socket.close(1001)
    setTimeout(() => this.#socket.terminate(), 1000).unref()
    this.#ended()
  }

  #begin(): void {
    this.#heard = true
    if (!this.#open) return
    this.send([this.#session.session.ackMessage()])
    this.#session.flush()
  }

  #ended(): void {
    if (!this.#open) return
    this.#open = false
    this.#session.detach(this, false)
  }
}

const binary = { binary: true } as const

export const websocketOptions = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: wireLimits.maxMessageBytes,
  handleProtocols: (protocols: Set<string>): string | false =>
    protocols.has(websocketProtocol) ? websocketProtocol : false,
} as const
