// What of a message's fields goes on to the next hop (RFC 9110 section 7.6.1). Pure functions over field lines: what stays is copied in
// runs of whole lines, never rebuilt.

import { Http1Error } from "./errors.ts"
import { connectionFields, forbiddenTrailers, guardedFields } from "./field-rules.ts"
import { type FieldBlock, trimOws } from "./fields.ts"
import { diagnoseFields, fieldLinesPattern, tokenPattern } from "./grammar.ts"

/**
 * The field lines without those about this connection: the fixed ones and what Connection nominates, save fields that every recipient
 * needs. `alsoDrop`: further names in lower case; a set is compiled once, so pass the same one again and do not change it.
 */
export function endToEndFields(fields: FieldBlock, alsoDrop?: ReadonlySet<string>): string {
  const { raw } = fields
  const kept = withoutLines(raw, alsoDrop === undefined ? connectionDrops : dropsFor(alsoDrop))
  if (kept.length === raw.length) return raw
  const nominated = nominatedFields(fields)
  return nominated.length === 0 ? kept : withoutLines(kept, new DropList(nominated))
}

/**
 * The trailer lines that a trailer section may carry (RFC 9110 section 6.5.1). `trailers`: from anybody. Throws Http1Error when they are no
 * field lines: whatever else they are would be the next message for whoever reads on.
 */
export function endToEndTrailers(trailers: string): string {
  if (!fieldLinesPattern.test(trailers)) throw new Http1Error(diagnoseFields(trailers))
  return withoutLines(trailers, trailerDrops)
}

/** Field names, lower case, in the form that finds their lines fastest. */
class DropList {
  /** 1 for every first letter that one of the names has, in both cases: most lines are settled by it. */
  readonly initials: Uint8Array
  /** Sticky: matches at the start of a line with one of the names. */
  readonly pattern: RegExp

  constructor(names: readonly string[]) {
    this.initials = new Uint8Array(256)
    for (const name of names) {
      this.initials[name.charCodeAt(0)] = 1
      this.initials[name.toUpperCase().charCodeAt(0)] = 1
    }
    const escaped = names.map((name) => name.replaceAll(/[.*+?^$|]/g, String.raw`\$&`))
    this.pattern = new RegExp(`(?:${escaped.join("|")}):`, "iy")
  }
}

function withoutLines(raw: string, drops: DropList): string {
  const { initials, pattern } = drops
  let kept = ""
  let keptTo = 0
  for (let at = 0; at < raw.length;) {
    const next = raw.indexOf("\n", at) + 1
    if (initials[raw.charCodeAt(at)] === 1) {
      pattern.lastIndex = at
      if (pattern.test(raw)) {
        if (at > keptTo) kept += raw.slice(keptTo, at)
        keptTo = next
      }
    }
    at = next
  }
  return keptTo === 0 ? raw : kept + raw.slice(keptTo)
}

/** RFC 9110 section 7.6.1: names in Connection, lower case, that are not gone anyway and may go. */
function nominatedFields(fields: FieldBlock): readonly string[] {
  const connection = fields.all("connection").join(",")
  if (usualConnection.test(connection)) return []
  return connection
    .toLowerCase()
    .split(",")
    .map((item) => trimOws(item, 0, item.length))
    .filter(
      (name) => tokenPattern.test(name) && !connectionFields.includes(name) && !guardedFields.test(name),
    )
}

const usualConnection = /^(?:keep-alive|close|upgrade|)$/i

const compiled = new WeakMap<ReadonlySet<string>, DropList>()

function dropsFor(alsoDrop: ReadonlySet<string>): DropList {
  let drops = compiled.get(alsoDrop)
  if (drops === undefined) {
    drops = new DropList([...connectionFields, ...alsoDrop])
    compiled.set(alsoDrop, drops)
  }
  return drops
}

const connectionDrops = new DropList(connectionFields)
const trailerDrops = new DropList(forbiddenTrailers)
