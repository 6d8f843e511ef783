// Writes one response to the client's connection: framing as RFC 9112 §6 and the client's version want it, the body
// under credit, and never a clean end for a body that is not whole.
import {
  chunkHeader,
  crossedHeadLimits,
  endToEndFields,
  endToEndTrailers,
  headFlags,
  lastChunk,
  parseResponseHead,
  ReceiveCredit,
  WireError,
  wireLimits,
} from "@restante/protocol"
import type { RequestHead, ResponseHead, WindowBudget } from "@restante/protocol"
import type { ClientConnection } from "../ingress/client-connection.ts"

const crlf = Buffer.from("\r\n")
/** A client that reads slower than this many bytes behind is waited for: no credit until it has caught up. */
const maxUnsentBytes = 256 * 1024

export interface ClientResponseOptions {
  readonly connection: ClientConnection
  readonly request: RequestHead
  readonly budget: WindowBudget
  /** Our name in the Via field (RFC 9110 §7.6.3). */
  readonly via: string
  readonly dateLine: () => string
}

export class ClientResponse {
  readonly #options: ClientResponseOptions
  #credit: ReceiveCredit | undefined
  #framing: "none" | "length" | "chunked" | "close" = "none"
  #remainingBytes = 0
  #unsentBytes = 0
  #keepAlive = false
  /** The final head has gone to the client. */
  begun = false

  constructor(options: ClientResponseOptions) {
    this.#options = options
  }

  /** A 1xx response (RFC 9110 §15.2): passed on, but not to HTTP/1.0. */
  informational(text: string): void {
    const { request, connection } = this.#options
    if (request.minorVersion === 0) return
    const head = parseResponseHead(text, request.method, crossedHeadLimits)
    if (head.status >= 200 || head.status === 101)
      throw new WireError("frame_malformed", "not an informational head")
    connection.writeInformational(
      Buffer.from(`${statusLine(head)}${endToEndFields(head.fields)}\r\n`, "latin1"),
    )
  }

  /** The final head, with the whole body when `final`. Throws Http1Error or WireError when the agent's words make no valid response. */
  head(flags: number, text: string, inlineBody: Buffer | undefined): void {
    const { request, connection } = this.#options
    const head = parseResponseHead(text, request.method, crossedHeadLimits)
    if (head.status < 200)
      throw new WireError("frame_malformed", "an informational head that says it is final")
    const final = (flags & headFlags.final) !== 0
    const body = inlineBody ?? noBytes
    this.#frame(head, final, body)
    this.begun = true
    const start = this.#startOf(head)
    if (!final) {
      this.#credit = new ReceiveCredit(
        wireLimits.initialWindowBytes,
        wireLimits.maxWindowBytes,
        this.#options.budget,
      )
      connection.write(Buffer.from(start, "latin1"))
      return
    }
    const prefix = this.#framing === "chunked" && body.length > 0 ? chunkHeader(body.length) : ""
    const suffix = this.#framing === "chunked" ? `${body.length > 0 ? "\r\n" : ""}${lastChunk("")}` : ""
    const whole = Buffer.allocUnsafe(start.length + prefix.length + body.length + suffix.length)
    let at = whole.write(start, 0, "latin1")
    if (prefix !== "") at += whole.write(prefix, at, "latin1")
    if (body.length > 0) at += body.copy(whole, at)
    if (suffix !== "") whole.write(suffix, at, "latin1")
    connection.write(whole)
    connection.finish(this.#keepAlive)
  }

  /** Body bytes. Returns how much credit to give back now. Throws WireError when the agent overdraws its credit or its length. */
  data(bytes: Buffer): number {
    if (this.#credit === undefined) throw new WireError("frame_unexpected", "DATA outside of a body")
    this.#credit.received(bytes.length)
    const { connection } = this.#options
    if (this.#framing === "length") {
      this.#remainingBytes -= bytes.length
      if (this.#remainingBytes < 0) throw new WireError("frame_malformed", "more body than content-length")
      connection.write(bytes)
    } else if (this.#framing === "chunked") {
      if (bytes.length > 0)
        connection.writeAll([Buffer.from(chunkHeader(bytes.length), "latin1"), bytes, crlf])
    } else if (this.#framing === "close") {
      connection.write(bytes)
    } else if (bytes.length > 0) {
      throw new WireError("frame_malformed", "a body where none may be")
    }
    this.#unsentBytes += bytes.length
    return this.drained()
  }

  /** Credit to give back because the client has read on. */
  drained(): number {
    if (this.#unsentBytes === 0 || this.#credit === undefined) return 0
    if (this.#options.connection.unsentBytes > maxUnsentBytes) return 0
    const consumed = this.#unsentBytes
    this.#unsentBytes = 0
    return this.#credit.consumed(consumed)
  }

  /** The body is whole. Throws WireError when it is not (RFC 9112 §8). */
  end(trailers: string): void {
    const { connection } = this.#options
    if (this.#remainingBytes > 0) throw new WireError("frame_malformed", "less body than content-length")
    if (this.#framing === "chunked")
      connection.write(Buffer.from(lastChunk(endToEndTrailers(trailers)), "latin1"))
    this.release()
    connection.finish(this.#keepAlive)
  }

  /** Gives the window's growth back to the budget that all responses share. */
  release(): void {
    this.#credit?.release()
    this.#credit = undefined
  }

  #frame(head: ResponseHead, final: boolean, body: Buffer): void {
    const { request } = this.#options
    this.#keepAlive = request.keepAlive
    switch (head.body.kind) {
      case "none":
        this.#framing = "none"
        if (body.length > 0) throw new WireError("frame_malformed", "a body where none may be")
        return
      case "length":
        this.#framing = "length"
        this.#remainingBytes = head.body.length - body.length
        if (final && this.#remainingBytes !== 0)
          throw new WireError("frame_malformed", "body and content-length differ")
        return
      case "chunked":
      case "close":
        if (request.minorVersion === 1) {
          this.#framing = "chunked"
        } else {
          this.#framing = "close"
          this.#keepAlive = false
        }
    }
  }

  #startOf(head: ResponseHead): string {
    const { request, via, dateLine } = this.#options
    let start =
      statusLine(head) + endToEndFields(head.fields, contentLengthAllowed(head) ? undefined : contentLength)
    if (!head.fields.has("date")) start += dateLine() // RFC 9110 §6.6.1
    start += via
    if (this.#framing === "chunked") start += "Transfer-Encoding: chunked\r\n"
    if (!this.#keepAlive) start += "Connection: close\r\n"
    else if (request.minorVersion === 0) start += "Connection: keep-alive\r\n"
    return `${start}\r\n`
  }
}

const noBytes = Buffer.alloc(0)
const contentLength: ReadonlySet<string> = new Set(["content-length"])

/** RFC 9110 §8.6: no Content-Length in a 204. */
function contentLengthAllowed(head: ResponseHead): boolean {
  return head.status !== 204
}

function statusLine(head: ResponseHead): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n`
}
