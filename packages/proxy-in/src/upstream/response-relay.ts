// A response on its way from the upstream to the session. One that arrives whole and small goes as one frame; every
// other one as a head, bytes under credit, and an end.
import { endToEndFields, endToEndTrailers, headFlags, upgradeLines, wireLimits } from "@restante/protocol"
import type { ResponseHead } from "@restante/protocol"
import type { BodyBuffers } from "./body-buffers.ts"
import { OutgoingBytes } from "./outgoing-bytes.ts"
import type { ReplyStream } from "./reply-stream.ts"

export class ResponseRelay {
  readonly #reply: ReplyStream
  readonly #buffers: BodyBuffers
  readonly #http2: boolean
  /** "held": the head is read, and may still go out together with its body. */
  #phase: "awaited" | "held" | "open" | "complete" = "awaited"
  #status = 0
  #head = ""
  /** What the current read brought: parts of the read buffer, copied once by `flush`. */
  #parts: Buffer[] = []
  #partsBytes = 0
  /** Once the body goes by itself. */
  #outgoing: OutgoingBytes | undefined
  #trailers: string | undefined
  /** What the upstream has sent of the body. */
  bodyBytes = 0

  /** `http2`: what the upstream speaks, for Via. */
  constructor(reply: ReplyStream, buffers: BodyBuffers, http2 = false) {
    this.#http2 = http2
    this.#reply = reply
    this.#buffers = buffers
  }

  /** Of the final head; 0 before. */
  get status(): number {
    return this.#status
  }

  /** The final head has come. */
  get begun(): boolean {
    return this.#phase !== "awaited"
  }

  /** The upstream has sent everything. */
  get received(): boolean {
    return this.#trailers !== undefined
  }

  /** Everything has been handed to the session. */
  get complete(): boolean {
    return this.#phase === "complete"
  }

  /** Nothing more may be read: the edge has not given the credit for it, or the session is full. */
  get full(): boolean {
    return this.#outgoing === undefined ? this.#reply.congested : this.#outgoing.full
  }

  informational(head: ResponseHead): void {
    this.#reply.head(headFlags.informational, headText(head, this.#http2))
  }

  head(head: ResponseHead): void {
    this.#phase = "held"
    this.#status = head.status
    this.#head = headText(head, this.#http2)
  }

  /** 101 (RFC 9110 section 15.2.2): what follows is not HTTP, and no matter of this relay. */
  switched(head: ResponseHead): void {
    this.#phase = "complete"
    this.#status = head.status
    this.#reply.head(headFlags.body, headText(head, this.#http2, upgradeLines(head.upgrade ?? "")))
  }

  body(bytes: Buffer): void {
    this.bodyBytes += bytes.length
    this.#parts.push(bytes)
    this.#partsBytes += bytes.length
  }

  end(trailers: string): void {
    this.#trailers = endToEndTrailers(trailers)
  }

  /** The read is over: sends what it brought, as far as credit goes. */
  flush(): void {
    if (this.#phase === "held") {
      if (this.#trailers === "" && this.#partsBytes <= wireLimits.maxInlineBytes) {
        this.#phase = "complete"
        this.#reply.head(headFlags.final, this.#head, this.#partsBytes === 0 ? undefined : this.#takeParts())
        return
      }
      this.#phase = "open"
      this.#outgoing = new OutgoingBytes(this.#reply)
      this.#reply.head(headFlags.body, this.#head)
    }
    if (this.#partsBytes > 0) this.#outgoing?.push(this.#takeParts())
    this.pump()
  }

  /** Throws WireError when the edge grants more than a window may be. */
  grant(creditBytes: number): void {
    this.#outgoing?.grant(creditBytes)
  }

  /** Sends what waits, as far as credit goes, and the end after it. */
  pump(): void {
    const outgoing = this.#outgoing
    if (outgoing === undefined || this.#phase !== "open") return
    outgoing.pump()
    if (this.#trailers === undefined || !outgoing.empty) return
    this.#phase = "complete"
    this.#reply.end(this.#trailers)
  }

  /** A copy: the parts lie in a buffer that the next read overwrites. */
  #takeParts(): Buffer {
    const bytes = this.#buffers.take(this.#partsBytes)
    let at = 0
    for (const part of this.#parts) at += part.copy(bytes, at)
    this.#parts = []
    this.#partsBytes = 0
    return bytes
  }
}

/** Status, reason and fields as they came, without those about the connection; the version is the upstream's. */
function headText(head: ResponseHead, http2: boolean, added = ""): string {
  const { status } = head
  const version = http2 ? "2.0" : head.minorVersion === 1 ? "1.1" : "1.0"
  // RFC 9110 section 8.6: no Content-Length in these.
  const fields = endToEndFields(head.fields, status === 204 || status < 200 ? contentLength : undefined)
  return `HTTP/${version} ${status} ${head.reason}\r\n${fields}${added}\r\n`
}

const contentLength: ReadonlySet<string> = new Set(["content-length"])
