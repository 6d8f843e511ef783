// The few pieces of HTTP/1 that we compose ourselves; everything else is copied. What goes in is checked, so that no value can end
// its line early (RFC 9112 section 11.1).

import { Http1Error } from "./errors.ts"
import { fieldValuePattern, tokenPattern } from "./grammar.ts"

/** RFC 9112 section 7.1: size line of a chunk of `bytes` > 0 bytes. The data and a CRLF follow. */
export const chunkHeader = (bytes: number): string => `${bytes.toString(16)}\r\n`

/** RFC 9112 section 7.1.2: the end of a chunked body. `trailers`: raw field lines, "" for none. */
export const lastChunk = (trailers: string): string => `0\r\n${trailers}\r\n`

/** One field line with its CRLF. Throws Http1Error("bad_field") for what is not a name or a value. */
export function fieldLine(name: string, value: string): string {
  if (!isFieldName(name) || !isFieldValue(value)) throw new Http1Error("bad_field")
  return `${name}: ${value}\r\n`
}

/** RFC 9110 section 5.1. */
export const isFieldName = (name: string): boolean => tokenPattern.test(name)

/** RFC 9110 section 5.5: latin-1 without CR, LF, NUL and the other controls, no white space at the ends. */
export const isFieldValue = (value: string): boolean =>
  fieldValuePattern.test(value) && !/^[\t ]|[\t ]$/.test(value)
