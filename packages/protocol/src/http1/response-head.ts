// Reads a complete response head (RFC 9112 section 4) and decides by the request's method where the body ends (section 6.3).

import { Http1Error } from "./errors.ts"
import { checkFieldCount, FieldBlock } from "./fields.ts"
import {
  closeBody,
  type ChunkedBody,
  type CloseBody,
  declaredBody,
  type LengthBody,
  type NoBody,
} from "./framing.ts"
import { noBody, persists, scanFraming, wantedUpgrade } from "./framing.ts"
import { diagnoseHead, responseHeadPattern } from "./grammar.ts"
import { defaultHttp1Limits, type Http1Limits } from "./limits.ts"

export interface ResponseHead {
  readonly minorVersion: 0 | 1
  /** 100 to 999; three digits are all that RFC 9110 section 15 promises. */
  readonly status: number
  /** As it came, perhaps empty (RFC 9112 section 4). */
  readonly reason: string
  readonly fields: FieldBlock
  readonly body: NoBody | LengthBody | ChunkedBody | CloseBody
  /** Whether the server lets the connection go on after this exchange. */
  readonly keepAlive: boolean
  /** Value of Upgrade when Connection nominates it (RFC 9110 section 7.8). */
  readonly upgrade: string | undefined
}

/** Throws Http1Error. `text` is latin-1 and includes the final empty line; `requestMethod` is what it answers. */
export function parseResponseHead(
  text: string,
  requestMethod: string,
  limits: Http1Limits = defaultHttp1Limits,
): ResponseHead {
  if (text.length > limits.maxHeadBytes) throw new Http1Error("head_too_large")
  const parts = responseHeadPattern.exec(text)
  if (parts === null) throw new Http1Error(diagnoseHead(text, "response"))
  const [, version = "", digits = "", reason = "", raw = ""] = parts
  checkFieldCount(raw, limits)
  const minorVersion = version === "1" ? 1 : 0
  const status = Number(digits)
  const found = scanFraming(raw)
  const declared = declaredBody(found, minorVersion)
  const body = hasNoBody(status, requestMethod) ? noBody : (declared ?? closeBody)
  return {
    minorVersion,
    status,
    reason,
    fields: new FieldBlock(raw),
    body,
    keepAlive: body !== closeBody && persists(found.connection, minorVersion),
    upgrade: wantedUpgrade(found, minorVersion),
  }
}

/** RFC 9112 section 6.3 items 1 and 2: whatever the fields say. */
function hasNoBody(status: number, requestMethod: string): boolean {
  if (status < 200 || status === 204 || status === 304 || requestMethod === "HEAD") return true
  return requestMethod === "CONNECT" && status < 300
}
