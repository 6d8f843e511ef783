// Polls that carry a session: one that ends with its first message, and one whose answer goes on with many.
import { randomBytes } from "node:crypto"
import { messagesMediaType, preamble } from "@restante/protocol"
import type { ClientConnection } from "../ingress/client-connection.ts"
import type { AgentSession } from "./agent-session.ts"
import type { Carrier } from "./carrier.ts"

const common = `HTTP/1.1 200 OK\r\nRestante-Version: 1\r\nContent-Type: ${messagesMediaType}\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n`
const streamedHead = Buffer.from(`${common}Transfer-Encoding: chunked\r\n\r\n`, "latin1")
const emptyHead = Buffer.from(
  "HTTP/1.1 204 No Content\r\nRestante-Version: 1\r\nCache-Control: no-store\r\n\r\n",
  "latin1",
)
const crlf = Buffer.from("\r\n")
const lastChunk = Buffer.from("0\r\n\r\n")
/** An answer that is not read holds back the session's messages from here on. */
const maxUnsentBytes = 1024 * 1024
const remindMs = { first: 1000, most: 30_000 }

/** The answer to a POST of messages: these messages. */
export function writeMessages(connection: ClientConnection, parts: readonly Buffer[]): void {
  let bytes = preamble.length
  for (const part of parts) bytes += part.length
  connection.writeAll([
    Buffer.from(`${common}Content-Length: ${bytes}\r\n\r\n`, "latin1"),
    preamble,
    ...parts,
  ])
}

/** A long poll: answered with the first message, or empty when there is none for long. */
export class PollCarrier implements Carrier {
  readonly id: number
  readonly kind = "poll"
  readonly #connection: ClientConnection
  readonly #session: AgentSession
  readonly #keepAlive: boolean
  #open = true
  answered = false

  constructor(connection: ClientConnection, session: AgentSession, keepAlive: boolean) {
    this.#connection = connection
    this.#session = session
    this.#keepAlive = keepAlive
    this.id = session.carrierId()
  }

  get ready(): boolean {
    return this.#open
  }

  send(parts: readonly Buffer[]): void {
    this.#open = false
    this.#answered()
    writeMessages(this.#connection, parts)
    this.#connection.finish(this.#keepAlive)
    // Whether it arrives only the agent can tell: it asks for what it misses.
    this.#session.detach(this, true)
  }

  /** Ends it empty. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#answered()
    this.#connection.write(emptyHead)
    this.#connection.finish(this.#keepAlive)
    this.#session.detach(this, true)
  }

  #answered(): void {
    this.answered = true
    const session = this.#session
    this.#connection.whenEnded = () => (session.betweenPolls = false)
  }

  /** The agent's connection is gone. */
  lost(): void {
    if (!this.#open) return
    this.#open = false
    this.#session.detach(this, true)
  }

  drained(): void {}
}

/**
 * A poll whose answer streams: as many messages as come, until the agent opens another or leaves. It opens with a PING, and
 * takes messages only once the PONG has come: a path that holds answers back would swallow them.
 */
export class StreamedPollCarrier implements Carrier {
  readonly id: number
  readonly kind = "streamed"
  readonly #connection: ClientConnection
  readonly #session: AgentSession
  readonly #proof = randomBytes(8)
  #proven = false
  #open = true
  #reminder: NodeJS.Timeout | undefined

  constructor(connection: ClientConnection, session: AgentSession) {
    this.#connection = connection
    this.#session = session
    this.id = session.carrierId()
    connection.write(streamedHead)
    // The first message comes at once: by it the agent sees that the path does not wait for the end.
    this.#chunk([preamble, this.#ping()])
    this.#remind(remindMs.first)
  }

  get ready(): boolean {
    return this.#open && this.#proven && this.#connection.unsentBytes < maxUnsentBytes
  }

  onPong(bytes: Buffer): void {
    if (this.#proven || !this.#proof.equals(bytes)) return
    this.#proven = true
    clearTimeout(this.#reminder)
    this.#session.replaceStreamed(this)
    this.#session.flush()
  }

  send(parts: readonly Buffer[]): void {
    this.#chunk(parts)
  }

  close(): void {
    if (!this.#open) return
    this.#connection.write(lastChunk)
    this.#connection.finish(true)
    // Its end may not arrive: what is unacknowledged goes again on the next one, and duplicates are dropped there.
    this.lost()
  }

  lost(): void {
    if (!this.#open) return
    this.#open = false
    clearTimeout(this.#reminder)
    this.#session.detach(this, false)
  }

  drained(): void {
    if (this.#open) this.#session.flush()
  }

  /** The PONG may have been lost on its way: asked for again, less and less often. */
  #remind(afterMs: number): void {
    this.#reminder = setTimeout(() => {
      this.#chunk([this.#ping()])
      this.#remind(Math.min(afterMs * 2, remindMs.most))
    }, afterMs).unref()
  }

  #ping(): Buffer {
    return this.#session.session.pingMessage(this.#proof)
  }

  #chunk(parts: readonly Buffer[]): void {
    let bytes = 0
    for (const part of parts) bytes += part.length
    this.#connection.writeAll([Buffer.from(`${bytes.toString(16)}\r\n`, "latin1"), ...parts, crlf])
  }
}
