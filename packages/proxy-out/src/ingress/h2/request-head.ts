// The head of an HTTP/2 request as the HTTP/1 head that it stands for (RFC 9113 section 8.3, RFC 8441 section 4), read by the same
// strict reader as every other: what has no valid HTTP/1 form gets no further.
import { Http1Error, isFieldName, isFieldValue, parseRequestHead } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"

export interface Http2Head {
  /** Names and values in turn, as they came. */
  readonly raw: readonly string[]
  /** Nothing follows the head. */
  readonly ended: boolean
  /** What the upstream's Sec-WebSocket-Accept is to answer when the client asks for a WebSocket: HTTP/2 has no such key. */
  readonly websocketKey: () => string
}

/** Throws Http1Error. The client asks for a WebSocket when the result has `upgrade`. */
export function requestHeadOf({ raw, ended, websocketKey }: Http2Head): RequestHead {
  const pseudo = new Map<string, string>()
  const cookies: string[] = []
  let host: string | undefined
  let lines = ""
  let framed = false
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!
    const value = raw[at + 1]!
    if (name.startsWith(":")) {
      pseudo.set(name, value)
      continue
    }
    // node:http2 has looked already; a line break that slipped through would be a field of its own from here on.
    if (!isFieldName(name) || !isFieldValue(value) || connectionFields.has(name))
      throw new Http1Error("bad_field")
    if (name === "host") {
      if (host !== undefined) throw new Http1Error("host_repeated")
      host = value
    } else if (name === "cookie") {
      if (cookies.length === 0) lines += cookieMark
      cookies.push(value)
    } else {
      framed ||= name === "content-length"
      lines += `${name}: ${value}\r\n`
    }
  }
  // RFC 9113 section 8.2.3: what was one field before it was cut into crumbs.
  if (cookies.length > 0) lines = lines.replace(cookieMark, () => `cookie: ${cookies.join("; ")}\r\n`)
  const method = pseudo.get(":method") ?? ""
  if (!isFieldName(method)) throw new Http1Error("bad_request_line")
  const authority = authorityOf(pseudo.get(":authority"), host)
  const before = authority === undefined ? "" : `Host: ${authority}\r\n`
  const protocol = pseudo.get(":protocol")
  if (method === "CONNECT" && protocol === undefined)
    return parseRequestHead(`CONNECT ${authority ?? ""} HTTP/1.1\r\n${before}${lines}\r\n`)
  if (!schemes.has(pseudo.get(":scheme")?.toLowerCase() ?? "")) throw new Http1Error("bad_target")
  const target = pseudo.get(":path") ?? ""
  if (!isFieldValue(target)) throw new Http1Error("bad_target")
  if (!target.startsWith("/") && !(target === "*" && method === "OPTIONS")) throw new Http1Error("bad_target")
  if (protocol !== undefined) {
    if (protocol.toLowerCase() !== "websocket" || framed) throw new Http1Error("bad_request_line")
    const key = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${websocketKey()}\r\n`
    return parseRequestHead(`GET ${target} HTTP/1.1\r\n${before}${lines}${key}\r\n`)
  }
  const framing = ended || framed ? "" : "Transfer-Encoding: chunked\r\n"
  const head = parseRequestHead(`${method} ${target} HTTP/1.1\r\n${before}${lines}${framing}\r\n`)
  if (ended && head.body.kind === "length" && head.body.length > 0)
    throw new Http1Error("content_length_invalid")
  return head
}

/** RFC 9113 section 8.3.1: both may stand there only when they say the same. */
function authorityOf(authority: string | undefined, host: string | undefined): string | undefined {
  if (authority === undefined) return host
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    throw new Http1Error("host_repeated")
  if (!isFieldValue(authority)) throw new Http1Error("host_invalid")
  return authority
}

/** Cannot be part of a field line. */
const cookieMark = "\0"
const schemes: ReadonlySet<string> = new Set(["http", "https"])

/** RFC 9113 section 8.2.2: about an HTTP/1 connection only, so a message that has one is malformed. */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "sec-websocket-key",
])
