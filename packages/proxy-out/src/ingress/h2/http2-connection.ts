// One client's HTTP/2 connection: its streams, what it may open and how often it may take it back. The protocol itself is node:http2's
// (nghttp2), which bounds by itself CONTINUATION frames of a head, unanswered pings and settings, and what is malformed.
import { randomBytes } from "node:crypto"
import { constants, performServerHandshake } from "node:http2"
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2"
import type { Socket } from "node:net"
import { defaultHttp1Limits, Http1Error, parseRequestHead } from "@restante/protocol"
import type { RequestHead, Scheme } from "@restante/protocol"
import type { RequestHandler } from "../../exchange/client.ts"
import type { Guest } from "../admission.ts"
import type { Peer } from "../client-connection.ts"
import { plainAddress } from "../plain-address.ts"
import type { Patience } from "../patience.ts"
import { Backlog } from "./backlog.ts"
import { Http2Client } from "./http2-client.ts"
import { requestHeadOf } from "./request-head.ts"

export interface Http2Port {
  /** Undefined: this is only for HTTP/1.1. */
  onHttp2Request(head: RequestHead, client: Http2Client): RequestHandler | undefined
  /** The answer, as HTTP/1 bytes, to a request that is none. */
  badRequest(error: Http1Error, client: Peer): Buffer
  /** The answer, as HTTP/1 bytes, to a request that does not go on. */
  timeout(client: Peer): Buffer
  onHttp2Closed(connection: Http2Connection): void
}

/** Requests of one connection at a time. */
const maxStreams = 250
/** Streams that a client may have broken off before it is sent away (CVE-2023-44487), and how many are forgiven in a second. */
const maxEarlyCloses = 500
const forgivenPerSecond = 50
const farewellMs = 50
/** As the first window of a stream in the tunnel: more would wait here. */
const streamWindowBytes = 256 * 1024
const connectionWindowBytes = 4 * 1024 * 1024
/** Node counts in MiB what one connection may keep it from forgetting. */
const maxSessionMemoryMib = 32

export class Http2Connection implements Guest {
  readonly scheme: Scheme
  readonly under: Socket
  readonly #session: ServerHttp2Session
  readonly #socket: Socket
  readonly #port: Http2Port
  readonly #remoteAddress: string
  readonly #clients = new Set<Http2Client>()
  readonly #backlog = new Backlog()
  #earlyCloses = 0
  #quietSweeps = 0
  #closing = false

  /** `socket` has read nothing yet, or has it in its buffer; `under` carries its TLS. */
  constructor(socket: Socket, scheme: Scheme, port: Http2Port, under: Socket = socket) {
    this.#socket = socket
    this.under = under
    this.scheme = scheme
    this.#port = port
    this.#remoteAddress = plainAddress(socket.remoteAddress)
    socket.on("error", ignoreError)
    // A client that reads on, but says nothing more, cannot give windows or acknowledge anything: it counts as gone.
    socket.on("end", () => this.destroy())
    const session = performServerHandshake(socket, sessionOptions)
    this.#session = session
    session.setLocalWindowSize(connectionWindowBytes)
    session.on("error", ignoreError)
    session.on("close", () => {
      socket.destroy()
      port.onHttp2Closed(this)
    })
    session.on("stream", (stream, _fields, flags, raw) => this.#onStream(stream, flags, raw))
  }

  /** Bytes that the client has not taken yet; in streams that are over as well. */
  get unsentBytes(): number {
    let bytes = this.#socket.writableLength
    for (const client of this.#clients) bytes += client.unsentBytes
    return bytes
  }

  get restSweeps(): number {
    return this.#clients.size > 0 ? 0 : this.#quietSweeps
  }

  /** No further request; what runs goes on (RFC 9113 section 6.8). */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#session.close()
  }

  /** Resolves when the client has taken what was written and has left, or after `graceMs` without it. */
  async finished(graceMs: number): Promise<void> {
    this.close()
    const timer = setTimeout(() => this.destroy(), graceMs)
    await new Promise((resolve) => this.#socket.once("close", resolve))
    clearTimeout(timer)
  }

  destroy(): void {
    this.#session.destroy()
    this.#socket.destroy()
  }

  /** Looked at once per sweep. */
  sweep(patience: Patience, sweepMs: number): void {
    this.#earlyCloses = Math.max(0, this.#earlyCloses - (forgivenPerSecond * sweepMs) / 1000)
    this.#quietSweeps = this.#clients.size > 0 ? 0 : this.#quietSweeps + 1
    for (const client of this.#clients) client.sweep(patience, sweepMs)
    if (this.#quietSweeps * sweepMs >= patience.idleMs) this.close()
    // Whoever has been asked to go and has not left by then is not listening.
    if (this.#quietSweeps * sweepMs >= patience.idleMs + patience.headMs) this.destroy()
  }

  #onStream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    if (this.#closing) {
      stream.on("error", ignoreError)
      return stream.close(constants.NGHTTP2_REFUSED_STREAM)
    }
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    let request: RequestHead
    try {
      request = requestHeadOf({ raw, ended, websocketKey: () => randomBytes(16).toString("base64") })
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error
      const method = raw[raw.indexOf(":method") + 1] ?? ""
      const client = this.#clientOf(stream, { ...noRequest, method }, ended)
      client.answer(this.#port.badRequest(error, client))
      return
    }
    const client = this.#clientOf(stream, request, ended)
    const handler = this.#port.onHttp2Request(request, client)
    if (handler === undefined) client.wantHttp1()
    else client.serve(handler)
  }

  #clientOf(stream: ServerHttp2Stream, request: RequestHead, ended: boolean): Http2Client {
    const client = new Http2Client({
      stream,
      request,
      ended,
      remoteAddress: this.#remoteAddress,
      scheme: this.scheme,
      backlog: this.#backlog,
      timeout: (late) => this.#port.timeout(late),
      onClosed: (closed, early) => this.#onClosed(closed, early),
    })
    this.#clients.add(client)
    return client
  }

  #onClosed(client: Http2Client, early: boolean): void {
    this.#clients.delete(client)
    if (!early || ++this.#earlyCloses <= maxEarlyCloses || this.#closing) return
    this.#closing = true
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    // The word leaves before the connection ends; whatever still comes is refused.
    setTimeout(() => this.destroy(), farewellMs).unref()
  }
}

/** What an answer to no valid request is for. */
const noRequest = parseRequestHead("GET / HTTP/1.0\r\n\r\n")

/** Fields of a head, pseudo fields among them: the last one of ours that is too many still gets its 431. */
const mostFields = defaultHttp1Limits.maxFieldLines + 8

const sessionOptions = {
  maxSessionMemory: maxSessionMemoryMib,
  maxHeaderListPairs: mostFields,
  // RFC 9110 section 5.3: what may stand there only once is the reader's to know, and the upstream's.
  strictSingleValueFields: false,
  settings: {
    maxConcurrentStreams: maxStreams,
    initialWindowSize: streamWindowBytes,
    // Somewhat more than a head may have, so that its sender is told 431 and not only cut off.
    maxHeaderListSize: 2 * defaultHttp1Limits.maxHeadBytes,
    enableConnectProtocol: true,
    enablePush: false,
  },
} as const

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
