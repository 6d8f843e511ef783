// Makes the request that the upstream gets out of the OPEN that the edge sent. The edge's head is read as strictly as a
// stranger's: nothing of it reaches the upstream unless it is one valid request for this upstream.
import {
  chunkHeader,
  crossedHeadLimits,
  endToEndFields,
  hasListMember,
  Http1Error,
  isIdempotent,
  lastChunk,
  openKind,
  parseRequestHead,
  upgradeLines,
  upgradeOffer,
  withTraceparent,
} from "@restante/protocol"
import type { OpenFrame, RequestHead } from "@restante/protocol"
import type { HostHeader, UpstreamAddress } from "../agent-options.ts"
import type { ReplayTrace } from "../observe/replay-tracing.ts"

export interface UpstreamRequest {
  readonly method: string
  /** As the client sent it, without the base path. */
  readonly target: string
  /** The head, and the whole body when it came with the OPEN: one write. To be cleared when they cannot be needed again. */
  bytes: Buffer | string
  /** How a body that follows is framed. */
  readonly bodyFollows:
    | { readonly kind: "length"; readonly length: number }
    | { readonly kind: "chunked" }
    | undefined
  /** RFC 9110 section 9.2.2; never when it asks for another protocol. */
  readonly idempotent: boolean
  /** What it asks to switch to; undefined for an ordinary request. */
  readonly upgrade: string | undefined
}

export interface UpstreamRequestOptions {
  readonly upstream: UpstreamAddress
  readonly hostHeader: HostHeader
  /** False: the upstream is told that no further request comes on the connection. */
  readonly persistent: boolean
  /** Its line replaces the trace fields that came; undefined: those cross untouched. */
  readonly trace?: ReplayTrace | undefined
}

/** Throws Http1Error for a head that is not valid, not for an origin server, or contradicts its body or kind. */
export function upstreamRequest(open: OpenFrame, options: UpstreamRequestOptions): UpstreamRequest {
  const head = parseRequestHead(open.head, crossedHeadLimits)
  // A whole URL or an authority would speak to a proxy, not to this upstream (RFC 9112 section 3.2).
  if (head.targetForm !== "origin" && head.targetForm !== "asterisk") throw new Http1Error("bad_target")
  const path = head.targetForm === "origin" ? options.upstream.basePath + head.target : head.target
  const { body } = open
  if (open.kind === openKind.upgrade) return switchingRequest(head, path, options)
  const chunked = head.body.kind !== "length" && (open.bodyFollows || body !== undefined)
  if (head.body.kind === "length" && !open.bodyFollows && head.body.length !== (body?.length ?? 0))
    throw new Http1Error("content_length_invalid")

  let text = `${head.method} ${path} HTTP/1.1\r\n${fieldsFor(head, options)}`
  if (chunked) text += "Transfer-Encoding: chunked\r\n"
  if (!options.persistent) text += "Connection: close\r\n"
  text += "\r\n"
  return {
    method: head.method,
    target: head.target,
    bytes: body === undefined ? text : withBody(text, body, chunked),
    bodyFollows: open.bodyFollows
      ? head.body.kind === "length"
        ? head.body
        : { kind: "chunked" }
      : undefined,
    idempotent: isIdempotent(head.method),
    upgrade: undefined,
  }
}

/** RFC 9110 section 7.8: without a body, and alone on its connection. */
function switchingRequest(head: RequestHead, path: string, options: UpstreamRequestOptions): UpstreamRequest {
  const upgrade = upgradeOffer(head)
  if (upgrade === undefined) throw new Http1Error("bad_field")
  return {
    method: head.method,
    target: head.target,
    bytes: `${head.method} ${path} HTTP/1.1\r\n${keptFields(head, options)}${upgradeLines(upgrade)}\r\n`,
    bodyFollows: undefined,
    idempotent: false,
    upgrade,
  }
}

function keptFields(head: RequestHead, options: UpstreamRequestOptions): string {
  const { fields } = head
  const { trace } = options
  const host = hostFor(head, options)
  const lines =
    host === undefined ? endToEndFields(fields) : `${endToEndFields(fields, hostField)}Host: ${host}\r\n`
  return trace === undefined ? lines : withTraceparent(lines, trace.context, trace.parentSpanId !== undefined)
}

function fieldsFor(head: RequestHead, options: UpstreamRequestOptions): string {
  const { fields } = head
  const kept = keptFields(head, options)
  if (kept === fields.raw) return kept
  // RFC 9110 section 10.1.4: TE is about one connection, and we do carry trailers.
  const trailers = fields.all("te").some((value) => hasListMember(value, "trailers"))
  return trailers ? `${kept}TE: trailers\r\nConnection: TE\r\n` : kept
}

/** Undefined: the client's own Host stays where it is. */
function hostFor(head: RequestHead, options: UpstreamRequestOptions): string | undefined {
  const { hostHeader, upstream } = options
  switch (hostHeader.kind) {
    case "preserve":
      return head.host === undefined ? authorityOf(upstream) : undefined
    case "upstream":
      return authorityOf(upstream)
    case "value":
      return hostHeader.value
  }
}

/** RFC 9110 section 7.2: the port is left out when it is the scheme's own. */
function authorityOf(upstream: UpstreamAddress): string {
  if (upstream.kind === "unix") return "localhost"
  const host = upstream.host.includes(":") ? `[${upstream.host}]` : upstream.host
  return upstream.port === (upstream.tls ? 443 : 80) ? host : `${host}:${upstream.port}`
}

function withBody(head: string, body: Buffer, chunked: boolean): Buffer {
  const before = chunked ? head + chunkHeader(body.length) : head
  const after = chunked ? `\r\n${lastChunk("")}` : ""
  const bytes = Buffer.allocUnsafe(before.length + body.length + after.length)
  bytes.write(before, 0, "latin1")
  body.copy(bytes, before.length)
  if (chunked) bytes.write(after, before.length + body.length, "latin1")
  return bytes
}

const hostField: ReadonlySet<string> = new Set(["host"])
