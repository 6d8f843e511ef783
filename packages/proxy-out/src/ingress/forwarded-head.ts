// The request head as it goes to the agent: the client's own lines byte for byte, less what belongs to this hop
// (RFC 9110 §7.6.1), plus Via (§7.6.3) and who the client is. No URL is normalised anywhere.
import { endToEndFields, originTarget, upgradeLines } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"
import { tracedHead } from "../observe/exchange-tracing.ts"
import type { ExchangeTrace } from "../observe/exchange-tracing.ts"
import { withoutPrefix } from "../routing/route-table.ts"
import { withOneHopLess } from "./max-forwards.ts"
import { continuedForwarding } from "./trusted-proxies.ts"

export interface ClientFacts {
  readonly clientAddress: string
  readonly scheme: "http" | "https"
  /** The whole Via line with its CRLF. */
  readonly via: string
  /** Protocols that the upstream may switch to, as `upgradeOffer` gives them; undefined for an ordinary request. */
  readonly upgrade?: string | undefined
  /** The client is a proxy whose X-Forwarded-* and Forwarded lines are to be believed. Default false. */
  readonly trusted?: boolean
  /** What is cut from the target's beginning, which is known to be there; "" for nothing. The upstream is told. */
  readonly strip: string
  /** Its lines replace the client's trace fields; undefined: those cross untouched. */
  readonly trace?: ExchangeTrace | undefined
}

export function forwardedHead(head: RequestHead, facts: ClientFacts): string {
  const { clientAddress, scheme, via, upgrade, strip } = facts
  const { host } = head
  // RFC 9112 §3.2.2: an absolute target's authority overrides Host, and the origin server gets the target's path.
  const absolute = head.targetForm === "absolute"
  // A client's own X-Forwarded-* and Forwarded lines could be anybody's invention: ours replace them (RFC 7239 §8.1).
  let lines = endToEndFields(head.fields, absolute ? replacedWithHost : replaced)
  if (absolute) lines = `Host: ${host}\r\n${lines}`
  // HTTP/1.0 may come without Host, HTTP/1.1 may not go without: empty when there is no authority (RFC 9112 §3.2).
  if (host === undefined) lines = `Host:\r\n${lines}`
  if (head.method === "OPTIONS") lines = withOneHopLess(lines)
  const shownHost = host !== undefined && host.length <= maxForwardedHost ? host : ""
  let added: string
  if (facts.trusted === true)
    added = continuedForwarding(head.fields, { address: clientAddress, scheme, host: shownHost })
  else {
    added = `X-Forwarded-For: ${clientAddress}\r\nX-Forwarded-Proto: ${scheme}\r\n`
    if (shownHost !== "") added += `X-Forwarded-Host: ${shownHost}\r\n`
  }
  // RFC 9110 §10.1.4: TE is about one connection. Trailers do cross, so it is said anew; the agent does so once more.
  if (head.acceptsTrailers) added += "TE: trailers\r\n"
  if (upgrade !== undefined) added += upgradeLines(upgrade)
  let target = originTarget(head)
  if (strip !== "") target = withoutPrefix(target, strip)
  // What a trusted proxy has cut stood before what is cut here.
  const cut = facts.trusted === true ? (head.fields.get("x-forwarded-prefix") ?? "") + strip : strip
  if (cut !== "") added += `X-Forwarded-Prefix: ${cut}\r\n`
  const text = `${head.method} ${target} HTTP/1.1\r\n${lines}${added}${via}\r\n`
  return facts.trace === undefined ? text : tracedHead(text, facts.trace)
}

const replaced: ReadonlySet<string> = new Set([
  "expect",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
])
const replacedWithHost: ReadonlySet<string> = replaced.union(new Set(["host"]))

/** A DNS name has at most 253 characters; what is longer would only swell the head. */
const maxForwardedHost = 300
