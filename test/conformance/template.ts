// Expected bytes. Most are literal; what differs from run to run is a placeholder, and what may be cut differently on its way
// (chunks) or has a test of its own (the text of an error) is read by a part that knows the grammar.

/** Literal text with placeholders (‹date› ‹edge› ‹id›), or something that reads on from an index. */
export type Part = string | Reader

export interface Reader {
  /** For failures: what is expected here. */
  readonly name: string
  /** Reads `text` from `at`. */
  read(text: string, at: number): Reading
}

/** The index behind what was read; or more has to come; or these are other bytes. */
export type Reading = number | "more" | "other"

export interface Match {
  readonly kind: "match"
  readonly end: number
}
export interface Mismatch {
  readonly kind: "more" | "other"
  /** Where the bytes stop being the expected ones. */
  readonly at: number
  /** What is expected there. */
  readonly wanted: string
}

/** Reads the parts one after the other from index `from`. */
export function match(parts: readonly Part[], text: string, from: number): Match | Mismatch {
  let at = from
  for (const reader of parts.flatMap(readersOf)) {
    const read = reader.read(text, at)
    if (typeof read === "string") return { kind: read, at, wanted: reader.name }
    at = read
  }
  return { kind: "match", end: at }
}

/** A whole chunked body with this content, in chunks of any size, and these trailer lines. No extensions. */
export function chunked(content: string, ...trailers: readonly string[]): Reader {
  return chunks(content, `0\r\n${trailers.map((line) => `${line}\r\n`).join("")}\r\n`)
}

/** As `chunked`, but its end has not come yet. */
export const chunkedSoFar = (content: string): Reader => chunks(content, "")

function chunks(content: string, end: string): Reader {
  return {
    name: `chunks of ${JSON.stringify(content)} and ${JSON.stringify(end)}`,
    read: (text, from) => {
      let left = content
      let at = from
      while (left !== "") {
        const size = /^([1-9a-f][0-9a-f]*)\r\n/.exec(text.slice(at, at + 12))
        if (size === null)
          return text.length - at < 12 && /^[0-9a-f]*\r?$/.test(text.slice(at)) ? "more" : "other"
        const bytes = Number.parseInt(size[1] ?? "", 16)
        at += size[0].length
        const chunk = text.slice(at, at + bytes + 2)
        const expected = `${left.slice(0, bytes)}\r\n`
        if (chunk !== expected) return expected.startsWith(chunk) && bytes <= left.length ? "more" : "other"
        left = left.slice(bytes)
        at += bytes + 2
      }
      return literal(end).read(text, at)
    },
  }
}

/** The first of them that fits. */
export function oneOf(...readers: readonly Reader[]): Reader {
  return {
    name: readers.map(({ name }) => name).join(" or "),
    read: (text, at) => {
      const read = readers.map((reader) => reader.read(text, at))
      return read.find((result) => typeof result === "number") ?? (read.includes("more") ? "more" : "other")
    },
  }
}

export interface Refusal {
  readonly status: number
  /** Error type of RFC 9209 §2.3. */
  readonly error: string
  /** Our own code, in Restante-Error. */
  readonly code: string
  /** Whether the upstream may have seen the request. Default "no". */
  readonly forwarded?: "no" | "maybe"
  /** Whether the edge keeps the connection. Default "close". */
  readonly connection?: "keep" | "close"
  /** Whether Retry-After is there. Default false. */
  readonly retry?: boolean
  /** The answer to HEAD has no body. Default true. */
  readonly body?: boolean
  /** Further lines that must be there. */
  readonly lines?: readonly string[]
}

/** An error of the edge's own: what it must say, and nothing of the inside. Its wording has tests of its own. */
export function refusal(expected: Refusal): Reader {
  const { status, error, code, forwarded = "no", connection = "close", retry = false, lines = [] } = expected
  const details = forwarded === "no" ? "not forwarded" : "may have been forwarded"
  const wanted = [
    ...lines,
    `Proxy-Status: restante; error=${error}; details="${details}"`,
    `Restante-Error: ${code}`,
    ...(connection === "close" ? ["Connection: close"] : []),
  ]
  return {
    name: `${status} ${code} (${error}, ${details}, ${connection})`,
    read: (text, from) => {
      const headEnd = text.indexOf("\r\n\r\n", from)
      if (headEnd === -1) return text.length - from < 8000 ? "more" : "other"
      const [start = "", ...fields] = text.slice(from, headEnd).split("\r\n")
      const has = (pattern: RegExp): boolean => fields.some((line) => pattern.test(line))
      const fine =
        start.startsWith(`HTTP/1.1 ${status} `) &&
        wanted.every((line) => fields.includes(line)) &&
        has(/^Restante-Exchange: [\w-]{21}$/) &&
        has(/^Date: /) &&
        has(/^Retry-After: \d+$/) === retry &&
        (connection === "close" || !has(/^Connection:/))
      if (!fine) return "other"
      const length = Number(
        /^Content-Length: (\d+)$/m.exec(text.slice(from, headEnd).replaceAll("\r", ""))?.[1],
      )
      const end = headEnd + 4 + (expected.body === false ? 0 : length)
      if (!(end >= 0)) return "other"
      if (text.length < end) return "more"
      return /127\.0\.0\.1|localhost|ECONN|[a-z]Error:/.test(text.slice(from, end)) ? "other" : end
    },
  }
}

function readersOf(part: Part): Reader[] {
  if (typeof part !== "string") return [part]
  return part
    .split(/(‹\w+›)/)
    .filter((piece) => piece !== "")
    .map((piece) => placeholders[piece] ?? literal(piece))
}

function literal(expected: string): Reader {
  return {
    name: JSON.stringify(expected),
    read: (text, at) => {
      const there = text.slice(at, at + expected.length)
      if (there === expected) return at + expected.length
      return expected.startsWith(there) ? "more" : "other"
    },
  }
}

function spelled(name: string, expression: RegExp, longest: number): Reader {
  return {
    name,
    read: (text, at) => {
      expression.lastIndex = at
      const found = expression.exec(text)
      if (found !== null) return at + found[0].length
      return text.length - at < longest ? "more" : "other"
    },
  }
}

const placeholders: Readonly<Record<string, Reader>> = {
  "‹date›": spelled("a date", /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT(?=\r)/y, 31),
  "‹edge›": spelled("the edge's name", /restante-[\w-]{10}(?=\r)/y, 20),
  "‹port›": spelled("a port", /\d{1,5}(?=\r)/y, 6),
}
