// The 47 rows of the checklist of what a careful HTTP proxy keeps, with our verdict on each. The cases are in cases/.

export interface Row {
  readonly row: number
  readonly semantic: string
  readonly rfc: string
  /** "met"; "differs": by choice, the note says why; "later": of a feature that is not here yet, as far as the note says. */
  readonly verdict: "met" | "differs" | "later"
  /** What is peculiar about it: where we read the row in our own way, or what is tested elsewhere. */
  readonly note?: string
}

const met = (row: number, semantic: string, rfc: string, note?: string): Row => ({
  row,
  semantic,
  rfc,
  verdict: "met",
  ...(note === undefined ? {} : { note }),
})
const differs = (row: number, semantic: string, rfc: string, note: string): Row => ({
  row,
  semantic,
  rfc,
  verdict: "differs",
  note,
})
const later = (row: number, semantic: string, rfc: string, note: string): Row => ({
  row,
  semantic,
  rfc,
  verdict: "later",
  note,
})

export const rows: readonly Row[] = [
  met(1, "Hop-by-hop fields", "9110 §7.6.1, §11.7"),
  met(
    2,
    "Transfer-Encoding and Content-Length together",
    "9112 §6.1, §6.3, §11.2",
    "Refused rather than repaired: 400 for a request, 502 for an answer.",
  ),
  met(
    3,
    "Repeated, listed or signed Content-Length",
    "9112 §6.3 item 5",
    "Also refused when all values are the same, which §6.3 would let pass: whoever sends that is not to be believed about the rest.",
  ),
  met(
    4,
    "Transfer codings other than chunked",
    "9112 §6.1, §6.3 item 4",
    "501 for a coding that is not understood, 400 for a list that has no reliable end.",
  ),
  met(5, "HTTP/1.0 with Transfer-Encoding", "9112 §6.1"),
  met(
    6,
    "Bytes that no head may hold",
    "9112 §2.2, §5.1, §5.2; 9110 §5.5",
    "Folded lines are refused in answers too, where §5.2 would let a proxy replace them.",
  ),
  met(7, "Chunks", "9112 §7.1, §7.1.1"),
  met(8, "Host", "9112 §3.2; 9110 §7.2", "`:authority` of HTTP/2: `test/e2e/http2.test.ts`."),
  met(
    9,
    "Host towards the upstream",
    "9110 §7.2, §7.6",
    "`--host-header preserve` (default), `upstream` or a value.",
  ),
  met(10, "Absolute targets", "9112 §3.2.2"),
  met(11, "OPTIONS * and Max-Forwards", "9112 §3.2.4; 9110 §9.3.7, §7.6.2"),
  met(12, "CONNECT", "9110 §9.3.6", "405; what is no authority is 400."),
  met(13, "TRACE", "9110 §9.3.8", "405, always."),
  met(
    14,
    "The bytes of a target",
    "9110 §7.7; 9112 §3.2",
    "`#` is refused, not stripped. An agent connects to the upstream that it was given; nothing in a request can name another. A base path in `--server` is put in front and is no fence: `..` passes as it came.",
  ),
  met(15, "Case, order, duplicates of fields", "9110 §5.2, §5.3"),
  met(
    16,
    "Cookie and Set-Cookie",
    "9110 §5.3; 9113 §8.2.3",
    "Crumbs of an HTTP/2 client are joined: `test/e2e/http2.test.ts`.",
  ),
  met(17, "Octets beyond ASCII in values", "9110 §5.5"),
  met(
    18,
    "Expect",
    "9110 §10.1.1, §15.2.1",
    "The edge says 100 itself, once it has admitted the request; the upstream sees no Expect. Whatever can be refused without the body is refused instead of 100.",
  ),
  met(19, "1xx and 103", "9110 §15.2; 8297 §2"),
  met(
    20,
    "Trailers",
    "9110 §6.5, §10.1.4; 9112 §7.1.2",
    "Trailers that would frame or route a message are refused, others that may not be trailers are dropped. Sent to every client whose framing has a place for them.",
  ),
  met(21, "HEAD", "9110 §9.3.2"),
  met(
    22,
    "204, 205, 304 and 1xx",
    "9110 §8.6, §15.3.5, §15.4.5; 9112 §6.3",
    "A 205 crosses as it came: it has a body when its framing says so, and taking that away would leave the next answer out of step.",
  ),
  met(
    23,
    "Content-Length and the bytes",
    "9112 §6.3, §11.2",
    "Too few break the connection. What is too much cannot be told from the next message: behind a request it is the next request, behind an answer it is dropped and the upstream's connection closed.",
  ),
  met(
    24,
    "Truncated answers",
    "9112 §8; 9209 §2.3.14",
    "Over HTTP/2 a stream is reset: `test/e2e/http2.test.ts`, `test/e2e/http2-upstream.test.ts`.",
  ),
  met(25, "Bodies that end with the connection", "9112 §6.3 item 8, §8"),
  met(
    26,
    "A client that leaves",
    "9112 §9.6",
    "Within a second. Over several edges: `test/e2e/edges.test.ts`.",
  ),
  met(
    27,
    "A client that half-closes",
    "9112 §9.6",
    "Served as long as its answer comes. When nothing has been written to it for half a second it counts as gone, because one that left looks the same and row 26 wants that noticed within a second. Half a request is not served.",
  ),
  met(28, "Kept connections that end just then", "9112 §9.3.1; 9110 §9.2.2"),
  differs(
    29,
    "An agent that dies",
    "9110 §9.2.2; 9209 §2.3.10",
    "Repeated at most twice, and only what is idempotent by its method. An Idempotency-Key changes nothing: that the upstream honours it is a guess (it comes with deferred exchanges, row 47).",
  ),
  met(
    30,
    "Via and loops",
    "9110 §7.6.3; 9209 §2.3.18",
    "Our own name seen once is a loop, 502. Over several edges it is noticed by the first that is met again. CDN-Loop is for CDNs: it crosses.",
  ),
  met(
    31,
    "Forwarded and X-Forwarded-*",
    "7239 §4, §5, §6.1, §8.1",
    "Forwarded is continued where a trusted proxy began it, never begun by us: X-Forwarded-* is what upstreams read.",
  ),
  met(
    32,
    "Upgrade and WebSocket",
    "9110 §7.8; 6455 §4, §5",
    "Bytes behind a 101 are not looked at: extensions, fragments, pings and close codes are between the two ends, so is the largest frame. Real clients and servers: `test/e2e/`. Over HTTP/2 (RFC 8441): `test/e2e/http2-upstream.test.ts`.",
  ),
  met(33, "Range and conditions", "9110 §13, §14"),
  met(34, "Content-Encoding", "9110 §8.4, §7.7"),
  met(35, "Date, Server, Age", "9110 §6.6.1, §10.2.4"),
  met(36, "Status and reason", "9112 §4; 9110 §15"),
  differs(
    37,
    "What nobody asked for",
    "9112 §9.2; 9110 §15.2.2",
    "A 101 that nobody asked for is 502. Bytes behind a whole answer do not make that answer wrong: it is delivered, the bytes are dropped, the connection is closed.",
  ),
  met(
    38,
    "Limits",
    "9110 §5.4, §15.5.9, §15.5.14, §15.5.15; 6585 §5",
    "Head 64 KiB, target 16 KiB, 256 lines, trailers 16 KiB; `--max-body-size`, `--head-timeout`, `--body-timeout`, `--idle-timeout`, `--min-rate`. A body without a length is bounded by its pauses, not by its rate, unless `--min-stream-rate` is given: streams of few bytes an hour are legitimate.",
  ),
  differs(
    39,
    "Errors",
    "9110 §15.6; 9209 §2.3",
    "An answer whose body stands still is not cut: event streams may be silent for hours, and a client that gives up cancels. There is no limit on an answer's body, so no `http_response_body_size`. 404 for a host that is no tunnel's: `test/e2e/`.",
  ),
  met(
    40,
    "HTTP/2 clients",
    "9113 §8",
    "The cases of other rows where HTTP/2 makes a difference, with a client that speaks it. What is no row of this list: `test/e2e/http2*.test.ts`, `test/e2e/grpc.test.ts`, `test/security/http2-abuse.test.ts` and `packages/proxy-out/test/ingress/h2/`.",
  ),
  met(41, "Pipelining", "9112 §9.3.2"),
  met(42, "Bodies of GET, DELETE, OPTIONS, HEAD", "9110 §9.3.1"),
  met(43, "No body and an empty one", "9112 §6.3"),
  met(44, "Unknown methods", "9110 §9.1", "Every token crosses, save CONNECT and TRACE."),
  met(
    45,
    "No cache",
    "9111 §3; 9110 §17",
    "With Redis a waiting request lies in the queue, and nothing of it when it is over: every key is looked through.",
  ),
  met(
    46,
    "Early data",
    "8470 §5",
    "The edge does not take early data itself. Early-Data of a proxy in front and 425 of the upstream cross.",
  ),
  later(
    47,
    "Deferred exchanges",
    "7240 §4; draft Idempotency-Key; 9457",
    "Nothing is answered in the upstream's place so far: the fields cross.",
  ),
]
