// The upstream's response on its way to the client: checked again before a byte of it is believed, the body under credit,
// and never a clean end for a body that is not whole.
import {
  crossedHeadLimits,
  endToEndFields,
  endToEndTrailers,
  headFlags,
  parseResponseHead,
  switchesTo,
  upgradeLines,
  upgradeOffer,
  WireError,
} from "@restante/protocol"
import type { RequestHead, ResponseHead, WindowBudget } from "@restante/protocol"
import { ClientCredit } from "./client-credit.ts"
import type { Client } from "./client.ts"

export interface ClientResponseOptions {
  readonly client: Client
  readonly request: RequestHead
  readonly budget: WindowBudget
  readonly via: ViaLines
  readonly dateLine: () => string
}

/** Our line of Via for each version of HTTP in which a message may reach us (RFC 9110 §7.6.3). */
export interface ViaLines {
  readonly http10: string
  readonly http11: string
  readonly http2: string
}

/** The upstream switches to a protocol for which nobody asked. */
export class UpgradeRefused extends Error {}

export class ClientResponse {
  readonly #options: ClientResponseOptions
  #credit: ClientCredit | undefined
  /** Still to come: by Content-Length, infinite without one, 0 where no body may be. */
  #remainingBytes = 0
  #informational = 0
  #viaLine = ""
  /** The final head has gone to the client. */
  begun = false
  /** Of the final head; 0 before. */
  status = 0

  constructor(options: ClientResponseOptions) {
    this.#options = options
  }

  /** A 1xx response (RFC 9110 §15.2). Nothing slows those down that the client does not read, so their number has a limit. */
  informational(text: string): void {
    const { request, client } = this.#options
    this.#informational++
    if (this.#informational > crossedHeadLimits.maxInformational)
      throw new WireError("frame_malformed", "too many informational heads")
    const head = parseResponseHead(asHttp1(text), request.method, crossedHeadLimits)
    if (head.status >= 200 || head.status === 101)
      throw new WireError("frame_malformed", "not an informational head")
    client.informational(head, endToEndFields(head.fields))
  }

  /**
   * The final head, with the whole body when `final`. Returns the protocols to which the connection has switched with it, undefined for an
   * ordinary response. Throws Http1Error, WireError or UpgradeRefused when the agent's words make no valid response.
   */
  head(flags: number, text: string, inlineBody: Buffer | undefined): string | undefined {
    const { request, client, budget, via } = this.#options
    const crossed = asHttp1(text)
    const head = parseResponseHead(crossed, request.method, crossedHeadLimits)
    this.#viaLine = crossed === text ? (head.minorVersion === 1 ? via.http11 : via.http10) : via.http2
    if (head.status === 101) return this.#switch(head, flags)
    if (head.status < 200)
      throw new WireError("frame_malformed", "an informational head that says it is final")
    if (client.protocol === "h2") this.#checkHttp2(head)
    const final = (flags & headFlags.final) !== 0
    const body = inlineBody ?? noBytes
    this.#expect(head, final, body.length)
    this.begun = true
    this.status = head.status
    const fields = this.#fieldsOf(head)
    if (final) {
      client.whole(head, fields, body)
    } else {
      this.#credit = new ClientCredit(client, budget)
      client.begin(head, fields)
    }
    return undefined
  }

  /** Body bytes. Returns how much credit to give back now. Throws WireError when the agent overdraws its credit or its length. */
  data(bytes: Buffer): number {
    if (this.#credit === undefined) throw new WireError("frame_unexpected", "DATA outside of a body")
    this.#credit.received(bytes.length)
    this.#remainingBytes -= bytes.length
    if (this.#remainingBytes < 0) throw new WireError("frame_malformed", "more body than there may be")
    if (bytes.length > 0) this.#options.client.data(bytes)
    return this.#credit.drained()
  }

  /** Credit to give back because the client has read on. */
  drained(): number {
    return this.#credit === undefined ? 0 : this.#credit.drained()
  }

  /** The body is whole. Throws WireError when it is not (RFC 9112 §8), Http1Error when the trailers are no field lines. */
  end(trailers: string): void {
    if (!this.begun) throw new WireError("frame_unexpected", "END before HEAD")
    if (this.#remainingBytes > 0 && this.#remainingBytes !== Number.POSITIVE_INFINITY)
      throw new WireError("frame_malformed", "less body than content-length")
    this.release()
    this.#options.client.end(trailers === "" ? "" : endToEndTrailers(trailers))
  }

  /** Gives the window's growth back to the budget that all responses share. */
  release(): void {
    this.#credit?.release()
    this.#credit = undefined
  }

  /** RFC 9110 §15.2.2: only what this client asked for. */
  #switch(head: ResponseHead, flags: number): string {
    const { request, client } = this.#options
    const offer = upgradeOffer(request)
    if (offer === undefined) throw new WireError("frame_malformed", "101 that nobody asked for")
    if (flags !== headFlags.body || head.upgrade === undefined || !switchesTo(offer, head))
      throw new UpgradeRefused("101 to what was not offered")
    this.begun = true
    this.status = head.status
    client.begin(head, this.#fieldsOf(head) + upgradeLines(head.upgrade))
    return head.upgrade
  }

  /**
   * HTTP/2 has no status beyond 599 (RFC 9110 section 15), Node says no content with 205 (section 15.3.6), and to the client of a WebSocket
   * every 2xx would say that it has one (RFC 8441 section 5).
   */
  #checkHttp2({ status, body }: ResponseHead): void {
    if (status === 205 && body.kind === "length" && body.length > 0)
      throw new WireError("frame_malformed", "205 with content")
    if (status > 599) throw new WireError("frame_malformed", "a status that HTTP/2 does not know")
    if (status < 300 && this.#options.request.upgrade !== undefined)
      throw new UpgradeRefused("2xx instead of 101")
  }

  #expect(head: ResponseHead, final: boolean, bodyBytes: number): void {
    switch (head.body.kind) {
      case "none":
        if (bodyBytes > 0) throw new WireError("frame_malformed", "a body where none may be")
        this.#remainingBytes = 0
        return
      case "length":
        this.#remainingBytes = head.body.length - bodyBytes
        if (final && this.#remainingBytes !== 0)
          throw new WireError("frame_malformed", "body and content-length differ")
        return
      case "chunked":
      case "close":
        this.#remainingBytes = Number.POSITIVE_INFINITY
    }
  }

  #fieldsOf(head: ResponseHead): string {
    const { dateLine } = this.#options
    let fields = endToEndFields(head.fields, contentLengthAllowed(head) ? undefined : contentLength)
    if (!head.fields.has("date")) fields += dateLine() // RFC 9110 §6.6.1
    return fields + this.#viaLine
  }
}

const noBytes = Buffer.alloc(0)
const contentLength: ReadonlySet<string> = new Set(["content-length"])

/** The version in a head's status line is the upstream's; but for that a head is one of HTTP/1 whatever it speaks. */
function asHttp1(text: string): string {
  return text.startsWith("HTTP/2.0 ") ? `HTTP/1.1 ${text.slice(9)}` : text
}

/** RFC 9110 §8.6: no Content-Length in a 204 or 1xx. */
function contentLengthAllowed(head: ResponseHead): boolean {
  return head.status !== 204 && head.status >= 200
}
