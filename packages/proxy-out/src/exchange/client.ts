// The two faces of one request's client: what an exchange says towards it, and what comes back. What the client speaks
// (HTTP/1, HTTP/2) is known behind this port only, so an exchange is the same for all of them.
import type { ResponseHead, Scheme } from "@restante/protocol"
import type { ErrorResponse } from "./error-response.ts"

/** Towards the client. `fields` are whole raw lines, end-to-end ones only and Via; framing is the implementation's. */
export interface Client {
  /** Without port or brackets. */
  readonly remoteAddress: string
  /** How it reached this edge. */
  readonly scheme: Scheme
  /** What it speaks; undefined: HTTP/1, in the version that its request's head has. */
  readonly protocol?: "h2"
  /** Bytes that it has not taken yet. */
  readonly unsentBytes: number
  /** The request has been admitted, its body may come (RFC 9110 §10.1.1). */
  goOn(): void
  /** A 1xx response (RFC 9110 §15.2); left out where the client would not understand it. */
  informational(head: ResponseHead, fields: string): void
  /** The whole response. `body` fits the head; empty where there is none. */
  whole(head: ResponseHead, fields: string, body: Buffer): void
  /** A final head whose body follows by `data` and `end`. With status 101 `fields` say to what, and `turnRaw` comes next. */
  begin(head: ResponseHead, fields: string): void
  /**
   * The connection has switched protocols: `data` writes bytes as they are, `end` ends our side of it only. What the client says, from its
   * first byte after the request on, goes to `RequestHandler.onBody`, and the end of its side to `onBodyEnd`.
   */
  turnRaw(): void
  /** Never empty. */
  data(bytes: Buffer): void
  /** The response is whole. `trailers`: raw lines, "" for none; left out where the framing has no place for them. */
  end(trailers: string): void
  /** Raw only: both sides are done with each other. What the client still says has no reader. */
  close(): void
  /** An answer of ours instead of the upstream's; `keepAlive` false: nothing more can come after it. */
  refuse(error: Omit<ErrorResponse, "keepAlive">, keepAlive: boolean): void
  /** Breaks off, so that no client can take what it has for whole (RFC 9112 §8). */
  reset(): void
  /** No more of the body is read until `resumeBody`; what is on its way already may still come. */
  pauseBody(): void
  resumeBody(): void
}

/** What a client did wrong while its request was coming, and what it was told. */
export interface ClientFault {
  readonly code: "bad_request" | "request_timeout"
  readonly status: number
}

/** From the client: whoever serves one request. */
export interface RequestHandler {
  /** By whose id it is known in logs, and to its client. */
  readonly ticket?: { readonly id: string }
  /** Its body may pause for as long as it likes. */
  readonly patient?: boolean
  onBody(bytes: Buffer): void
  /** The request is whole. */
  onBodyEnd(trailers: string): void
  /** All that had arrived has been read, and the request is not whole. */
  onReadPaused(): void
  /** What was written has been taken by the client. */
  onClientDrain(): void
  /**
   * The client left, or its request broke off, before the answer was whole. Nothing can be written any more. `fault`: it was
   * told what is wrong with its request.
   */
  onClientGone(fault?: ClientFault): void
}
