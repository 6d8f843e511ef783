// Row 38: the bounds on everything that a client can send, in size and in time.
import {
  type Case,
  forwarded,
  gets,
  head,
  okAnswered,
  ok,
  plainGet,
  plainGetForwarded,
  says,
  seesAbort,
  seesEnd,
  tells,
  awaits,
} from "../case.ts"
import { chunkedSoFar, refusal } from "../template.ts"
import { refused } from "./common.ts"

const post = ["POST /limits HTTP/1.1", "Host: a"]
const chunkedPost = head(...post, "Transfer-Encoding: chunked")
const chunkedForwarded = forwarded(post).replace(/\r\n$/, "Transfer-Encoding: chunked\r\n\r\n")
const manyLines = Array.from({ length: 300 }, (_, index) => `X-${index}: 1`)
const slow = refusal({
  status: 408,
  error: "http_request_error",
  code: "request_timeout",
  forwarded: "maybe",
})
const tooLarge = { status: 413, error: "http_request_denied", code: "body_too_large" } as const

/** "tuned" takes bodies of 100 kB at most: larger than what rides inside a ticket. */
const mostBytes = 100_000
const aLot = "x".repeat(60_000)
const chunk = `${aLot.length.toString(16)}\r\n${aLot}\r\n`

const sizeCases: readonly Case[] = [
  {
    row: 38,
    title: "a target beyond 16 KiB is refused with 414",
    rfc: "RFC 9110 §15.5.15",
    ...refused(head(`GET /${"a".repeat(17_000)} HTTP/1.1`, "Host: a"), 414),
  },
  {
    row: 38,
    title: "a target of 16 KiB crosses",
    rfc: "RFC 9110 §4.1",
    client: [says(head(`GET /${"a".repeat(16_383)} HTTP/1.1`, "Host: a")), gets(okAnswered)],
    upstream: [[gets(forwarded([`GET /${"a".repeat(16_383)} HTTP/1.1`, "Host: a"])), says(ok)]],
  },
  {
    row: 38,
    title: "a request line without end is refused with 414",
    rfc: "RFC 9110 §15.5.15",
    ...refused(`GET /${"a".repeat(70_000)}`, 414),
  },
  {
    row: 38,
    title: "a head beyond 64 KiB is refused with 431",
    rfc: "RFC 6585 §5, RFC 9110 §5.4",
    ...refused(head("GET / HTTP/1.1", "Host: a", `X: ${"a".repeat(66_000)}`), 431),
  },
  {
    row: 38,
    title: "more than 256 field lines are refused with 431",
    rfc: "RFC 6585 §5",
    ...refused(head("GET / HTTP/1.1", "Host: a", ...manyLines), 431),
  },
  {
    row: 38,
    title: "trailers beyond 16 KiB are refused with 431",
    rfc: "RFC 6585 §5",
    ...refused(`${chunkedPost}1\r\na\r\n0\r\nX: ${"a".repeat(17_000)}\r\n\r\n`, 431),
  },
  {
    row: 38,
    title: "a body whose Content-Length is too large is refused with 413 before it is sent",
    rfc: "RFC 9110 §15.5.14",
    setup: "tuned",
    client: [says(head(...post, `Content-Length: ${mostBytes + 1}`)), gets(refusal(tooLarge)), seesEnd],
  },
  {
    row: 38,
    title: "… and instead of 100 Continue",
    rfc: "RFC 9110 §10.1.1, §15.5.14",
    setup: "tuned",
    client: [
      says(head(...post, `Content-Length: ${mostBytes + 1}`, "Expect: 100-continue")),
      gets(refusal(tooLarge)),
      seesEnd,
    ],
  },
  {
    row: 38,
    title: "a body of just the allowed size crosses",
    rfc: "RFC 9110 §15.5.14",
    setup: "tuned",
    client: [says(head(...post, `Content-Length: ${mostBytes}`), "x".repeat(mostBytes)), gets(okAnswered)],
    upstream: [[gets(forwarded([...post, `Content-Length: ${mostBytes}`]), "x".repeat(mostBytes)), says(ok)]],
  },
  {
    row: 38,
    title:
      "a chunked body that becomes too large while it is sent is refused with 413, and the upstream never sees its end",
    rfc: "RFC 9110 §15.5.14",
    setup: "tuned",
    client: [
      says(chunkedPost, chunk),
      awaits("the upstream has the beginning"),
      says(chunk),
      gets(refusal({ ...tooLarge, forwarded: "maybe" })),
      seesEnd,
    ],
    upstream: [
      [gets(chunkedForwarded, chunkedSoFar(aLot)), tells("the upstream has the beginning"), seesAbort],
    ],
  },
]

const timeCases: readonly Case[] = [
  {
    row: 38,
    title: "a head that takes too long is given up with 408",
    rfc: "RFC 9110 §15.5.9",
    setup: "tuned",
    client: [says("GET / HTTP/1.1\r\nHost: "), gets(slow), seesEnd],
  },
  {
    row: 38,
    title: "a small body that stands still is given up with 408 and reaches nobody",
    rfc: "RFC 9110 §15.5.9",
    setup: "tuned",
    client: [says(head(...post, "Content-Length: 5"), "abc"), gets(slow), seesEnd],
  },
  {
    row: 38,
    title: "a large body that stands still is given up with 408, and the upstream's connection is ended",
    rfc: "RFC 9110 §15.5.9",
    setup: "tuned",
    client: [says(head(...post, "Content-Length: 90000"), "abc"), gets(slow), seesEnd],
    upstream: [
      [
        gets(forwarded([...post, "Content-Length: 90000"]), "abc"),
        { does: "sees", ending: "end or reset", withinMs: 10_000 },
      ],
    ],
  },
  {
    row: 38,
    title: "a connection that lies idle for too long is closed without a word",
    rfc: "RFC 9112 §9.5",
    setup: "tuned",
    client: [says(plainGet), gets(okAnswered), seesEnd],
    upstream: [[gets(plainGetForwarded), says(ok)]],
  },
]

export const limitCases: readonly Case[] = [...sizeCases, ...timeCases]
