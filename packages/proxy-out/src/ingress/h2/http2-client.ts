// A client that speaks HTTP/2: one stream of its connection, which is one request and its response (RFC 9113 section 8.1), or a
// WebSocket in the place of both (RFC 8441).
import { createHash } from "node:crypto"
import { constants } from "node:http2"
import type { ServerHttp2Stream } from "node:http2"
import { parseFieldBlock, parseResponseHead } from "@restante/protocol"
import type { RequestHead, ResponseHead, Scheme } from "@restante/protocol"
import type { Client, RequestHandler } from "../../exchange/client.ts"
import { errorResponse } from "../../exchange/error-response.ts"
import type { ErrorResponse } from "../../exchange/error-response.ts"
import { requestTimeout } from "../lose-patience.ts"
import { Pace } from "../pace.ts"
import { bodyPace, type Patience } from "../patience.ts"
import type { Backlog } from "./backlog.ts"
import { responseFields, trailerFields, trailerLines } from "./fields.ts"

export interface Http2ClientOptions {
  readonly stream: ServerHttp2Stream
  readonly request: RequestHead
  readonly remoteAddress: string
  readonly scheme: Scheme
  /** Of its connection. */
  readonly backlog: Backlog
  /** Nothing follows the request's head. */
  readonly ended: boolean
  /** Our answer, as HTTP/1 bytes, to a request whose body does not come. */
  readonly timeout: (client: Http2Client) => Buffer
  /** The stream is closed. `early`: before its response was whole, and not by us. */
  readonly onClosed: (client: Http2Client, early: boolean) => void
}

export class Http2Client implements Client {
  readonly protocol = "h2"
  readonly remoteAddress: string
  readonly scheme: Scheme
  readonly #options: Http2ClientOptions
  readonly #stream: ServerHttp2Stream
  readonly #request: RequestHead
  #handler: RequestHandler | undefined
  #requestEnded: boolean
  #trailers = ""
  #responseTrailers = ""
  #answerBegun = false
  #closedByUs = false
  #broken = false
  #paused = false
  /** It is a WebSocket: each side ends for itself. */
  #raw = false
  #pauseTold = false
  #receivedBytes = 0
  #givenBytes = 0
  readonly #pace = new Pace()
  #swept: "nothing" | "taking" | "sending" = "nothing"

  constructor(options: Http2ClientOptions) {
    const { stream, request, remoteAddress, scheme, ended } = options
    this.#options = options
    this.#stream = stream
    this.#request = request
    this.remoteAddress = remoteAddress
    this.scheme = scheme
    this.#requestEnded = ended
    stream.on("error", ignoreError)
    stream.on("close", () => this.#onClose())
    // What its client closed with NO_ERROR, node:http2 keeps until what was written has been sent, which it never is.
    stream.on("aborted", () => setImmediate(() => void (this.#closedByUs || stream.destroy())))
    stream.on("wantTrailers", () => this.#sendTrailers())
  }

  /** From now on `handler` serves it. */
  serve(handler: RequestHandler): void {
    this.#handler = handler
    if (this.#requestEnded || this.#request.body.kind === "none") {
      // What the client of a WebSocket says waits in the stream until there is somebody to say it to; of a CONNECT nobody reads it.
      if (this.#requestEnded) this.#stream.resume()
      handler.onBodyEnd("")
      return
    }
    this.#read()
    this.#tellPause()
  }

  get phase(): "head" | "body" | "response" {
    if (this.#handler === undefined) return "head"
    return this.#requestEnded ? "response" : "body"
  }

  get unsentBytes(): number {
    const bytes = this.#stream.writableLength
    return bytes > 0 && this.#options.backlog.full ? Number.POSITIVE_INFINITY : bytes
  }

  goOn(): void {
    if (this.#open) this.#stream.additionalHeaders({ ":status": 100 })
  }

  informational({ status }: ResponseHead, fields: string): void {
    if (!this.#open || this.#answerBegun) return
    this.#say(() => this.#stream.additionalHeaders({ ":status": status, ...trailerFields(fields) }))
  }

  whole(head: ResponseHead, fields: string, body: Buffer): void {
    this.#answerBegun = true
    this.#handler = undefined
    if (!this.#open) return
    const endStream = body.length === 0
    if (!this.#say(() => this.#stream.respond(responseFields(head.status, fields), { endStream }))) return
    if (!endStream) this.#stream.end(body)
    this.#givenBytes += body.length
    this.#leaveRest()
  }

  begin(head: ResponseHead, fields: string): void {
    if (head.status === 101) return this.#switch(head, fields)
    this.#answerBegun = true
    if (!this.#open) return
    this.#say(() => this.#stream.respond(responseFields(head.status, fields), { waitForTrailers: true }))
  }

  turnRaw(): void {
    this.#requestEnded = false
    this.#read()
  }

  data(bytes: Buffer): void {
    if (!this.#open) return
    const { backlog } = this.#options
    const { length } = bytes
    this.#givenBytes += length
    backlog.wrote(length)
    this.#stream.write(bytes, () => {
      backlog.taken(length)
      if (this.#stream.writableLength === 0) this.#handler?.onClientDrain()
    })
  }

  end(trailers: string): void {
    if (this.#raw) {
      if (this.#open) this.#stream.end()
      return
    }
    this.#responseTrailers = trailers
    this.#handler = undefined
    if (!this.#open) return
    this.#stream.end()
    this.#leaveRest()
  }

  close(): void {
    this.#handler = undefined
    if (this.#open) this.#closeBehindEnd()
  }

  refuse(error: Omit<ErrorResponse, "keepAlive">): void {
    this.answer(errorResponse({ ...error, keepAlive: true }))
  }

  /** An answer of ours, as HTTP/1 bytes. */
  answer(bytes: Buffer): void {
    const end = bytes.indexOf("\r\n\r\n") + 4
    const head = parseResponseHead(bytes.toString("latin1", 0, end), this.#request.method)
    this.#answerBegun = true
    this.#handler = undefined
    if (!this.#open) return
    const endStream = end === bytes.length || this.#request.method === "HEAD"
    this.#stream.respond(responseFields(head.status, head.fields.raw), { endStream })
    if (!endStream) this.#stream.end(bytes.subarray(end))
    this.#givenBytes += bytes.length - end
    this.#leaveRest()
  }

  reset(): void {
    this.#handler = undefined
    this.#break(constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** This server wants the request over HTTP/1.1 (RFC 9113 section 7). */
  wantHttp1(): void {
    this.#break(constants.NGHTTP2_HTTP_1_1_REQUIRED)
  }

  pauseBody(): void {
    this.#paused = true
    this.#stream.pause()
  }

  resumeBody(): void {
    this.#paused = false
    this.#stream.resume()
  }

  /** Looked at once per sweep: gives up a request whose body comes too slowly or not at all, and a client that takes too little of its answer. */
  sweep(patience: Patience, sweepMs: number): void {
    if (this.#stream.closed) this.#stream.destroy() // as above, and our side had ended
    const unsent = this.#stream.writableLength
    const does = unsent > 0 ? "taking" : !this.#answerBegun && this.#awaitsBody ? "sending" : "nothing"
    const doneBytes = does === "sending" ? this.#receivedBytes : this.#givenBytes - unsent
    if (does === "nothing" || does !== this.#swept) {
      this.#swept = does
      this.#pace.begin(doneBytes)
      return
    }
    const hasLength = does === "taking" || this.#request.body.kind === "length"
    const quiet = this.#pace.missed(doneBytes, (bodyPace(patience, hasLength) * sweepMs) / 1000)
    if (quiet * sweepMs >= (does === "taking" ? patience.stalledReaderMs : patience.bodyMs)) this.#giveUp()
  }

  /** When it is an exchange. */
  get exchangeId(): string | undefined {
    return this.#handler?.ticket?.id
  }

  get #open(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed
  }

  get #awaitsBody(): boolean {
    return (
      this.#handler !== undefined &&
      !this.#requestEnded &&
      !this.#paused &&
      this.#request.upgrade === undefined &&
      this.#handler.patient !== true
    )
  }

  #giveUp(): void {
    const answer = this.#answerBegun ? undefined : this.#options.timeout(this)
    const handler = this.#handler
    this.#handler = undefined
    handler?.onClientGone(answer === undefined ? undefined : requestTimeout)
    if (answer === undefined) this.reset()
    else this.answer(answer)
  }

  #read(): void {
    const stream = this.#stream
    stream.on("trailers", (_fields, _flags, raw: readonly string[] | undefined) => {
      this.#trailers = trailerLines(raw ?? [])
    })
    stream.on("data", (bytes: Buffer) => {
      this.#receivedBytes += bytes.length
      this.#handler?.onBody(bytes)
      this.#tellPause()
    })
    stream.on("end", () => {
      if (stream.aborted || stream.destroyed) return
      this.#requestEnded = true
      this.#handler?.onBodyEnd(this.#trailers)
    })
  }

  /** Once for all that has arrived by now. */
  #tellPause(): void {
    if (this.#pauseTold) return
    this.#pauseTold = true
    setImmediate(() => {
      this.#pauseTold = false
      if (!this.#requestEnded) this.#handler?.onReadPaused()
    })
  }

  /** A WebSocket begins (RFC 8441 section 5): what its HTTP/1 handshake proves is proved to us, the client is told 200. */
  #switch(head: ResponseHead, fields: string): void {
    const { fields: asked } = this.#request
    const accept = createHash("sha1")
      .update(`${asked.get("sec-websocket-key")}${websocketId}`)
      .digest("base64")
    if (head.fields.get("sec-websocket-accept") !== accept)
      return this.#break(constants.NGHTTP2_CONNECT_ERROR)
    this.#answerBegun = true
    this.#raw = true
    if (!this.#open) return
    const kept = fields.replaceAll(/^sec-websocket-accept:.*\r\n/gim, "")
    this.#say(() => this.#stream.respond(responseFields(200, kept), { waitForTrailers: true }))
  }

  #sendTrailers(): void {
    // Node ends a stream before it resets it; waiting for trailers keeps that end from being sent, and a broken body from looking whole.
    if (this.#broken || this.#stream.destroyed) return
    const lines = this.#responseTrailers
    this.#say(() => this.#stream.sendTrailers(lines === "" ? {} : trailerFields(parseFieldBlock(lines).raw)))
  }

  /** Fields that node:http2 refuses end the stream; before Node 24.15 these are repeated ones that RFC 9110 wants only once. */
  #say(step: () => void): boolean {
    try {
      step()
      return true
    } catch {
      this.#break(constants.NGHTTP2_INTERNAL_ERROR)
      return false
    }
  }

  /** RFC 9113 section 8.1: the response is whole, nobody reads the rest of the request. */
  #leaveRest(): void {
    if (this.#requestEnded) return
    this.#stream.resume()
    this.#closeBehindEnd()
  }

  /** Not before: what is closed with NO_ERROR while something waits to be sent makes node:http2 go round in a loop that ends the whole process's work. */
  #closeBehindEnd(): void {
    this.#closedByUs = true
    const stream = this.#stream
    if (!stream.writableEnded || stream.writableFinished) stream.close(constants.NGHTTP2_NO_ERROR)
    else stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR))
  }

  #break(code: number): void {
    this.#closedByUs = true
    this.#broken = true
    if (!this.#stream.destroyed) this.#stream.close(code)
  }

  #onClose(): void {
    const handler = this.#handler
    this.#handler = undefined
    const { rstCode } = this.#stream
    handler?.onClientGone()
    this.#options.onClosed(this, rstCode !== constants.NGHTTP2_NO_ERROR && !this.#closedByUs)
  }
}

const websocketId = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
