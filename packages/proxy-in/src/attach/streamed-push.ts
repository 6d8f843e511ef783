// A push whose body goes on: messages up without a request each. It is used only after a PING through it came back,
// which proves that the path passes a body on before its end.
import { randomBytes } from "node:crypto"
import { Readable } from "node:stream"
import { preamble } from "@restante/protocol"
import type { Session } from "@restante/protocol"
import type { CarrierPort, UpCarrier } from "./carrier.ts"
import type { EdgeClient } from "./edge-client.ts"
import type { MessageRequest } from "./message-request.ts"
import type { LinkError } from "./link-error.ts"

export interface StreamedPushOptions {
  readonly client: EdgeClient
  readonly port: CarrierPort
  readonly session: Session
  readonly retryMs: () => number
}

/** A path that has not passed the PING on by then holds bodies back. */
const probeMs = 3000
/** Then it is tried again after this long, and each time after twice as long, up to the most. */
const probeAgainMs = { first: 30_000, most: 600_000 }
/** A body is ended and a new one begun this often. */
const renewMs = 240_000
const maxBufferedBytes = 2 * 1024 * 1024

export class StreamedPush implements UpCarrier {
  readonly #options: StreamedPushOptions
  #body: Readable | undefined
  #request: MessageRequest | undefined
  #proof: Buffer | undefined
  #proven = false
  /** The body takes more. Only it knows: it asks once, and again when it has drained what made it full. */
  #wanting = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #probeAgainMs = probeAgainMs.first
  id = 0

  constructor(options: StreamedPushOptions) {
    this.#options = options
  }

  get ready(): boolean {
    return this.#proven && this.#wanting
  }

  get proven(): boolean {
    return this.#proven
  }

  start(): void {
    this.#open()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#close()
    this.#request?.abort()
    this.#options.port.lost(this.id)
  }

  send(parts: readonly Buffer[]): void {
    for (const part of parts) this.#wanting = this.#body?.push(part) ?? false
  }

  /** A PONG came, perhaps the proof. */
  pong(bytes: Buffer): void {
    if (this.#proof === undefined || !this.#proof.equals(bytes)) return
    this.#proof = undefined
    this.#proven = true
    this.#probeAgainMs = probeAgainMs.first
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#renew(), renewMs)
    this.#options.port.flush()
  }

  #open(): void {
    if (this.#stopped) return
    const { client, port, session } = this.#options
    const id = port.nextCarrierId()
    const body = new Readable({
      highWaterMark: maxBufferedBytes,
      read: () => {
        if (this.#body !== body) return
        this.#wanting = true
        if (this.#proven) port.flush()
      },
    })
    this.id = id
    this.#body = body
    this.#wanting = true
    this.#proof = randomBytes(8)
    // Nothing else before the proof: a path that holds bodies back would hold it back too.
    body.push(Buffer.concat([preamble, session.pingMessage(this.#proof)]))
    const request = client.streamedPush(port.session, body, {
      onMessage: (message) => port.receive(message),
      onEnd: (error) => this.#ended(id, error),
    })
    this.#request = request
    this.#timer = setTimeout(() => this.#fallBack(id, this.#nextProbeMs()), probeMs)
  }

  #ended(id: number, error: LinkError | undefined): void {
    if (id !== this.id) {
      // One that was replaced has said all it had; what of it was not acknowledged goes again.
      if (error !== undefined) this.#options.port.lost(id)
      return
    }
    // A path that knows no such body (411, 501) is no trouble: short pushes carry on.
    const streams = this.#proven || (error !== undefined && !error.isAnswer)
    if (error !== undefined && streams) this.#options.port.failed(error)
    this.#fallBack(id, streams ? this.#options.retryMs() : this.#nextProbeMs())
  }

  #nextProbeMs(): number {
    const againMs = this.#probeAgainMs
    this.#probeAgainMs = Math.min(againMs * 2, probeAgainMs.most)
    return againMs
  }

  #fallBack(id: number, againMs: number): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#proven = false
    this.#proof = undefined
    this.#close()
    this.#request?.abort()
    this.#request = undefined
    this.#options.port.lost(id)
    this.#timer = setTimeout(() => this.#open(), againMs)
  }

  #renew(): void {
    this.#proven = false
    this.#close()
    this.#open()
  }

  #close(): void {
    const body = this.#body
    this.#body = undefined
    this.#wanting = false
    body?.push(null)
  }
}
