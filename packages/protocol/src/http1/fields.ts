// Field lines as they came, kept as one latin-1 string, so that order, case and duplicates survive (RFC 9110 section 5.3).
// Nothing is split until somebody asks for a field.

import { Http1Error } from "./errors.ts"
import { diagnoseFields, fieldLinesPattern } from "./grammar.ts"
import type { Http1Limits } from "./limits.ts"

export class FieldBlock {
  /** Every line with its CRLF, without the empty line: `Name: value\r\nOther: x\r\n`, or "". */
  readonly raw: string

  /** `raw` is trusted to be valid field lines; parseFieldBlock checks foreign text. */
  constructor(raw: string) {
    this.raw = raw
  }

  /** First value of the field, white space around it removed. `name` in lower case. */
  get(name: string): string | undefined {
    const at = lineOf(this.raw, name, 0)
    return at === -1 ? undefined : valueFrom(this.raw, at + name.length + 1)
  }

  /** Every value of the field in order, each line one value. `name` in lower case. */
  all(name: string): string[] {
    const { raw } = this
    const values: string[] = []
    for (let at = lineOf(raw, name, 0); at !== -1; at = lineOf(raw, name, raw.indexOf("\n", at) + 1))
      values.push(valueFrom(raw, at + name.length + 1))
    return values
  }

  /** Whether a line with this name is there. `name` in lower case. */
  has(name: string): boolean {
    return lineOf(this.raw, name, 0) !== -1
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    const { raw } = this
    for (let at = 0; at < raw.length; at = raw.indexOf("\n", at) + 1) {
      const colon = raw.indexOf(":", at)
      yield [raw.slice(at, colon), valueFrom(raw, colon + 1)]
    }
  }
}

/** Checks field lines (no empty line at the end). Throws Http1Error. */
export function parseFieldBlock(raw: string): FieldBlock {
  if (!fieldLinesPattern.test(raw)) throw new Http1Error(diagnoseFields(raw))
  return new FieldBlock(raw)
}

/** A field line has four bytes at least, so a short block needs no counting. */
export function checkFieldCount(raw: string, limits: Http1Limits): void {
  if (raw.length < limits.maxFieldLines * 4) return
  let lines = 0
  for (let at = raw.indexOf("\n"); at !== -1; at = raw.indexOf("\n", at + 1)) lines += 1
  if (lines > limits.maxFieldLines) throw new Http1Error("too_many_fields")
}

/** Whether the line that begins at `at` has this name (lower case), compared without case. */
export function isNamed(raw: string, at: number, name: string): boolean {
  if (raw.charCodeAt(at + name.length) !== 58) return false
  for (let i = 0; i < name.length; i += 1) {
    const code = raw.charCodeAt(at + i)
    if ((code >= 65 && code <= 90 ? code | 32 : code) !== name.charCodeAt(i)) return false
  }
  return true
}

/** The value that begins at `start`, up to the end of its line, without the white space around it. */
export function valueFrom(raw: string, start: number): string {
  return trimOws(raw, start, raw.indexOf("\r", start))
}

/** The text from start to end without SP and HTAB at both ends. Not String.trim: it would eat obs-text such as 0xA0. */
export function trimOws(text: string, start: number, end: number): string {
  while (start < end && isOws(text.charCodeAt(start))) start += 1
  while (end > start && isOws(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** Where the first line with this name begins, at or after the line that begins at `from`; -1 for none. */
function lineOf(raw: string, name: string, from: number): number {
  for (let at = from; at < raw.length; at = raw.indexOf("\n", at) + 1) if (isNamed(raw, at, name)) return at
  return -1
}

const isOws = (code: number): boolean => code === 32 || code === 9
