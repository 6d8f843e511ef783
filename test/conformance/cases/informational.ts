// Rows 18 to 20: what goes before the head or after the body.
import {
  answered,
  answers,
  awaits,
  type Case,
  forwarded,
  gets,
  head,
  ok,
  okAnswered,
  plainGet,
  plainGetForwarded,
  says,
  seesEnd,
  tells,
} from "../case.ts"
import { chunked, refusal } from "../template.ts"

const put = ["PUT /expects HTTP/1.1", "Host: a"]
const chunkedHead = answered(["HTTP/1.1 200 OK", "Trailer: X-Sum"], "Transfer-Encoding: chunked")
const chunkedPut = forwarded([...put, "Trailer: X-Sum"]).replace(
  /\r\n$/,
  "Transfer-Encoding: chunked\r\n\r\n",
)

const expectCases: readonly Case[] = [
  {
    row: 18,
    title: "a client that waits for 100 gets it, and its body and no Expect reach the upstream",
    rfc: "RFC 9110 §10.1.1, §15.2.1",
    client: [
      says(head(...put, "Content-Length: 5", "Expect: 100-continue")),
      gets(head("HTTP/1.1 100 Continue")),
      says("hello"),
      gets(okAnswered),
    ],
    upstream: [[gets(forwarded([...put, "Content-Length: 5"]), "hello"), says(ok)]],
  },
  {
    row: 18,
    title: "Expect is read without regard to case, and with a chunked body",
    rfc: "RFC 9110 §10.1.1",
    client: [
      says(head(...put, "Transfer-Encoding: chunked", "eXPECT: 100-Continue")),
      gets(head("HTTP/1.1 100 Continue")),
      says("5\r\nhello\r\n0\r\n\r\n"),
      gets(okAnswered),
    ],
    upstream: [
      [
        gets(forwarded(put).replace(/\r\n$/, "Transfer-Encoding: chunked\r\n\r\n"), chunked("hello")),
        says(ok),
      ],
    ],
  },
  {
    row: 18,
    title: "an HTTP/1.0 client gets no 100",
    rfc: "RFC 9110 §10.1.1, §15.2",
    client: [
      says(head("PUT /expects HTTP/1.0", "Host: a", "Content-Length: 5", "Expect: 100-continue"), "hello"),
      gets(okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: close\r\n\r\nok")),
      seesEnd,
    ],
    upstream: [
      [
        gets(forwarded(["PUT /expects HTTP/1.1", "Host: a", "Content-Length: 5"], "a", "1.0"), "hello"),
        says(ok),
      ],
    ],
  },
  {
    row: 18,
    title: "an expectation that nobody knows is refused with 417 and reaches nobody",
    rfc: "RFC 9110 §10.1.1, §15.5.18",
    client: [
      says(head(...put, "Content-Length: 5", "Expect: 100-continue, tea")),
      gets(refusal({ status: 417, error: "http_request_denied", code: "expectation_failed" })),
      seesEnd,
    ],
  },
  {
    row: 18,
    title: "a client that is refused hears that instead of 100, and its body is not waited for",
    rfc: "RFC 9110 §10.1.1",
    client: [
      says(head(...put, "Via: 1.1 ‹edge›", "Content-Length: 5", "Expect: 100-continue")),
      gets(refusal({ status: 502, error: "proxy_loop_detected", code: "loop_detected" })),
      seesEnd,
    ],
  },
  {
    row: 18,
    title: "an upstream that answers before the body is heard at once",
    rfc: "RFC 9110 §10.1.1, RFC 9112 §9.3",
    client: [
      says(head(...put, "Content-Length: 100000", "Expect: 100-continue")),
      gets(head("HTTP/1.1 100 Continue")),
      gets(answered(["HTTP/1.1 403 Forbidden", "Content-Length: 2"]), "no"),
      seesEnd,
    ],
    upstream: [
      [
        gets(forwarded([...put, "Content-Length: 100000"])),
        says(head("HTTP/1.1 403 Forbidden", "Content-Length: 2"), "no"),
      ],
    ],
  },
]

const informationalCases: readonly Case[] = [
  {
    row: 19,
    title: "103 and other 1xx reach the client in order and before the final answer has begun",
    rfc: "RFC 9110 §15.2, RFC 8297 §2",
    client: [
      says(plainGet),
      gets(head("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "link: </b.js>")),
      gets(head("HTTP/1.1 102 Processing"), head("HTTP/1.1 199 Odd one")),
      tells("hints are here"),
      gets(okAnswered),
    ],
    upstream: [
      [
        gets(plainGetForwarded),
        says(head("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "link: </b.js>")),
        says(head("HTTP/1.1 102 Processing"), head("HTTP/1.1 199 Odd one")),
        awaits("hints are here"),
        says(ok),
      ],
    ],
  },
  {
    row: 19,
    title: "a 100 of the upstream that the edge did not ask for crosses",
    rfc: "RFC 9110 §15.2",
    ...answers(`${head("HTTP/1.1 100 Continue")}${ok}`, head("HTTP/1.1 100 Continue"), okAnswered),
  },
  {
    row: 19,
    title: "fields about the connection and Content-Length do not cross with a 1xx",
    rfc: "RFC 9110 §7.6.1, §8.6",
    ...answers(
      `${head("HTTP/1.1 103 Early Hints", "Connection: x", "X: 1", "Keep-Alive: 1", "Content-Length: 3", "Link: l")}${ok}`,
      head("HTTP/1.1 103 Early Hints", "Link: l"),
      okAnswered,
    ),
  },
  {
    row: 19,
    title: "an HTTP/1.0 client gets no 1xx",
    rfc: "RFC 9110 §15.2",
    client: [
      says(head("GET / HTTP/1.0", "Host: a")),
      gets(okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: close\r\n\r\nok")),
      seesEnd,
    ],
    upstream: [
      [
        gets(forwarded(["GET / HTTP/1.1", "Host: a"], "a", "1.0")),
        says(head("HTTP/1.1 103 Early Hints", "Link: l"), ok),
      ],
    ],
  },
]

const trailerCases: readonly Case[] = [
  {
    row: 20,
    title: "trailers of a request reach the upstream byte for byte",
    rfc: "RFC 9110 §6.5, RFC 9112 §7.1.2",
    client: [
      says(head(...put, "Trailer: X-Sum", "Transfer-Encoding: chunked")),
      says("3\r\nabc\r\n0\r\nX-Sum:  1 \r\nx-OTHER: \xe9\r\nX-Sum: 2\r\n\r\n"),
      gets(okAnswered),
    ],
    upstream: [[gets(chunkedPut, chunked("abc", "X-Sum:  1 ", "x-OTHER: \xe9", "X-Sum: 2")), says(ok)]],
  },
  {
    row: 20,
    title: "trailers of an answer reach the client byte for byte",
    rfc: "RFC 9110 §6.5, RFC 9112 §7.1.2",
    ...answers(
      `${head("HTTP/1.1 200 OK", "Trailer: X-Sum", "Transfer-Encoding: chunked")}3\r\nabc\r\n0\r\nX-Sum:  1 \r\nx-OTHER: \xe9\r\n\r\n`,
      chunkedHead,
      chunked("abc", "X-Sum:  1 ", "x-OTHER: \xe9"),
    ),
  },
  {
    row: 20,
    title: "what may not be a trailer of a request is dropped: authentication, routing, content",
    rfc: "RFC 9110 §6.5.1",
    client: [
      says(head(...put, "Trailer: X-Sum", "Transfer-Encoding: chunked")),
      says(
        "3\r\nabc\r\n0\r\nAuthorization: x\r\nX-Sum: 1\r\nContent-Type: x\r\nX-Forwarded-For: x\r\nTE: x\r\n\r\n",
      ),
      gets(okAnswered),
    ],
    upstream: [[gets(chunkedPut, chunked("abc", "X-Sum: 1")), says(ok)]],
  },
  {
    row: 20,
    title: "what may not be a trailer of an answer is dropped",
    rfc: "RFC 9110 §6.5.1",
    ...answers(
      `${head("HTTP/1.1 200 OK", "Trailer: X-Sum", "Transfer-Encoding: chunked")}3\r\nabc\r\n0\r\nSet-Cookie: a=1\r\nX-Sum: 1\r\nKeep-Alive: 1\r\n\r\n`,
      chunkedHead,
      chunked("abc", "X-Sum: 1"),
    ),
  },
  ...["Content-Length: 3", "Transfer-Encoding: chunked", "Host: b", "Connection: close"].map((line) => ({
    row: 20,
    title: `a trailer that frames or routes is refused: ${line}`,
    rfc: "RFC 9110 §6.5.1",
    client: [
      says(head(...put, "Transfer-Encoding: chunked"), `3\r\nabc\r\n0\r\n${line}\r\n\r\n`),
      gets(refusal({ status: 400, error: "http_request_error", code: "bad_request" })),
      seesEnd,
    ],
  })),
  {
    row: 20,
    title: "an HTTP/1.0 client, which has no chunks, gets the body without trailers",
    rfc: "RFC 9110 §6.5.1, RFC 9112 §7.1",
    client: [
      says(head("GET / HTTP/1.0", "Host: a")),
      gets(answered(["HTTP/1.1 200 OK", "Trailer: X-Sum"], "Connection: close"), "abc"),
      seesEnd,
    ],
    upstream: [
      [
        gets(forwarded(["GET / HTTP/1.1", "Host: a"], "a", "1.0")),
        says(
          head("HTTP/1.1 200 OK", "Trailer: X-Sum", "Transfer-Encoding: chunked"),
          "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
        ),
      ],
    ],
  },
]

export const informationalAndTrailerCases: readonly Case[] = [
  ...expectCases,
  ...informationalCases,
  ...trailerCases,
]
