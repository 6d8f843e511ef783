// Row 39: what the client is told when the upstream does not answer, or not in HTTP.
import {
  type Case,
  forwarded,
  gets,
  head,
  killsAgent,
  ok,
  okAnswered,
  plainGet,
  plainGetForwarded,
  says,
  seesAbort,
  seesWaiting,
  startsAgent,
  tells,
  awaits,
} from "../case.ts"
import { oneOf, refusal, type Refusal } from "../template.ts"
import { badResponse } from "./common.ts"

/** The client of this tunnel hears this, and no upstream of the case sees anything. */
const hears = (
  tunnel: NonNullable<Case["tunnel"]>,
  expected: Omit<Refusal, "connection">,
): Pick<Case, "tunnel" | "client"> => ({
  tunnel,
  client: [
    says(head("POST / HTTP/1.1", `Host: ${tunnel}.example`)),
    gets(refusal({ ...expected, connection: "keep" })),
  ],
})

const toMortal = head("GET / HTTP/1.1", "Host: mortal.example")
const toMortalForwarded = forwarded(["GET / HTTP/1.1", "Host: mortal.example"], "mortal.example")
const noAnswer = {
  status: 504,
  error: "http_response_timeout",
  code: "upstream_timeout",
  forwarded: "maybe",
  connection: "keep",
} as const

export const errorCases: readonly Case[] = [
  {
    row: 39,
    title: "no agent within --hold is 503 with Retry-After",
    rfc: "RFC 9110 §15.6.4, RFC 9209 §2.3.4",
    tunnel: "mortal",
    client: [
      killsAgent,
      says(toMortal),
      gets(
        refusal({
          status: 503,
          error: "destination_unavailable",
          code: "no_agent",
          retry: true,
          connection: "keep",
        }),
      ),
      startsAgent,
    ],
  },
  {
    row: 39,
    title:
      "a full queue is 503 with Retry-After at once and instead of 100 Continue, and who waits goes on waiting",
    rfc: "RFC 9110 §15.6.4, RFC 9209 §2.3.12",
    tunnel: "mortal",
    setup: "tuned",
    client: [
      killsAgent,
      says(toMortal),
      seesWaiting(1),
      tells("the queue is full"),
      awaits("the other has been refused"),
      startsAgent,
      gets(okAnswered),
    ],
    otherClient: [
      awaits("the queue is full"),
      says(head("PUT / HTTP/1.1", "Host: mortal.example", "Content-Length: 5", "Expect: 100-continue")),
      gets(refusal({ status: 503, error: "connection_limit_reached", code: "queue_full", retry: true })),
      tells("the other has been refused"),
    ],
    upstream: [[gets(toMortalForwarded), says(ok)]],
  },
  {
    row: 39,
    title: "an upstream that refuses the connection is 502",
    rfc: "RFC 9110 §15.6.3, RFC 9209 §2.3.6",
    ...hears("refusing", { status: 502, error: "connection_refused", code: "upstream_refused" }),
  },
  {
    row: 39,
    title: "a name that does not resolve is 502, or 504 where nobody can be asked",
    rfc: "RFC 9110 §15.6.3, RFC 9209 §2.3.2",
    tunnel: "nameless",
    client: [
      says(head("POST / HTTP/1.1", "Host: nameless.example")),
      gets(
        oneOf(
          refusal({ status: 502, error: "dns_error", code: "upstream_dns", connection: "keep" }),
          refusal({ status: 504, error: "dns_timeout", code: "upstream_dns_timeout", connection: "keep" }),
        ),
      ),
    ],
  },
  {
    row: 39,
    title: "a certificate that nobody trusts is 502",
    rfc: "RFC 9110 §15.6.3, RFC 9209 §2.3.16",
    ...hears("distrusted", { status: 502, error: "tls_certificate_error", code: "upstream_tls_certificate" }),
  },
  {
    row: 39,
    title: "an upstream that speaks no TLS where it should is 502",
    rfc: "RFC 9110 §15.6.3, RFC 9209 §2.3.15",
    ...hears("no-tls", { status: 502, error: "tls_protocol_error", code: "upstream_tls_protocol" }),
  },
  {
    row: 39,
    title: "no response head within --timeout is 504, and the upstream's connection is ended",
    rfc: "RFC 9110 §15.6.5, RFC 9209 §2.3.23",
    setup: "tuned",
    client: [says(plainGet), gets(refusal(noAnswer))],
    upstream: [[gets(plainGetForwarded), { does: "sees", ending: "end or reset", withinMs: 10_000 }]],
  },
  {
    row: 39,
    title: "a response head that stands still is 504 as well",
    rfc: "RFC 9110 §15.6.5, RFC 9209 §2.3.23",
    setup: "tuned",
    client: [says(plainGet), gets(refusal(noAnswer))],
    upstream: [
      [
        gets(plainGetForwarded),
        says("HTTP/1.1 200 OK\r\nX: "),
        { does: "sees", ending: "end or reset", withinMs: 10_000 },
      ],
    ],
  },
  {
    row: 39,
    title: "a response head beyond 64 KiB is 502",
    rfc: "RFC 9110 §15.6.3, RFC 9209 §2.3.20",
    ...badResponse(head("HTTP/1.1 200 OK", `X: ${"x".repeat(70_000)}`, "Content-Length: 0"), {
      error: "http_response_header_section_size",
      code: "upstream_header_size",
    }),
  },
  {
    row: 39,
    title: "interim answers without end are 502",
    rfc: "RFC 9110 §15.2, §15.6.3",
    client: [
      says(plainGet),
      gets(
        ...Array.from({ length: 32 }, () => head("HTTP/1.1 102 Processing")),
        refusal({
          status: 502,
          error: "http_protocol_error",
          code: "upstream_protocol",
          forwarded: "maybe",
          connection: "keep",
        }),
      ),
    ],
    upstream: [
      [
        gets(plainGetForwarded),
        says(...Array.from({ length: 33 }, () => head("HTTP/1.1 102 Processing"))),
        seesAbort,
      ],
    ],
  },
  {
    row: 39,
    title: "an error that answers HEAD has no body",
    rfc: "RFC 9110 §9.3.2",
    client: [
      says(head("HEAD / HTTP/1.1", "Host: a", "Via: 1.1 ‹edge›"), plainGet),
      gets(
        refusal({
          status: 502,
          error: "proxy_loop_detected",
          code: "loop_detected",
          connection: "keep",
          body: false,
        }),
        okAnswered,
      ),
    ],
    upstream: [[gets(plainGetForwarded), says(ok)]],
  },
]
