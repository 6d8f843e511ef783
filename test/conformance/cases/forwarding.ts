// Rows 30 and 31: what a request and an answer say about the hops they came over.
import {
  answered,
  type Case,
  forwarded,
  gets,
  head,
  ok,
  okAnswered,
  passes,
  plainGet,
  plainGetForwarded,
  says,
  ends,
  seesEnd,
} from "../case.ts"
import { refusal } from "../template.ts"

const get = "GET /hops HTTP/1.1"
const loop = refusal({ status: 502, error: "proxy_loop_detected", code: "loop_detected", connection: "keep" })

/** The head as the upstream gets it from an edge that trusts its client. */
const continued = (lines: readonly string[], ...added: readonly string[]): string =>
  head(get, "Host: a", ...lines, ...added, "Via: 1.1 ‹edge›")

export const forwardingCases: readonly Case[] = [
  {
    row: 30,
    title: "Via of the hops before stays, and ours comes behind it, in both directions",
    rfc: "RFC 9110 §7.6.3",
    client: [
      says(head(get, "Host: a", "Via: 1.0 fred, 1.1 p.example")),
      gets(answered(["HTTP/1.1 200 OK", "Via: HTTP/2.0 inner", "Content-Length: 2"]), "ok"),
    ],
    upstream: [
      [
        gets(forwarded([get, "Host: a", "Via: 1.0 fred, 1.1 p.example"])),
        says(head("HTTP/1.1 200 OK", "Via: HTTP/2.0 inner", "Content-Length: 2"), "ok"),
      ],
    ],
  },
  {
    row: 30,
    title: "Via of an answer says the version that the upstream spoke",
    rfc: "RFC 9110 §7.6.3",
    client: [
      says(head(get, "Host: a")),
      gets(`${answered(["HTTP/1.1 200 OK", "Content-Length: 2"]).replace("Via: 1.1", "Via: 1.0")}ok`),
    ],
    upstream: [
      [
        gets(forwarded([get, "Host: a"])),
        says(head("HTTP/1.0 200 OK", "Content-Length: 2"), "ok"),
        ends,
        seesEnd,
      ],
    ],
  },
  {
    row: 30,
    title: "Via says the version that the client spoke",
    rfc: "RFC 9110 §7.6.3",
    client: [
      says(head("GET /hops HTTP/1.0", "Host: a", "Connection: keep-alive")),
      gets(okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: keep-alive\r\n\r\nok")),
    ],
    upstream: [[gets(forwarded([get, "Host: a"], "a", "1.0")), says(ok)]],
  },
  ...["Via: 1.1 ‹edge›", "Via: 1.0 x, 1.1 ‹edge›, 1.1 y", "vIA: HTTP/1.1 ‹edge› (comment)"].map((via) => ({
    row: 30,
    title: `a request that has our name in its Via is refused as a loop: ${via}`,
    rfc: "RFC 9110 §7.6.3, RFC 9209 §2.3.18",
    client: [says(head(get, "Host: a", via)), gets(loop)],
  })),
  {
    row: 30,
    title: "a tunnel that leads back to its own edge ends at once",
    rfc: "RFC 9110 §7.6.3",
    tunnel: "loop",
    client: [says(head(get, "Host: loop.example")), gets(loop)],
  },
  {
    row: 30,
    title: "two tunnels over two edges that lead to each other end at once",
    rfc: "RFC 9110 §7.6.3",
    tunnel: "round",
    client: [says(head(get, "Host: round.example")), gets(loop)],
  },
  {
    row: 31,
    title: "what a client that is not trusted says about itself is replaced",
    rfc: "RFC 7239 §8.1",
    ...passes(
      head(
        get,
        "X-Forwarded-For: 10.0.0.1",
        "Host: a",
        "x-forwarded-proto: https",
        "X-Forwarded-Host: bank.example",
        "X-Forwarded-Port: 443",
        "Forwarded: for=10.0.0.1",
        "X-Forwarded-For: 10.0.0.2",
        "Kept: 1",
      ),
      forwarded([get, "Host: a", "Kept: 1"]),
    ),
  },
  {
    row: 31,
    title: "what a trusted proxy says about its client stays, and its own address comes behind",
    rfc: "RFC 7239 §4, §5, §8.1",
    setup: "tuned",
    ...passes(
      head(
        get,
        "Host: a",
        "X-Forwarded-For: 203.0.113.7, 10.0.0.1",
        "x-forwarded-for: 10.0.0.2",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shop.example:8443",
        "X-Forwarded-Port: 8443",
        "Kept: 1",
      ),
      continued(
        ["Kept: 1"],
        "X-Forwarded-For: 203.0.113.7, 10.0.0.1, 10.0.0.2, 127.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shop.example:8443",
        "X-Forwarded-Port: 8443",
      ),
    ),
  },
  {
    row: 31,
    title: "Forwarded that a trusted proxy began is continued",
    rfc: "RFC 7239 §4, §5, §6.1",
    setup: "tuned",
    ...passes(
      head(get, "Host: a", 'Forwarded: for="[2001:db8::1]:4711";proto=https'),
      continued(
        [],
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: a",
        'Forwarded: for="[2001:db8::1]:4711";proto=https, for=127.0.0.1;host="a";proto=http',
      ),
    ),
  },
  {
    row: 31,
    title: "a trusted proxy that says nothing is the client",
    rfc: "RFC 7239 §5",
    setup: "tuned",
    client: [says(plainGet), gets(okAnswered)],
    upstream: [[gets(plainGetForwarded), says(ok)]],
  },
]
