// The rows of the checklist for a client that speaks HTTP/2 to the edge.
import { ends, forwarded, gets, head, says, seesAbort, seesEnd, type Step } from "../case.ts"
import { chunked } from "../template.ts"
import { answer, fields, type Http2Case, type Http2Outcome, okAnswer, okSaid } from "./case.ts"

/** The request that reaches the upstream with these lines is answered with 200. */
const served = (...lines: readonly string[]): readonly Step[] => [gets(reached(...lines)), says(okSaid)]
/** The head of a request as it reaches the upstream. */
const reached = (...lines: readonly string[]): string => forwarded(lines, "a", "2.0")
const get = "GET / HTTP/1.1"
const plain = { fields: fields("GET", "/") }
const post = (...more: readonly string[]): readonly string[] => fields("POST", "/", ...more)
const refusal = (status: number, error: string, code: string): Http2Outcome => ({
  kind: "refusal",
  status,
  error,
  code,
})

/** A plain GET, answered with these bytes. */
function answered(response: string, ...after: readonly Step[]): Pick<Http2Case, "asks" | "upstream"> {
  return { asks: plain, upstream: [gets(reached(get, "Host: a")), says(response), ...after] }
}

const chunkedLine = "Transfer-Encoding: chunked\r\n\r\n"

const requestCases: readonly Http2Case[] = [
  {
    row: 8,
    title: "the authority is the Host, in front of all other fields",
    rfc: "RFC 9113 §8.3.1",
    asks: { fields: fields("GET", "/", "x-a", "1", "host", "a") },
    upstream: served(get, "Host: a", "x-a: 1"),
    gets: okAnswer,
  },
  {
    row: 8,
    title: "a Host that is not the authority is refused",
    rfc: "RFC 9113 §8.3.1",
    asks: { fields: fields("GET", "/", "host", "b") },
    gets: refusal(400, "http_request_error", "bad_request"),
  },
  {
    row: 11,
    title: "OPTIONS * stays what it is",
    rfc: "RFC 9113 §8.3.1",
    asks: { fields: fields("OPTIONS", "*") },
    upstream: served("OPTIONS * HTTP/1.1", "Host: a"),
    gets: okAnswer,
  },
  {
    row: 12,
    title: "CONNECT is refused",
    rfc: "RFC 9113 §8.5",
    asks: { fields: [":method", "CONNECT", ":authority", "a:443"] },
    gets: refusal(405, "http_request_denied", "method_not_allowed"),
  },
  {
    row: 13,
    title: "TRACE is refused",
    rfc: "RFC 9110 §9.3.8",
    asks: { fields: fields("TRACE", "/") },
    gets: refusal(405, "http_request_denied", "method_not_allowed"),
  },
  ...["/a/../b//c/./%2e%2F?x=%zz&y=?", "//other.example/", "/@x:y", "/http://other.example"].map(
    (path): Http2Case => ({
      row: 14,
      title: `no byte of a path is touched: ${path}`,
      rfc: "RFC 9113 §8.3.1; RFC 9110 §7.7",
      asks: { fields: fields("GET", path) },
      upstream: served(`GET ${path} HTTP/1.1`, "Host: a"),
      gets: okAnswer,
    }),
  ),
  {
    row: 14,
    title: "a path with a fragment is refused",
    rfc: "RFC 9113 §8.3.1",
    asks: { fields: fields("GET", "/a#b") },
    gets: refusal(400, "http_request_error", "bad_request"),
  },
  {
    row: 15,
    title: "fields keep their order, and each line stays a line",
    rfc: "RFC 9110 §5.3",
    asks: { fields: fields("GET", "/", "x-b", "1", "x-a", "2", "x-b", "3", "x-empty", "") },
    upstream: served(get, "Host: a", "x-b: 1", "x-a: 2", "x-b: 3", "x-empty: "),
    gets: okAnswer,
  },
  {
    row: 16,
    title: "crumbs of a cookie are one field, where the first of them stood",
    rfc: "RFC 9113 §8.2.3",
    asks: { fields: fields("GET", "/", "cookie", "a=1", "x-a", "1", "cookie", "b=2") },
    upstream: served(get, "Host: a", "cookie: a=1; b=2", "x-a: 1"),
    gets: okAnswer,
  },
  {
    row: 17,
    title: "octets beyond ASCII cross in both directions",
    rfc: "RFC 9110 §5.5",
    asks: { fields: fields("GET", "/", "x-a", "\xe9\xff") },
    upstream: [
      gets(reached(get, "Host: a", "x-a: \xe9\xff")),
      says(head("HTTP/1.1 200 OK", "X-B: \x80\xe9", "Content-Length: 0")),
    ],
    gets: answer([":status: 200", "x-b: \x80\xe9", "content-length: 0"]),
  },
  {
    row: 18,
    title: "Expect: 100-continue is answered at once, and does not cross",
    rfc: "RFC 9110 §10.1.1",
    asks: { fields: post("content-length", "1", "expect", "100-continue"), body: "x" },
    upstream: [gets(reached("POST / HTTP/1.1", "Host: a", "content-length: 1"), "x"), says(okSaid)],
    gets: answer([":status: 200", "content-length: 2"], { body: "ok", informational: [[":status: 100"]] }),
  },
  {
    row: 20,
    title: "trailers of a request arrive behind its chunks",
    rfc: "RFC 9113 §8.1; RFC 9112 §7.1.2",
    asks: { fields: post(), body: "abc", trailers: { "x-sum": "7" } },
    upstream: [
      gets(reached("POST / HTTP/1.1", "Host: a").replace(/\r\n$/, chunkedLine), chunked("abc", "x-sum: 7")),
      says(okSaid),
    ],
    gets: okAnswer,
  },
  ...(["GET", "DELETE", "OPTIONS", "PROPFIND", "QUERY", "x-!#"] as const).map((method): Http2Case => ({
    row: method.length > 7 || method === "QUERY" || method === "x-!#" ? 44 : 42,
    title: `${method} crosses with its body`,
    rfc: "RFC 9110 §9.1, §9.3",
    asks: { fields: fields(method, "/", "content-length", "3"), body: "abc" },
    upstream: [gets(reached(`${method} / HTTP/1.1`, "Host: a", "content-length: 3"), "abc"), says(okSaid)],
    gets: okAnswer,
  })),
  {
    row: 43,
    title: "a POST without a body has none, and one whose body is empty says so",
    rfc: "RFC 9112 §6.3",
    asks: { fields: post("content-length", "0") },
    upstream: served("POST / HTTP/1.1", "Host: a", "content-length: 0"),
    gets: okAnswer,
  },
  {
    row: 23,
    title: "a request whose body is shorter than it says is reset, and never whole",
    rfc: "RFC 9113 §8.1.1",
    asks: { fields: post("content-length", "5"), body: "abc" },
    gets: { kind: "reset", code: "PROTOCOL_ERROR" },
  },
]

const responseCases: readonly Http2Case[] = [
  {
    row: 1,
    title: "what an answer says about its connection stays there",
    rfc: "RFC 9113 §8.2.2",
    ...answered(
      `${head(
        "HTTP/1.1 200 OK",
        "Connection: X-Secret, keep-alive",
        "X-Secret: 1",
        "Keep-Alive: timeout=5",
        "Upgrade: h2c",
        "Content-Length: 2",
      )}ok`,
    ),
    gets: okAnswer,
  },
  {
    row: 16,
    title: "each Set-Cookie stays a field of its own",
    rfc: "RFC 9110 §5.3",
    ...answered(head("HTTP/1.1 200 OK", "Set-Cookie: a=1", "X-A: 1", "Set-Cookie: b=2", "Content-Length: 0")),
    gets: answer([":status: 200", "set-cookie: a=1", "x-a: 1", "set-cookie: b=2", "content-length: 0"]),
  },
  {
    row: 19,
    title: "103 comes before the answer, with its fields",
    rfc: "RFC 8297 §2",
    ...answered(head("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload") + okSaid),
    gets: answer([":status: 200", "content-length: 2"], {
      body: "ok",
      informational: [[":status: 103", "link: </a.css>; rel=preload"]],
    }),
  },
  {
    row: 20,
    title: "trailers of an answer end its stream",
    rfc: "RFC 9113 §8.1",
    ...answered(
      `${head("HTTP/1.1 200 OK", "Trailer: X-Sum", "Transfer-Encoding: chunked")}3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n`,
    ),
    gets: answer([":status: 200", "trailer: X-Sum"], { body: "abc", trailers: ["x-sum: 7"] }),
  },
  {
    row: 21,
    title: "HEAD keeps the length, and gets no body",
    rfc: "RFC 9110 §9.3.2",
    asks: { fields: fields("HEAD", "/") },
    upstream: [
      gets(reached("HEAD / HTTP/1.1", "Host: a")),
      says(head("HTTP/1.1 200 OK", "Content-Length: 3")),
    ],
    gets: answer([":status: 200", "content-length: 3"]),
  },
  {
    row: 22,
    title: "204 loses its Content-Length",
    rfc: "RFC 9110 §8.6",
    ...answered(head("HTTP/1.1 204 No Content", "Content-Length: 0")),
    gets: answer([":status: 204"]),
  },
  {
    row: 22,
    title: "304 keeps its Content-Length and ETag",
    rfc: "RFC 9110 §15.4.5",
    ...answered(head("HTTP/1.1 304 Not Modified", 'ETag: "x"', "Content-Length: 5")),
    gets: answer([":status: 304", 'etag: "x"', "content-length: 5"]),
  },
  {
    row: 24,
    title: "an answer that breaks off resets the stream",
    rfc: "RFC 9113 §8.1.1; RFC 9112 §8",
    ...answered(`${head("HTTP/1.1 200 OK", "Content-Length: 5")}abc`, ends, seesEnd),
    gets: { kind: "reset", code: "INTERNAL_ERROR" },
  },
  {
    row: 25,
    title: "an answer that ends with its connection is whole",
    rfc: "RFC 9112 §6.3 item 8",
    ...answered(`${head("HTTP/1.1 200 OK")}until the end`, ends, seesEnd),
    gets: answer([":status: 200"], { body: "until the end" }),
  },
  {
    row: 26,
    title: "a stream that is reset breaks the upstream's connection within a second",
    rfc: "RFC 9113 §5.4.2",
    asks: { fields: fields("GET", "/"), cancels: true },
    upstream: [
      gets(reached(get, "Host: a")),
      says(`${head("HTTP/1.1 200 OK", "Content-Length: 5")}abc`),
      seesAbort,
    ],
    gets: { kind: "reset", code: "CANCEL" },
  },
  {
    row: 35,
    title: "the upstream's Date is the only one",
    rfc: "RFC 9110 §6.6.1",
    ...answered(head("HTTP/1.1 200 OK", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Content-Length: 0")),
    gets: answer([":status: 200", "date: Thu, 01 Jan 1970 00:00:00 GMT", "content-length: 0"]),
  },
  {
    row: 36,
    title: "a status that nobody knows crosses, without its reason",
    rfc: "RFC 9113 §8.3.2",
    ...answered(head("HTTP/1.1 299 Weird", "Content-Length: 0")),
    gets: answer([":status: 299", "content-length: 0"]),
  },
  {
    row: 39,
    title: "an answer that is no HTTP is 502",
    rfc: "RFC 9209 §2.3",
    ...answered("HTTP/1.1 200 OK\r\nBad Field: x\r\n\r\n", seesAbort),
    gets: refusal(502, "http_protocol_error", "upstream_protocol"),
  },
]

export const http2Cases: readonly Http2Case[] = [...requestCases, ...responseCases]
