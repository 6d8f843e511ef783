// Reads a complete request head (RFC 9112 section 3): syntax, target form, Host, framing.
// The same code reads heads from clients and heads that crossed the wire.

import { Http1Error } from "./errors.ts"
import { checkFieldCount, FieldBlock } from "./fields.ts"
import {
  type ChunkedBody,
  declaredBody,
  hasListMember,
  hasOtherMember,
  type LengthBody,
  type NoBody,
  noBody,
} from "./framing.ts"
import { persists, scanFraming, wantedUpgrade } from "./framing.ts"
import {
  absoluteFormPattern,
  authorityFormPattern,
  diagnoseHead,
  hostPattern,
  requestHeadPattern,
} from "./grammar.ts"
import { defaultHttp1Limits, type Http1Limits } from "./limits.ts"

export interface RequestHead {
  /** As it came; methods are case-sensitive and unknown ones pass (RFC 9110 section 9.1). */
  readonly method: string
  /** The request target as it came, never normalised (RFC 9110 section 7.7). */
  readonly target: string
  /** RFC 9112 section 3.2. Only OPTIONS has the asterisk form, only CONNECT has the authority form, and no other. */
  readonly targetForm: "origin" | "absolute" | "authority" | "asterisk"
  readonly minorVersion: 0 | 1
  readonly fields: FieldBlock
  readonly body: NoBody | LengthBody | ChunkedBody
  /** Whether the client lets the connection go on after this exchange. */
  readonly keepAlive: boolean
  /** Value of Upgrade when Connection nominates it (RFC 9110 section 7.8). */
  readonly upgrade: string | undefined
  /** The client waits for a 100 before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectContinue: boolean
  /** The client expects something that nobody has defined (RFC 9110 section 10.1.1). */
  readonly expectUnknown: boolean
  /** The client says that it makes use of trailers (RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean
  /** Whom the request is for: the target's authority if it has one (RFC 9112 section 3.2.2), else the Host field, which HTTP/1.0 may omit. */
  readonly host: string | undefined
}

/** Throws Http1Error. `text` is latin-1 and includes the final empty line. */
export function parseRequestHead(text: string, limits: Http1Limits = defaultHttp1Limits): RequestHead {
  if (text.length > limits.maxHeadBytes) throw new Http1Error("head_too_large")
  const parts = requestHeadPattern.exec(text)
  if (parts === null) throw new Http1Error(diagnoseHead(text, "request"))
  const [, method = "", target = "", version = "", raw = ""] = parts
  if (target.length > limits.maxTargetBytes) throw new Http1Error("target_too_long")
  checkFieldCount(raw, limits)
  const minorVersion = version === "1" ? 1 : 0
  const found = scanFraming(raw)
  if (found.host === undefined) {
    if (minorVersion === 1) throw new Http1Error("host_missing")
  } else if (!hostPattern.test(found.host)) throw new Http1Error("host_invalid")
  const targetForm = formOf(method, target)
  return {
    method,
    target,
    targetForm,
    minorVersion,
    fields: new FieldBlock(raw),
    body: declaredBody(found, minorVersion) ?? noBody,
    keepAlive: persists(found.connection, minorVersion),
    upgrade: wantedUpgrade(found, minorVersion),
    expectContinue:
      minorVersion === 1 && found.expect !== undefined && hasListMember(found.expect, "100-continue"),
    expectUnknown:
      minorVersion === 1 && found.expect !== undefined && hasOtherMember(found.expect, "100-continue"),
    acceptsTrailers: found.te !== undefined && hasListMember(found.te, "trailers"),
    host: targetForm === "origin" || targetForm === "asterisk" ? found.host : authorityOf(target),
  }
}

/**
 * The target as an origin server expects it: of an absolute form its path and query, untouched; `*` for OPTIONS without a path
 * (RFC 9112 sections 3.2.1 and 3.2.4); every other form as it is.
 */
export function originTarget(head: Pick<RequestHead, "method" | "target" | "targetForm">): string {
  if (head.targetForm !== "absolute") return head.target
  const path = absoluteFormPattern.exec(head.target)?.[2]
  if (path === undefined) return head.method === "OPTIONS" ? "*" : "/"
  return path.startsWith("?") ? `/${path}` : path
}

function formOf(method: string, target: string): RequestHead["targetForm"] {
  if (method === "CONNECT") {
    if (authorityFormPattern.test(target)) return "authority"
  } else if (target.startsWith("/")) return "origin"
  else if (target === "*" && method === "OPTIONS") return "asterisk"
  else if (absoluteFormPattern.test(target)) return "absolute"
  throw new Http1Error("bad_target")
}

const authorityOf = (target: string): string => absoluteFormPattern.exec(target)?.[1] ?? target
