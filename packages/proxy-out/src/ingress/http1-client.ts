// A client that speaks HTTP/1: gives responses the framing that RFC 9112 §6 and the client's version want. There is one for
// every connection, and it serves one request after the other.
import { chunkHeader, lastChunk } from "@restante/protocol"
import type { RequestHead, ResponseHead, Scheme } from "@restante/protocol"
import type { Client } from "../exchange/client.ts"
import { errorResponse } from "../exchange/error-response.ts"
import type { ErrorResponse } from "../exchange/error-response.ts"

/** What it needs of the connection. */
export interface Http1Connection {
  readonly remoteAddress: string
  readonly scheme: Scheme
  readonly unsentBytes: number
  write(bytes: Buffer): void
  /** Several pieces as one packet. */
  writeAll(pieces: readonly Buffer[]): void
  /** A 1xx response: the final answer is still to come. */
  writeInformational(bytes: Buffer): void
  /** The answer is whole. */
  finish(keepAlive: boolean): void
  /** What follows the request is not HTTP any more. */
  turnRaw(): void
  /** Ends our side of a raw connection. */
  endRaw(): void
  reset(): void
  pauseBody(): void
  resumeBody(): void
}

export class Http1Client implements Client {
  readonly scheme: Scheme
  readonly #connection: Http1Connection
  #framing: "none" | "length" | "chunked" | "close" | "raw" = "none"
  #minorVersion: 0 | 1 = 1
  /** Whether the connection can go on after the response. */
  #keepAlive = false

  constructor(connection: Http1Connection) {
    this.#connection = connection
    this.scheme = connection.scheme
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  get unsentBytes(): number {
    return this.#connection.unsentBytes
  }

  /** The next request of the connection. */
  next({ minorVersion, keepAlive }: RequestHead): this {
    this.#minorVersion = minorVersion
    this.#keepAlive = keepAlive
    return this
  }

  goOn(): void {
    this.#connection.writeInformational(continueResponse)
  }

  informational(head: ResponseHead, fields: string): void {
    if (this.#minorVersion === 0) return
    this.#connection.writeInformational(Buffer.from(`${statusLine(head)}${fields}\r\n`, "latin1"))
  }

  whole(head: ResponseHead, fields: string, body: Buffer): void {
    this.#frame(head)
    const start = this.#startOf(head, fields)
    const prefix = this.#framing === "chunked" && body.length > 0 ? chunkHeader(body.length) : ""
    const suffix = this.#framing === "chunked" ? `${body.length > 0 ? "\r\n" : ""}${lastChunk("")}` : ""
    const all = Buffer.allocUnsafe(start.length + prefix.length + body.length + suffix.length)
    let at = all.write(start, 0, "latin1")
    if (prefix !== "") at += all.write(prefix, at, "latin1")
    if (body.length > 0) at += body.copy(all, at)
    if (suffix !== "") all.write(suffix, at, "latin1")
    this.#connection.write(all)
    this.#connection.finish(this.#keepAlive)
  }

  begin(head: ResponseHead, fields: string): void {
    this.#frame(head)
    this.#connection.write(Buffer.from(this.#startOf(head, fields), "latin1"))
  }

  turnRaw(): void {
    this.#connection.turnRaw()
  }

  data(bytes: Buffer): void {
    if (this.#framing === "chunked")
      this.#connection.writeAll([Buffer.from(chunkHeader(bytes.length), "latin1"), bytes, crlf])
    else this.#connection.write(bytes)
  }

  end(trailers: string): void {
    if (this.#framing === "raw") return this.#connection.endRaw()
    if (this.#framing === "chunked") this.#connection.write(Buffer.from(lastChunk(trailers), "latin1"))
    this.#connection.finish(this.#keepAlive)
  }

  close(): void {
    this.#connection.finish(false)
  }

  refuse(error: Omit<ErrorResponse, "keepAlive">, keepAlive: boolean): void {
    this.#connection.write(errorResponse({ ...error, keepAlive }))
    this.#connection.finish(keepAlive)
  }

  reset(): void {
    this.#connection.reset()
  }

  pauseBody(): void {
    this.#connection.pauseBody()
  }

  resumeBody(): void {
    this.#connection.resumeBody()
  }

  #frame({ status, body }: ResponseHead): void {
    if (status === 101) this.#framing = "raw"
    else if (body.kind === "none" || body.kind === "length") this.#framing = body.kind
    else if (this.#minorVersion === 1) this.#framing = "chunked"
    else {
      this.#framing = "close"
      this.#keepAlive = false
    }
  }

  #startOf(head: ResponseHead, fields: string): string {
    let start = statusLine(head) + fields
    if (this.#framing === "raw") return `${start}\r\n`
    if (this.#framing === "chunked") start += "Transfer-Encoding: chunked\r\n"
    if (!this.#keepAlive) start += "Connection: close\r\n"
    else if (this.#minorVersion === 0) start += "Connection: keep-alive\r\n"
    return `${start}\r\n`
  }
}

const continueResponse = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n")
const crlf = Buffer.from("\r\n")

function statusLine(head: ResponseHead): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n`
}
