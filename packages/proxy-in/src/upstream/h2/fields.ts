// Heads between HTTP/1 and HTTP/2 (RFC 9113 section 8.3): names in lower case, names and values in turn, in the order and as often as
// they came, without what is about one HTTP/1 connection.
import { STATUS_CODES } from "node:http"
import { hasListMember, FieldBlock } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"

/** `websocket`: as an extended CONNECT (RFC 8441 section 4). */
export function requestFields(head: RequestHead, scheme: "http" | "https", websocket: boolean): string[] {
  const fields = [":method", websocket ? "CONNECT" : head.method]
  if (websocket) fields.push(":protocol", "websocket")
  fields.push(":scheme", scheme, ":authority", head.host ?? "", ":path", head.target)
  for (const [spelled, value] of head.fields) {
    const name = spelled.toLowerCase()
    if (name === "te") {
      if (hasListMember(value, "trailers")) fields.push("te", "trailers")
    } else if (!dropped.has(name) && !(websocket && name === "sec-websocket-key")) fields.push(name, value)
  }
  return fields
}

/** Of a trailer section, by name: node:http2 takes these in no other form. */
export function trailerFields(lines: string): Record<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const [name, value] of new FieldBlock(lines)) {
    const lower = name.toLowerCase()
    const values = fields.get(lower)
    if (dropped.has(lower)) continue
    if (values === undefined) fields.set(lower, [value])
    else values.push(value)
  }
  return Object.fromEntries(fields)
}

/** The response head as text. `raw`: names and values in turn. */
export function responseText(
  raw: readonly string[],
  status = Number(raw[raw.indexOf(":status") + 1]),
  added = "",
): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${fieldLines(raw)}${added}\r\n`
}

/** Raw lines, without pseudo fields and those that have no place in HTTP/2. */
export function fieldLines(raw: readonly string[]): string {
  let lines = ""
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!
    if (!name.startsWith(":") && !dropped.has(name)) lines += `${name}: ${raw[at + 1]}\r\n`
  }
  return lines
}

const dropped: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
])
