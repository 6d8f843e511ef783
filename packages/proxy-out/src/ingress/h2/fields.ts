// Field lines as HTTP/2 wants them: names in lower case, names and values in turn, in the order and as often as they came.
import { endToEndFields, endToEndTrailers, FieldBlock } from "@restante/protocol"

/** Of a response. `lines`: valid raw lines; those about an HTTP/1 connection are left out (RFC 9113 section 8.2.2). */
export function responseFields(status: number, lines: string): string[] {
  const fields = [":status", String(status)]
  for (const [spelled, value] of new FieldBlock(endToEndFields(new FieldBlock(lines)))) {
    const name = spelled.toLowerCase()
    if (name !== upgradeSettings) fields.push(name, value)
  }
  return fields
}

/** Of a trailer section, by name: node:http2 takes these in no other form. `lines`: valid raw lines. */
export function trailerFields(lines: string): Record<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const [name, value] of new FieldBlock(lines)) {
    const lower = name.toLowerCase()
    const values = fields.get(lower)
    if (lower === upgradeSettings) continue
    if (values === undefined) fields.set(lower, [value])
    else values.push(value)
  }
  return Object.fromEntries(fields)
}

/** A trailer section that came, as raw lines. `raw`: names and values in turn. */
export function trailerLines(raw: readonly string[]): string {
  let lines = ""
  for (let at = 0; at < raw.length; at += 2) lines += `${raw[at]}: ${raw[at + 1]}\r\n`
  return lines === "" ? "" : endToEndTrailers(lines)
}

/** RFC 7540 section 3.2.1: of an HTTP/1 connection that becomes one of HTTP/2, so it has no place in that; node:http2 would throw. */
const upgradeSettings = "http2-settings"
