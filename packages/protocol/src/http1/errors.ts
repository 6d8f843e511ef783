// Everything that can be wrong with an HTTP/1 message, as a closed table, and the one class that carries it.
// An error never quotes the peer's bytes: what it says is safe to log and to send.

export class Http1Error extends Error {
  readonly code: Http1ErrorCode

  constructor(code: Http1ErrorCode) {
    super(`${code}: ${http1ErrorTable[code].reason}`)
    this.name = "Http1Error"
    this.code = code
  }

  /** Status to answer with when the peer is a client. */
  get status(): number {
    return http1ErrorTable[this.code].status
  }

  /** What went wrong in the words of RFC 9209 section 2.3 when the peer is an upstream server. */
  get upstreamFault(): UpstreamFault {
    return http1ErrorTable[this.code].upstreamFault
  }
}

export type UpstreamFault = "protocol" | "transfer_coding" | "header_size" | "incomplete"

export interface Http1ErrorTraits {
  readonly status: 400 | 414 | 431 | 501 | 502 | 505
  readonly upstreamFault: UpstreamFault
  /** The broken rule, for people. */
  readonly reason: string
}

const protocol = (reason: string): Http1ErrorTraits => ({ status: 400, upstreamFault: "protocol", reason })
const tooLarge = (reason: string): Http1ErrorTraits => ({ status: 431, upstreamFault: "header_size", reason })

export const http1ErrorTable = {
  bad_request_line: protocol("the first line is not a request line (RFC 9112 section 3)"),
  bad_status_line: protocol("the first line is not a status line (RFC 9112 section 4)"),
  bad_target: protocol("the request target has none of the four forms (RFC 9112 section 3.2)"),
  target_too_long: {
    status: 414,
    upstreamFault: "protocol",
    reason: "the request target is longer than the limit",
  },
  version_unsupported: {
    status: 505,
    upstreamFault: "protocol",
    reason: "the version is neither HTTP/1.0 nor HTTP/1.1 (RFC 9110 section 15.6.6)",
  },
  empty_lines: protocol("too many empty lines before a request line (RFC 9112 section 2.2)"),
  bare_line_end: protocol("a CR without LF or an LF without CR (RFC 9112 section 2.2)"),
  bad_character: protocol("a control character (RFC 9110 section 5.5)"),
  folded_field: protocol("a field line begins with white space (RFC 9112 section 5.2)"),
  space_before_colon: protocol("white space between field name and colon (RFC 9112 section 5.1)"),
  bad_field: protocol("not a field line (RFC 9112 section 5)"),
  head_too_large: tooLarge("the head is larger than the limit"),
  too_many_fields: tooLarge("more field lines than the limit"),
  trailers_too_large: tooLarge("the trailer section is larger than the limit"),
  host_missing: protocol("no Host field (RFC 9112 section 3.2)"),
  host_repeated: protocol("more than one Host field (RFC 9112 section 3.2)"),
  host_invalid: protocol("the Host field is not a host with an optional port (RFC 9112 section 3.2)"),
  content_length_invalid: protocol("Content-Length is not one decimal number (RFC 9112 section 6.3)"),
  content_length_repeated: protocol("more than one Content-Length field (RFC 9112 section 6.3)"),
  framing_conflict: protocol("both Transfer-Encoding and Content-Length (RFC 9112 section 6.3)"),
  transfer_coding_invalid: {
    status: 400,
    upstreamFault: "transfer_coding",
    reason: "Transfer-Encoding does not end in one chunked (RFC 9112 section 6.3)",
  },
  transfer_coding_unsupported: {
    status: 501,
    upstreamFault: "transfer_coding",
    reason: "a transfer coding other than chunked (RFC 9112 section 6.1)",
  },
  transfer_coding_version: {
    status: 400,
    upstreamFault: "transfer_coding",
    reason: "Transfer-Encoding in an HTTP/1.0 message (RFC 9112 section 6.1)",
  },
  bad_chunk: protocol("not a chunk (RFC 9112 section 7.1)"),
  chunk_line_too_long: protocol("a chunk-size line is longer than the limit (RFC 9112 section 7.1.1)"),
  chunk_extensions_too_large: protocol("chunk extensions are larger than the limit (RFC 9112 section 7.1.1)"),
  bad_trailer: protocol(
    "a field in the trailer section that frames or routes a message (RFC 9110 section 6.5.1)",
  ),
  incomplete: {
    status: 400,
    upstreamFault: "incomplete",
    reason: "the input ended in mid message (RFC 9112 section 8)",
  },
  unsolicited: {
    status: 502,
    upstreamFault: "protocol",
    reason: "bytes from a server that was asked nothing (RFC 9112 section 9.2)",
  },
  too_many_informational: {
    status: 502,
    upstreamFault: "protocol",
    reason: "more interim responses than the limit (RFC 9110 section 15.2)",
  },
} as const satisfies Record<string, Http1ErrorTraits>

export type Http1ErrorCode = keyof typeof http1ErrorTable
