// What a case of the abuse corpus is: bytes that somebody sends, and the one thing that may come of them. Plain data; play.ts
// plays it and judges.

export interface AbuseCase {
  /** What it tries, in plain words. */
  readonly name: string
  /** All that the client sends, latin-1. */
  readonly bytes: string
  readonly verdict: Verdict
}

export type Verdict =
  /**
   * After the answers to `before`, which are whole requests, one answer with one of these statuses, and the end of the connection. The upstream
   * sees no more than those, and at most the beginning of another one, whose connection is broken.
   */
  | { readonly kind: "refused"; readonly statuses: readonly number[]; readonly before: readonly Asked[] }
  /** The upstream gets exactly these requests, the client exactly their answers. `connection`: what becomes of its connection. */
  | { readonly kind: "passes"; readonly requests: readonly Asked[]; readonly connection: "stays" | "closes" }
  /** No request yet, or never: nothing is answered, nothing reaches the upstream, and the connection ends when the client ends its side. */
  | { readonly kind: "nothing" }

/** A request as everybody has to understand it. */
export interface Asked {
  readonly method: string
  readonly target: string
  readonly body: string
}

export const asked = (method: string, target: string, body = ""): Asked => ({ method, target, body })

export const refused = (name: string, bytes: string, ...statuses: readonly number[]): AbuseCase => ({
  name,
  bytes,
  verdict: { kind: "refused", statuses: statuses.length === 0 ? [400] : statuses, before: [] },
})

export const passes = (name: string, bytes: string, ...requests: readonly Asked[]): AbuseCase => ({
  name,
  bytes,
  verdict: { kind: "passes", requests, connection: "stays" },
})

/** What a successful attack would make a request of. */
export const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Ignore: x\r\n\r\n"

/** The start of a POST; `fields` are whole lines without their line ends. */
export const post = (...fields: readonly string[]): string =>
  `POST /abuse HTTP/1.1\r\nHost: a\r\n${fields.map((line) => `${line}\r\n`).join("")}\r\n`

/** A byte as it can be read in a test's title. */
export const shown = (bytes: string): string => JSON.stringify(bytes).slice(1, -1)

/** Every byte from `first` to `last`. */
export const bytesFrom = (first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index))

/** NUL to US without HTAB, CR and LF; and DEL. No head may hold them (RFC 9110 section 5.5). */
export const controls: readonly string[] = [
  ...bytesFrom(0, 8),
  ...bytesFrom(0x0b, 0x0c),
  ...bytesFrom(0x0e, 0x1f),
  "\x7f",
]
