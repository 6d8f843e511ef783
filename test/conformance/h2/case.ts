// What a conformance case is whose client speaks HTTP/2: the fields, bytes and trailers of one stream, the HTTP/1 bytes that reach the
// upstream, what that one answers, and what the client's stream gets. Plain data, as the cases of HTTP/1 are (../case.ts).
import { head, type Step } from "../case.ts"

export interface Http2Case {
  /** Row of the checklist, 1 to 47, that it is about; all of them are cases of row 40 as well. */
  readonly row: number
  /** A promise in plain words. */
  readonly title: string
  readonly rfc: string
  readonly asks: Http2Request
  /** What the upstream does with the request; without it none may reach it. */
  readonly upstream?: readonly Step[]
  readonly gets: Http2Outcome
}

export interface Http2Request {
  /** Names and values in turn, pseudo fields among them. */
  readonly fields: readonly string[]
  /** DATA, latin-1; undefined: the head ends the stream. */
  readonly body?: string
  readonly trailers?: Readonly<Record<string, string>>
  /** Resets the stream with CANCEL once the answer's head is there. */
  readonly cancels?: true
}

export interface Http2Answer {
  readonly kind: "answer"
  /** Lines `name: value`, the status first; placeholders as in ../template.ts. */
  readonly lines: readonly string[]
  readonly body?: string
  readonly trailers?: readonly string[]
  /** Each 1xx, in order. */
  readonly informational?: readonly (readonly string[])[]
}

export type Http2Outcome =
  | Http2Answer
  /** One of the edge's own errors. */
  | { readonly kind: "refusal"; readonly status: number; readonly error: string; readonly code: string }
  /** The stream is reset, and the code's name. */
  | { readonly kind: "reset"; readonly code: string }

/** Fields of a request for this target. */
export function fields(method: string, path: string, ...more: readonly string[]): readonly string[] {
  return [":method", method, ":scheme", "http", ":authority", "a", ":path", path, ...more]
}

/** The lines of a plain answer with these in the middle. */
export function answer(
  lines: readonly string[],
  rest: Omit<Http2Answer, "kind" | "lines"> = {},
): Http2Answer {
  const date = lines.some((line) => line.startsWith("date:")) ? [] : ["date: ‹date›"]
  return { kind: "answer", lines: [...lines, ...date, "via: 1.1 ‹edge›"], ...rest }
}

export const okAnswer: Http2Answer = answer([":status: 200", "content-length: 2"], { body: "ok" })
export const okSaid: string = `${head("HTTP/1.1 200 OK", "Content-Length: 2")}ok`
