// One exchange on an HTTP/2 connection to the upstream. Towards the exchange it is a connection of HTTP/1: the request's bytes are read
// by our own reader and go on as frames, the response's fields come back as an HTTP/1 head that is checked like every other.
import { createHash } from "node:crypto"
import { constants, type ClientHttp2Stream } from "node:http2"
import { Http1Error, parseResponseHead, RequestReader } from "@restante/protocol"
import type { MessageSink, RequestHead } from "@restante/protocol"
import type { ConnectionUser, RawUser } from "../connection.ts"
import { connectOverdue, unreadableResponse } from "../failures.ts"
import type { UpstreamFailure } from "../failures.ts"
import type { UpstreamLink } from "../upstreams.ts"
import { fieldLines, requestFields, responseText, trailerFields } from "./fields.ts"
import type { Http2Session } from "./http2-session.ts"

export interface Http2LinkOptions {
  readonly session: Http2Session
  readonly user: ConnectionUser
  readonly clock: { now(): number }
  readonly connectTimeoutMs: number
  readonly onClosed: (link: Http2Link) => void
}

export class Http2Link implements UpstreamLink, MessageSink<RequestHead> {
  readonly persistent = true
  readonly #options: Http2LinkOptions
  readonly #session: Http2Session
  readonly #reader: RequestReader
  readonly #told = (): void => this.#onSession()
  #user: ConnectionUser | undefined
  #raw: RawUser | undefined
  #stream: ClientHttp2Stream | undefined
  #method = ""
  #websocketKey: string | undefined
  #requestTrailers = ""
  #responseTrailers = ""
  #begun = false
  #ended = false
  #closed = false
  #reading = true
  #readTold = false
  #unreadBytes = 0
  /** Writes so far, those that have been taken, and who waits for which of them. */
  #written = 0
  #taken = 0
  readonly #awaiting: { readonly at: number; readonly onTaken: () => void }[] = []
  #deadlineAt: number

  constructor(options: Http2LinkOptions) {
    this.#options = options
    this.#session = options.session
    this.#user = options.user
    this.#reader = new RequestReader(this)
    this.#deadlineAt = options.clock.now() + options.connectTimeoutMs
    if (this.ready) this.#deadlineAt = Number.POSITIVE_INFINITY
    this.#session.enter(this.#told)
  }

  get ready(): boolean {
    return this.#session.ready
  }

  get unsentBytes(): number {
    return this.#stream?.writableLength ?? 0
  }

  begin(method: string): void {
    this.#method = method
  }

  write(bytes: Buffer | string, onTaken?: () => void): void {
    const piece = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes
    if (this.#raw !== undefined) this.onData(piece)
    else if (!this.#closed) this.#read(piece)
    if (onTaken === undefined) return
    if (this.#taken === this.#written) queueMicrotask(onTaken)
    else this.#awaiting.push({ at: this.#written, onTaken })
  }

  together(step: () => void): void {
    step()
  }

  turnRaw(user: RawUser): void {
    this.#raw = user
    this.#user = undefined
  }

  endWriting(): void {
    this.#stream?.end()
  }

  expectWithin(milliseconds: number): void {
    this.#deadlineAt =
      milliseconds === 0 ? Number.POSITIVE_INFINITY : this.#options.clock.now() + milliseconds
  }

  tick(now: number): void {
    if (now < this.#deadlineAt) return
    this.#deadlineAt = Number.POSITIVE_INFINITY
    if (this.#raw !== undefined) this.#raw.onOverdue()
    else if (this.ready) this.#user?.onOverdue()
    else this.#break(connectOverdue(this.#session.stage))
  }

  pause(): void {
    this.#reading = false
    this.#stream?.pause()
  }

  resume(): void {
    if (this.#reading) return
    this.#reading = true
    this.#stream?.resume()
  }

  release(): void {
    this.#user = undefined
    this.#raw = undefined
    if (this.#stream?.writableFinished === true && this.#ended) this.#close(constants.NGHTTP2_NO_ERROR)
    else this.#close(constants.NGHTTP2_CANCEL)
  }

  abort(): void {
    this.#user = undefined
    this.#raw = undefined
    this.#close(constants.NGHTTP2_CANCEL)
  }

  // For the reader of the request.

  onHead(head: RequestHead): void {
    if (head.upgrade !== undefined) {
      if (!this.#session.takesConnect || head.upgrade.toLowerCase() !== "websocket") {
        const failure = { code: "upgrade_failed", detail: "upstream without RFC 8441" } as const
        return queueMicrotask(() => this.#break(failure))
      }
      this.#websocketKey = head.fields.get("sec-websocket-key") ?? ""
    }
    const endStream = this.#websocketKey === undefined && isEmpty(head)
    const fields = requestFields(head, this.#session.scheme, this.#websocketKey !== undefined)
    const stream = this.#request(fields, endStream)
    if (stream === undefined) return
    this.#stream = stream
    stream.on("error", ignoreError)
    stream.on("headers", (_fields, _flags, raw: readonly string[] | undefined) =>
      this.#guarded(() => this.#informational(raw ?? [])),
    )
    stream.on("response", (_fields, flags, raw: readonly string[] | undefined) =>
      this.#guarded(() => this.#onResponse(raw ?? [], flags)),
    )
    stream.on("data", (bytes: Buffer) => this.#guarded(() => this.#onBytes(bytes)))
    stream.on(
      "trailers",
      (_fields, _flags, raw: readonly string[] | undefined) =>
        (this.#responseTrailers = fieldLines(raw ?? [])),
    )
    stream.on("end", () => this.#guarded(() => this.#onEnd()))
    stream.on("drain", () => this.#raw?.onDrain())
    stream.on("wantTrailers", () => {
      // Node ends a stream before it resets it: without its trailers that end is not sent, and half a request does not look whole.
      if (this.#closed || stream.destroyed) return
      try {
        stream.sendTrailers(trailerFields(this.#requestTrailers))
      } catch (error) {
        this.#break(rejected(error))
      }
    })
    stream.on("close", () => this.#onClose(stream.rstCode))
  }

  onData(bytes: Buffer): void {
    const stream = this.#stream
    if (stream === undefined || stream.destroyed || stream.closed) return
    const at = ++this.#written
    stream.write(bytes, () => {
      this.#taken = at
      while (this.#awaiting.length > 0 && this.#awaiting[0]!.at <= at) this.#awaiting.shift()?.onTaken()
    })
  }

  /** The request is whole. */
  onEnd(trailers: string): void {
    this.#requestTrailers = trailers
    if (this.#websocketKey === undefined) this.#stream?.end()
  }

  #request(fields: string[], endStream: boolean): ClientHttp2Stream | undefined {
    try {
      return this.#session.session.request(fields, { endStream, waitForTrailers: !endStream })
    } catch (error) {
      const leaving = !isFieldError(error)
      queueMicrotask(() =>
        leaving ? this.#break(this.#session.failure(false), true) : this.#break(rejected(error)),
      )
      return undefined
    }
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader.read(bytes)
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error
      queueMicrotask(() => this.#break({ code: "request_rejected", detail: error.code }))
    }
  }

  // The upstream's side.

  #onSession(): void {
    if (this.#closed) return
    if (!this.ready) return this.#break(this.#session.failure(false))
    this.#deadlineAt = Number.POSITIVE_INFINITY
    this.#user?.onReady()
  }

  #informational(raw: readonly string[]): void {
    const head = parseResponseHead(responseText(raw), this.#method)
    this.#begun = true
    this.#user?.onInformational(head)
  }

  #onResponse(raw: readonly string[], flags: number): void {
    this.#begun = true
    const user = this.#user
    if (user === undefined) return
    if (this.#websocketKey !== undefined && /^2\d\d$/.test(raw[raw.indexOf(":status") + 1] ?? "")) {
      const accept = createHash("sha1").update(`${this.#websocketKey}${websocketId}`).digest("base64")
      const added = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`
      return user.onHead(parseResponseHead(responseText(raw, 101, added), this.#method))
    }
    user.onHead(parseResponseHead(responseText(raw), this.#method))
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) return this.#finish("")
    this.#tellRead()
  }

  #onBytes(bytes: Buffer): void {
    if (this.#raw !== undefined) return this.#raw.onBytes(bytes)
    this.#user?.onBody(bytes)
    this.#unreadBytes += bytes.length
    if (this.#unreadBytes >= mostUnreadBytes) this.#readEnd()
    else this.#tellRead()
  }

  #onEnd(): void {
    const stream = this.#stream
    if (stream === undefined || stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return
    if (this.#raw !== undefined) this.#raw.onInputEnd()
    else if (!this.#ended) this.#finish(this.#responseTrailers)
  }

  #finish(trailers: string): void {
    this.#ended = true
    this.#user?.onBodyEnd(trailers)
    this.#readEnd()
  }

  /** Soon, for all that has come by then. */
  #tellRead(): void {
    if (this.#readTold) return
    this.#readTold = true
    setImmediate(() => this.#guarded(() => this.#readEnd()))
  }

  #readEnd(): void {
    this.#readTold = false
    this.#unreadBytes = 0
    this.#user?.onReadEnd()
  }

  /** A response that is none ends its exchange, and not the connection that carries others. */
  #guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#break(unreadableResponse(error))
    }
  }

  #onClose(code: number): void {
    if (this.#closed) return
    const unprocessed = code === constants.NGHTTP2_REFUSED_STREAM
    const failure =
      this.#session.session.destroyed && !unprocessed
        ? this.#session.failure(this.#begun)
        : ({
            code: this.#begun ? "upstream_incomplete" : "upstream_terminated",
            detail: `RST_STREAM ${code}`,
          } as const)
    this.#break(failure, unprocessed)
  }

  #break(failure: UpstreamFailure, unprocessed = false): void {
    const user = this.#user
    const raw = this.#raw
    this.#user = undefined
    this.#raw = undefined
    this.#close(constants.NGHTTP2_CANCEL)
    if (raw === undefined) user?.onBroken(failure, unprocessed, unprocessed)
    else raw.onBroken(failure)
  }

  #close(code: number): void {
    if (this.#closed) return
    this.#closed = true
    this.#deadlineAt = Number.POSITIVE_INFINITY
    const stream = this.#stream
    if (stream !== undefined && !stream.destroyed) stream.close(code)
    this.#session.left(this.#told)
    this.#options.onClosed(this)
  }
}

const websocketId = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
/** As much as one read of an HTTP/1 connection brings at a time. */
const mostUnreadBytes = 128 * 1024

/** Fields that node:http2 refuses; before Node 24.15 these are repeated ones that RFC 9110 wants only once. */
function rejected(error: unknown): UpstreamFailure {
  return { code: "request_rejected", detail: codeOf(error) }
}

/** Else the connection is about to end, and has not been given the request. */
function isFieldError(error: unknown): boolean {
  return /HEADER/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown"
}

function isEmpty({ body }: RequestHead): boolean {
  return body.kind === "none" || (body.kind === "length" && body.length === 0)
}

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
