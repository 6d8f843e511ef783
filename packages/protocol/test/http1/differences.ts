// Every way in which we may differ from Node's parser, as data. docs/http1-differences.md has one section for each, by the same id;
// the differential test accepts no other difference, and only where the evidence is in the bytes.

import type { Http1ErrorCode } from "../../src/http1/index.ts"
import type { Difference } from "./compare.ts"
import { nodeMethods } from "./oracle.ts"

export interface AllowedDifference {
  /** Heading in the docs. */
  readonly id: string
  readonly kind: Difference["kind"]
  /** The section that asks for it, or allows it. */
  readonly rfc: string
  /** Our errors, when we refuse. */
  readonly codes?: readonly Http1ErrorCode[]
  /** What is read differently. */
  readonly part?: Difference["part"]
  /** Whether the bytes of the message show the reason. */
  shows(message: Evidence): boolean
}

export interface Evidence {
  readonly kind: "request" | "response"
  /** Of the request, or of the one that the response answers. */
  readonly method: string
  /** Bytes from the beginning of the message to the end of the stream, as latin-1, without interim responses. */
  readonly text: string
  /** The head, without empty lines before it and without the one after it. */
  readonly head: string
  /** The same with the interim responses before it. */
  readonly heads: string
  /** Its first line. */
  readonly line: string
}

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    id: "host-missing",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3.2",
    codes: ["host_missing"],
    shows: ({ head }) => !/^host:/im.test(head),
  },
  {
    id: "host-repeated",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3.2",
    codes: ["host_repeated"],
    shows: ({ head }) => (head.match(/^host:/gim) ?? []).length > 1,
  },
  {
    id: "host-invalid",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3.2",
    codes: ["host_invalid"],
    shows: ({ head }) => !/^host:[\t ]*(?:[\w.-]+|\[[0-9a-f:]+\])?(?::[0-9]*)?[\t ]*$/im.test(head),
  },
  {
    id: "target-form",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3.2",
    codes: ["bad_target"],
    shows: ({ line }) => !/^(?!CONNECT )\S+ \/\S* HTTP/.test(line) && !line.includes("#"),
  },
  {
    id: "target-fragment",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3.2",
    codes: ["bad_target"],
    shows: ({ line }) => /^\S+ \S*#\S* HTTP/.test(line),
  },
  {
    id: "version",
    kind: "we_refuse",
    rfc: "RFC 9110 section 15.6.6",
    codes: ["version_unsupported"],
    shows: ({ line }) => /HTTP\/(?:0\.9|2\.0)/.test(line),
  },
  {
    id: "transfer-encoding-in-1.0",
    kind: "we_refuse",
    rfc: "RFC 9112 section 6.1",
    codes: ["transfer_coding_version"],
    shows: ({ heads }) => heads.includes("HTTP/1.0") && /^transfer-encoding:/im.test(heads),
  },
  {
    id: "transfer-coding",
    kind: "we_refuse",
    rfc: "RFC 9112 section 6.1",
    codes: ["transfer_coding_invalid", "transfer_coding_unsupported"],
    shows: ({ heads }) => /^transfer-encoding:(?! *chunked *(?:\r|$))/im.test(heads),
  },
  {
    id: "transfer-coding-twice",
    kind: "we_refuse",
    rfc: "RFC 9112 section 6.3",
    codes: ["transfer_coding_invalid", "transfer_coding_unsupported"],
    shows: ({ heads }) => (heads.match(/^transfer-encoding:/gim) ?? []).length > 1,
  },
  {
    id: "length-too-large",
    kind: "we_refuse",
    rfc: "RFC 9110 section 8.6",
    codes: ["content_length_invalid"],
    shows: ({ heads }) => /^content-length:[\t ]*0*[1-9][0-9]{15,}[\t ]*$/im.test(heads),
  },
  {
    id: "empty-lines",
    kind: "we_refuse",
    rfc: "RFC 9112 section 2.2",
    codes: ["empty_lines", "bare_line_end", "bad_status_line", "incomplete"],
    shows: ({ kind, text }) =>
      (kind === "response" ? /^[\r\n]/ : /^(?:\r\n)*(?:\n|\r(?!\n))|^(?:\r\n){9}/).test(text),
  },
  {
    id: "reason-control-characters",
    kind: "we_refuse",
    rfc: "RFC 9112 section 4",
    codes: ["bad_character"],
    shows: ({ kind, heads }) =>
      kind === "response" && /^HTTP\/[0-9]\.[0-9] [0-9]{3} .*[^\t\r\n -~\x80-\xff]/m.test(heads),
  },
  {
    id: "interim-only",
    kind: "we_refuse",
    rfc: "RFC 9110 section 15.2",
    codes: ["incomplete"],
    shows: ({ kind, text, heads }) => kind === "response" && text === "" && heads !== "",
  },
  {
    id: "spaces-in-request-line",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3",
    codes: ["bad_request_line"],
    shows: ({ kind, line }) => kind === "request" && /^\S+ +\S+ +HTTP\//.test(line) && line.includes("  "),
  },
  {
    id: "http-0.9",
    kind: "we_refuse",
    rfc: "RFC 9112 section 3",
    codes: ["bad_request_line", "bare_line_end"],
    shows: ({ kind, line }) => kind === "request" && /^[A-Z-]+ +[^\t\r\n ]*(?:$|\n)/.test(line),
  },
  {
    id: "other-protocols",
    kind: "we_refuse",
    rfc: "RFC 9112 section 2.3",
    codes: ["bad_request_line", "bad_status_line", "bad_character"],
    shows: ({ line }) => /(?:RTSP|ICE)\/1\.0/.test(line),
  },
  {
    id: "chunk-extensions",
    kind: "we_refuse",
    rfc: "RFC 9112 section 7.1.1",
    codes: ["bad_chunk"],
    shows: ({ text }) => (text.match(/^[0-9a-f]+;.*$/gim) ?? []).some((line) => !plainExtensions.test(line)),
  },
  {
    id: "misplaced-trailers",
    kind: "we_refuse",
    rfc: "RFC 9110 section 6.5.1",
    codes: ["bad_trailer"],
    shows: ({ text, head }) =>
      /^(?:connection|content-length|host|transfer-encoding|upgrade):/im.test(text.slice(head.length)),
  },
  {
    id: "status-below-100",
    kind: "we_refuse",
    rfc: "RFC 9110 section 15",
    codes: ["bad_status_line"],
    shows: ({ line }) => /^HTTP\/1\.[01] 0/.test(line),
  },
  {
    id: "unknown-method",
    kind: "we_accept",
    rfc: "RFC 9110 section 9.1",
    shows: ({ kind, method }) => kind === "request" && (!nodeMethods.has(method) || method === "SOURCE"),
  },
  {
    id: "proxy-connection",
    kind: "read_differently",
    rfc: "RFC 9112 appendix C.2.2",
    part: "keepAlive",
    shows: ({ heads }) => /^proxy-connection:/im.test(heads),
  },
  {
    id: "close-and-keep-alive",
    kind: "read_differently",
    rfc: "RFC 9112 section 9.3",
    part: "keepAlive",
    shows: ({ heads }) =>
      heads.includes("HTTP/1.0") && /^connection:.*close/im.test(heads) && /keep-alive/i.test(heads),
  },
  {
    id: "keep-alive-without-body",
    kind: "read_differently",
    rfc: "RFC 9112 section 6.3",
    part: "keepAlive",
    shows: ({ kind, method, head }) =>
      kind === "response" &&
      /^(?:HEAD|CONNECT)$/.test(method) &&
      !/^(?:content-length|transfer-encoding):/im.test(head),
  },
  {
    id: "upgrade-in-1.0",
    kind: "read_differently",
    rfc: "RFC 9110 section 7.8",
    part: "boundary",
    shows: ({ head, line }) => line.includes("HTTP/1.0") && /^upgrade:/im.test(head),
  },
]

/** RFC 9112 section 7.1.1, on a whole line. */
const plainExtensions =
  /^[0-9a-f]+(?:;[\w!#$%&'*+\-.^`|~]+(?:=(?:[\w!#$%&'*+\-.^`|~]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/i

/** The entry that covers the difference, or undefined: then one of the two readers is wrong. */
export function allowedBy(difference: Difference, message: Evidence): AllowedDifference | undefined {
  return allowedDifferences.find(
    (allowed) =>
      allowed.kind === difference.kind &&
      (difference.kind !== "we_refuse" ||
        (allowed.codes ?? []).some((code) => code === difference.ourError)) &&
      (difference.kind !== "read_differently" || allowed.part === difference.part) &&
      allowed.shows(message),
  )
}

/** The message of a stream that begins at this offset. */
export function evidenceAt(
  stream: { readonly kind: Evidence["kind"]; readonly methods: readonly string[]; readonly bytes: Buffer },
  offset: number,
  answered: number,
): Evidence {
  const all = stream.bytes.toString("latin1", offset)
  const text =
    stream.kind === "request"
      ? all
      : all.replace(/^(?:HTTP\/1\.[01] 1(?!01)[0-9]{2}(?: .*)?\r\n(?:[^\r\n]+\r\n)*\r\n)+/, "")
  const begin = /^[\r\n]*/.exec(text)?.[0].length ?? 0
  const end = text.indexOf("\r\n\r\n", begin)
  const head = text.slice(begin, end === -1 ? undefined : end)
  const heads = all.slice(0, all.length - text.length + begin + head.length)
  const line = head.split("\r\n", 1)[0] ?? ""
  const method =
    stream.kind === "request"
      ? (line.split(" ", 1)[0] ?? "")
      : (stream.methods[answered % stream.methods.length] ?? "")
  return { kind: stream.kind, method, text, head, heads, line }
}
