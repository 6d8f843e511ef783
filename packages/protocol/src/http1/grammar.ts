// The grammar of RFC 9110 and RFC 9112 as compiled patterns over latin-1 text, and the diagnosis of a head that does not match.
// A head that matches is read with one native pattern run; why another one does not is looked at afterwards, off the hot path.

import type { Http1ErrorCode } from "./errors.ts"

/** RFC 9110 section 5.6.2. */
const tchar = "!#$%&'*+\\-.^_`|~0-9A-Za-z"
/** RFC 9110 section 5.5: HTAB, SP, VCHAR and obs-text. CR, LF, NUL, the other controls and DEL are not in it. */
const text = "\\t\\x20-\\x7e\\x80-\\xff"
const fieldLine = `[${tchar}]+:[${text}]*\\r\\n`

/**
 * Whole request head: method, target, minor version, field lines.
 * Targets are visible ASCII except `#` (RFC 9112 section 3.2 has no fragment), their form is checked on its own.
 */
export const requestHeadPattern: RegExp = new RegExp(
  `^([${tchar}]+) ([!"$-~]+) HTTP/1\\.([01])\\r\\n((?:${fieldLine})*)\\r\\n$`,
)

/** Whole response head: minor version, status, reason, field lines. A missing SP before an absent reason is unambiguous and accepted. */
export const responseHeadPattern: RegExp = new RegExp(
  `^HTTP/1\\.([01]) ([1-9][0-9]{2})(?: ([${text}]*))?\\r\\n((?:${fieldLine})*)\\r\\n$`,
)

export const fieldLinesPattern: RegExp = new RegExp(`^(?:${fieldLine})*$`)
export const tokenPattern: RegExp = new RegExp(`^[${tchar}]+$`)
export const fieldValuePattern: RegExp = new RegExp(`^[${text}]*$`)

const hostText =
  "(?:\\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\\.[0-9A-Za-z\\-._~!$&'()*+,;=:]+)\\]|(?:[0-9A-Za-z\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})"

/** RFC 9112 section 3.2: uri-host with an optional port; empty when the target URI has no authority. */
export const hostPattern: RegExp = new RegExp(`^${hostText}*)(?::[0-9]*)?$`)

/** RFC 9112 section 3.2.3: host and port of a CONNECT. */
export const authorityFormPattern: RegExp = new RegExp(`^${hostText}+):[0-9]+$`)

/**
 * RFC 9112 section 3.2.2 for the schemes that we speak: authority, then path and query.
 * User information is refused (RFC 9110 section 4.2.4), so is an empty host (section 4.2.1).
 */
export const absoluteFormPattern: RegExp = new RegExp(
  `^[hH][tT][tT][pP][sS]?://(${hostText}+)(?::[0-9]*)?)([/?].*)?$`,
)

/** RFC 9112 section 7.1 and 7.1.1, without the white space that 7.1.1 calls bad and nobody sends. */
export const chunkLinePattern: RegExp = new RegExp(
  `^([0-9A-Fa-f]+)((?:;[${tchar}]+(?:=(?:[${tchar}]+|"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[${text}])*"))?)*)\\r\\n$`,
)

/**
 * The first byte that no head can hold, or undefined. A CR at the very end and an LF at the very beginning are not judged: read in
 * pieces, each with the last byte of the one before, any split of a head finds the same byte.
 */
export function strayByte(head: string): Http1ErrorCode | undefined {
  const found = strayPattern.exec(head)?.[0]
  if (found === undefined) return undefined
  return found.includes("\n") || found.startsWith("\r") ? "bare_line_end" : "bad_character"
}

const strayPattern = /[^\t\n\r -~\x80-\xff]|\r[^\n]|[^\r]\n/

/** Why a complete head does not match its pattern. */
export function diagnoseHead(head: string, kind: "request" | "response"): Http1ErrorCode {
  const stray = head.startsWith("\n") ? "bare_line_end" : strayByte(head)
  if (stray !== undefined) return stray
  const lineEnd = head.indexOf("\r\n")
  const startLine = lineEnd === -1 ? head : head.slice(0, lineEnd)
  const wrong = kind === "request" ? diagnoseRequestLine(startLine) : diagnoseStatusLine(startLine)
  return wrong ?? diagnoseFields(head.slice(lineEnd + 2))
}

/** Why a block of field lines does not match its pattern. */
export function diagnoseFields(lines: string): Http1ErrorCode {
  const stray = lines.startsWith("\n") ? "bare_line_end" : strayByte(lines)
  if (stray !== undefined) return stray
  for (const line of lines.split("\r\n")) {
    if (line === "" || plainFieldLine.test(line)) continue
    if (/^[\t ]/.test(line)) return "folded_field"
    if (spacedFieldLine.test(line)) return "space_before_colon"
    return "bad_field"
  }
  return "bad_field"
}

const plainFieldLine = new RegExp(`^[${tchar}]+:[${text}]*$`)
const spacedFieldLine = new RegExp(`^[${tchar}]+[\\t ]+:`)

function diagnoseRequestLine(line: string): Http1ErrorCode | undefined {
  const parts = line.split(" ")
  const [method = "", target = "", version = ""] = parts
  if (parts.length !== 3 || !tokenPattern.test(method)) return "bad_request_line"
  if (!/^HTTP\/[0-9]\.[0-9]$/.test(version)) return "bad_request_line"
  if (!/^HTTP\/1\.[01]$/.test(version)) return "version_unsupported"
  return /^[!"$-~]+$/.test(target) ? undefined : "bad_target"
}

function diagnoseStatusLine(line: string): Http1ErrorCode | undefined {
  if (/^HTTP\/1\.[01] [1-9][0-9]{2}(?: .*)?$/s.test(line)) return undefined
  return /^HTTP\/[0-9]\.[0-9] /.test(line) && !/^HTTP\/1\.[01] /.test(line)
    ? "version_unsupported"
    : "bad_status_line"
}
