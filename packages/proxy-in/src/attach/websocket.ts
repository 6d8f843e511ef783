// The session over a websocket, both ways. Tried again for ever, less and less often where it does not work: the polls
// carry on meanwhile.
import { Agent } from "node:http"
import type { ClientRequestArgs } from "node:http"
import type { Duplex } from "node:stream"
import { WireError, websocketProtocol, wireLimits } from "@restante/protocol"
import { WebSocket } from "ws"
import type { RawData } from "ws"
import { Backoff } from "./backoff.ts"
import type { CarrierPort, UpCarrier } from "./carrier.ts"
import type { EdgeClient } from "./edge-client.ts"
import { LinkError } from "./link-error.ts"
import type { Clock } from "../clock.ts"

export interface WebSocketLinkOptions {
  readonly client: EdgeClient
  readonly port: CarrierPort
  readonly clock: Clock
  /** Longest wait between two tries, in milliseconds. */
  readonly mostRetryMs: number
  readonly onOpen: (open: boolean) => void
  /** It did not work, this time. */
  readonly onFailed: (error: LinkError) => void
}

const handshakeMs = 10_000
const maxBufferedBytes = 2 * 1024 * 1024

export class WebSocketLink implements UpCarrier {
  readonly #options: WebSocketLinkOptions
  readonly #backoff: Backoff
  #socket: WebSocket | undefined
  #open = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  id = 0

  constructor(options: WebSocketLinkOptions) {
    this.#options = options
    this.#backoff = new Backoff({ firstMs: 200, mostMs: options.mostRetryMs }, options.clock)
  }

  get open(): boolean {
    return this.#open
  }

  get ready(): boolean {
    return this.#open && this.#socket !== undefined && this.#socket.bufferedAmount < maxBufferedBytes
  }

  start(): void {
    if (this.#stopped) return
    const { client, port } = this.#options
    const url = new URL(client.external)
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:"
    url.pathname = client.path("websocket")
    const id = port.nextCarrierId()
    const socket = new WebSocket(url, websocketProtocol, {
      headers: client.sessionHeaders(port.session),
      perMessageDeflate: false,
      handshakeTimeout: handshakeMs,
      maxPayload: wireLimits.maxMessageBytes,
      agent: new DialingAgent(client),
    })
    let problem: LinkError | undefined
    socket.on("open", () => {
      // We speak first; it is open once the edge's answer shows that the path carries both ways.
      socket.send(port.acknowledgement())
      this.#timer = setTimeout(() => socket.terminate(), handshakeMs)
    })
    socket.on("message", (message) => {
      this.#receive(socket, message)
      if (!this.#open && socket === this.#socket && socket.readyState === WebSocket.OPEN) this.#opened(id)
    })
    socket.on("unexpected-response", (_request, response) => {
      problem =
        response.headers["restante-version"] !== undefined && response.statusCode === 410
          ? new LinkError("session_over")
          : new LinkError("edge_error", `websocket: status ${response.statusCode}`)
      response.destroy()
      socket.terminate()
    })
    socket.on("error", (error) => (problem ??= LinkError.from(error)))
    socket.on("close", () => this.#closed(socket, id, problem ?? new LinkError("closed", "websocket")))
    this.#socket = socket
  }

  stop(): void {
    this.#stopped = true
    this.#open = false
    clearTimeout(this.#timer)
    this.#socket?.close(1000)
    const socket = this.#socket
    setTimeout(() => socket?.terminate(), 500).unref()
  }

  /** Nothing comes through it any more. */
  abandon(): void {
    this.#socket?.terminate()
  }

  send(parts: readonly Buffer[]): void {
    const socket = this.#socket
    if (socket === undefined) return
    const message = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    if (socket.bufferedAmount + message.length < maxBufferedBytes) socket.send(message, binary)
    else socket.send(message, binary, () => this.#options.port.flush())
  }

  #opened(id: number): void {
    clearTimeout(this.#timer)
    this.id = id
    this.#open = true
    this.#backoff.reset()
    this.#options.port.alive()
    this.#options.onOpen(true)
  }

  #receive(socket: WebSocket, message: RawData): void {
    try {
      if (!Buffer.isBuffer(message)) throw new WireError("frame_malformed", "not one buffer")
      this.#options.port.receive(message)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      socket.terminate()
      this.#options.port.failed(error)
    }
  }

  #closed(socket: WebSocket, id: number, problem: LinkError): void {
    if (this.#stopped || socket !== this.#socket) return
    this.#socket = undefined
    clearTimeout(this.#timer)
    const wasOpen = this.#open
    this.#open = false
    if (wasOpen) {
      this.#options.port.lost(id)
      this.#options.onOpen(false)
    }
    this.#options.onFailed(problem)
    this.#timer = setTimeout(() => this.start(), this.#backoff.next())
  }
}

const binary = { binary: true } as const

/** Lets the websocket's handshake begin on a connection that the dialer has made, whatever the way. */
class DialingAgent extends Agent {
  /** Node checks that it is the request's; TLS is the dialer's all the same. */
  readonly protocol: string
  readonly #client: EdgeClient

  constructor(client: EdgeClient) {
    super()
    this.protocol = client.external.protocol
    this.#client = client
  }

  override createConnection(
    _place: ClientRequestArgs,
    opened: (error: Error | null, socket: Duplex | null) => void,
  ): undefined {
    void this.#client.dialer.open("websocket", opened)
  }
}
