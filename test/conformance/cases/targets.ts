// Rows 9 to 14: where a request goes, what the upstream is told about it, and that nothing in it leads anywhere else.
import { type Case, forwarded, gets, head, ok, okAnswered, passes, says } from "../case.ts"
import { refusal } from "../template.ts"
import { refused } from "./common.ts"

/** A GET for this target reaches the configured upstream, and nobody else, with these bytes. */
const verbatim = (target: string): Pick<Case, "client" | "upstream"> =>
  passes(head(`GET ${target} HTTP/1.1`, "Host: a"), forwarded([`GET ${target} HTTP/1.1`, "Host: a"]))

const golden = [
  "/a/../b",
  "/../../etc/passwd",
  "/a/./b",
  "//double//slash",
  "/%2e%2e/%2F",
  "/%zz",
  "/%",
  "/%00",
  "/?",
  "/?a=b&&c=%00&=",
  "/a?b?c",
  "/;p=1/x;y",
  "/\\back\\slash",
  '/"quoted"<>{}|^`[]\'',
  "/a%20b+c",
  "/~user/*",
]

const methodRefused = {
  status: 405,
  error: "http_request_denied",
  code: "method_not_allowed",
  connection: "keep",
  lines: ["Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"],
} as const

/** Targets that a careless client of URLs takes somewhere else. */
const elsewhere = [
  "//evil.example/",
  "//evil.example:80@a/",
  "/@evil.example/",
  "/\\evil.example/",
  "/http://evil.example/",
  "/a?http://evil.example/",
  "/.evil.example",
  "/:80@evil.example/",
]

export const targetCases: readonly Case[] = [
  {
    row: 9,
    title: "the client's Host reaches the upstream",
    rfc: "RFC 9110 §7.2",
    ...passes(
      head("GET / HTTP/1.1", "hOsT:  Public.Example:8443 "),
      forwarded(["GET / HTTP/1.1", "hOsT:  Public.Example:8443 "], "Public.Example:8443"),
    ),
  },
  {
    row: 9,
    title: "--host-header upstream says the upstream's own name",
    rfc: "RFC 9110 §7.2",
    tunnel: "upstream-host",
    client: [says(head("GET / HTTP/1.1", "Host: upstream-host.example", "X: 1")), gets(okAnswered)],
    upstream: [
      [
        gets(
          `${forwarded(["GET / HTTP/1.1", "X: 1"], "upstream-host.example").slice(0, -2)}Host: localhost:‹port›\r\n\r\n`,
        ),
        says(ok),
      ],
    ],
  },
  {
    row: 9,
    title: "--host-header VALUE says that",
    rfc: "RFC 9110 §7.2",
    tunnel: "fixed-host",
    client: [says(head("GET / HTTP/1.1", "Host: fixed-host.example", "X: 1")), gets(okAnswered)],
    upstream: [
      [
        gets(
          `${forwarded(["GET / HTTP/1.1", "X: 1"], "fixed-host.example").slice(0, -2)}Host: fixed.example:8080\r\n\r\n`,
        ),
        says(ok),
      ],
    ],
  },
  ...(
    [
      ["http://b.example/x?y", "/x?y", "b.example"],
      ["http://b.example:8080/x", "/x", "b.example:8080"],
      ["HTTP://B.example", "/", "B.example"],
      ["http://b.example?q", "/?q", "b.example"],
      ["https://b.example/a/../%zz", "/a/../%zz", "b.example"],
      ["http://[::1]:1/x", "/x", "[::1]:1"],
    ] as const
  ).map(([target, path, host]) => ({
    row: 10,
    title: `${target} replaces Host and goes on as ${path}`,
    rfc: "RFC 9112 §3.2.2",
    ...passes(
      head(`GET ${target} HTTP/1.1`, "X: 1", "Host: a"),
      forwarded([`GET ${path} HTTP/1.1`, `Host: ${host}`, "X: 1"], host),
    ),
  })),
  {
    row: 10,
    title: "an absolute target decides which tunnel it is, whatever Host says",
    rfc: "RFC 9112 §3.2.2",
    tunnel: "based",
    ...passes(
      head("GET http://based.example/x HTTP/1.1", "Host: a"),
      forwarded(["GET /base/path/x HTTP/1.1", "Host: based.example"], "based.example"),
    ),
  },
  {
    row: 11,
    title: "OPTIONS * crosses",
    rfc: "RFC 9112 §3.2.4, RFC 9110 §9.3.7",
    ...passes(head("OPTIONS * HTTP/1.1", "Host: a"), forwarded(["OPTIONS * HTTP/1.1", "Host: a"])),
  },
  {
    row: 11,
    title: "OPTIONS for a whole server in absolute form becomes OPTIONS *",
    rfc: "RFC 9112 §3.2.4",
    ...passes(
      head("OPTIONS http://b.example HTTP/1.1", "Host: a"),
      forwarded(["OPTIONS * HTTP/1.1", "Host: b.example"], "b.example"),
    ),
  },
  {
    row: 11,
    title: "Max-Forwards of OPTIONS goes on with one less",
    rfc: "RFC 9110 §7.6.2",
    ...passes(
      head("OPTIONS /x HTTP/1.1", "Host: a", "Max-Forwards: 10"),
      forwarded(["OPTIONS /x HTTP/1.1", "Host: a", "Max-Forwards: 9"]),
    ),
  },
  {
    row: 11,
    title: "OPTIONS with Max-Forwards: 0 is answered by the edge",
    rfc: "RFC 9110 §7.6.2, §9.3.7",
    client: [
      says(head("OPTIONS * HTTP/1.1", "Host: a", "Max-Forwards: 0")),
      gets(
        head(
          "HTTP/1.1 200 OK",
          "Date: ‹date›",
          "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
          "Content-Length: 0",
        ),
      ),
    ],
  },
  {
    row: 11,
    title: "Max-Forwards of any other method crosses as it came",
    rfc: "RFC 9110 §7.6.2",
    ...passes(
      head("GET /x HTTP/1.1", "Host: a", "Max-Forwards: 0"),
      forwarded(["GET /x HTTP/1.1", "Host: a", "Max-Forwards: 0"]),
    ),
  },
  {
    row: 11,
    title: "* is for OPTIONS alone",
    rfc: "RFC 9112 §3.2.4",
    ...refused(head("GET * HTTP/1.1", "Host: a")),
  },
  {
    row: 12,
    title: "CONNECT is refused with 405 and connects to nothing",
    rfc: "RFC 9110 §9.3.6",
    client: [
      says(head("CONNECT db.internal:5432 HTTP/1.1", "Host: db.internal:5432")),
      gets(refusal(methodRefused)),
    ],
  },
  ...["CONNECT /x HTTP/1.1", "CONNECT db.internal HTTP/1.1", "GET db.internal:5432 HTTP/1.1"].map((line) => ({
    row: 12,
    title: `${line} is no request`,
    rfc: "RFC 9112 §3.2.3",
    ...refused(head(line, "Host: a")),
  })),
  {
    row: 13,
    title: "TRACE is refused with 405, and no secret comes back",
    rfc: "RFC 9110 §9.3.8",
    client: [says(head("TRACE /x HTTP/1.1", "Host: a", "Cookie: a=1")), gets(refusal(methodRefused))],
  },
  ...golden.map((target) => ({
    row: 14,
    title: `the path crosses byte for byte: ${target}`,
    rfc: "RFC 9110 §7.7",
    ...verbatim(target),
  })),
  {
    row: 14,
    title: "a base path is put before it, and nothing is normalised",
    rfc: "RFC 9110 §7.7",
    tunnel: "based",
    ...passes(
      head("GET //x/../%2e?y HTTP/1.1", "Host: based.example"),
      forwarded(["GET /base/path//x/../%2e?y HTTP/1.1", "Host: based.example"], "based.example"),
    ),
  },
  ...["/x#fragment", "/#", "http://a/x#y"].map((target) => ({
    row: 14,
    title: `a target with a fragment is refused: ${target}`,
    rfc: "RFC 9112 §3.2",
    ...refused(head(`GET ${target} HTTP/1.1`, "Host: a")),
  })),
  ...["/caf\xc3\xa9", "/\x80", "/\x7f"].map((target) => ({
    row: 14,
    title: `a target with bytes that no URI has is refused: ${JSON.stringify(target)}`,
    rfc: "RFC 9112 §3.2, RFC 3986 §2",
    ...refused(head(`GET ${target} HTTP/1.1`, "Host: a")),
  })),
  ...elsewhere.map((target) => ({
    row: 14,
    title: `${target} reaches the configured upstream and nobody else`,
    rfc: "RFC 9110 §7.7",
    ...verbatim(target),
  })),
  {
    row: 14,
    title: "an absolute target of another server reaches the configured upstream and nobody else",
    rfc: "RFC 9112 §3.2.2",
    ...passes(
      head("GET http://169.254.169.254/latest/meta-data HTTP/1.1", "Host: a"),
      forwarded(["GET /latest/meta-data HTTP/1.1", "Host: 169.254.169.254"], "169.254.169.254"),
    ),
  },
  ...[
    "http://user@evil.example/",
    "http://a@b@c/",
    "ftp://evil.example/",
    "http:///x",
    "http:x",
    "x",
    "evil.example/x",
  ].map((target) => ({
    row: 14,
    title: `${target} is no target`,
    rfc: "RFC 9112 §3.2, RFC 9110 §4.2",
    ...refused(head(`GET ${target} HTTP/1.1`, "Host: a")),
  })),
]
