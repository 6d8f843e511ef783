// Rows 6 and 8: bytes that no message may hold, and the Host field.
import { answered, answers, type Case, forwarded, gets, head, okAnswered, ok, passes, says } from "../case.ts"
import { badResponse, refused } from "./common.ts"

const get = "GET /grammar HTTP/1.1"
const notHttp = { error: "http_protocol_error", code: "upstream_protocol" }

const heads: readonly (readonly [what: string, rfc: string, bytes: string])[] = [
  ["a bare LF behind the request line", "RFC 9112 §2.2", "GET /grammar HTTP/1.1\nHost: a\r\n\r\n"],
  ["bare LFs everywhere", "RFC 9112 §2.2", "GET /grammar HTTP/1.1\nHost: a\n\n"],
  ["a bare LF behind a field", "RFC 9112 §2.2", "GET /grammar HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"],
  ["a bare CR in a field", "RFC 9112 §2.2", head(get, "Host: a", "X: 1\rInjected: 1")],
  ["a bare CR in the request line", "RFC 9112 §2.2", head("GET /gram\rmar HTTP/1.1", "Host: a")],
  ["a NUL in a value", "RFC 9110 §5.5", head(get, "Host: a", "X: 1\x002")],
  ["a NUL in a name", "RFC 9110 §5.1", head(get, "Host: a", "X\0: 1")],
  ["a control character in a value", "RFC 9110 §5.5", head(get, "Host: a", "X: \u0001")],
  ["DEL in a value", "RFC 9110 §5.5", head(get, "Host: a", "X: \u007f")],
  ["a folded line", "RFC 9112 §5.2", head(get, "Host: a", "X: 1", " 2")],
  ["a folded line with a tab", "RFC 9112 §5.2", head(get, "Host: a", "X: 1", "\t2")],
  ["white space before the first field", "RFC 9112 §2.2", head(get, " Host: a")],
  ["a space before a colon", "RFC 9112 §5.1", head(get, "Host: a", "X : 1")],
  ["a tab before a colon", "RFC 9112 §5.1", head(get, "Host: a", "Content-Length\t: 0")],
  ["a field without a name", "RFC 9110 §5.1", head(get, "Host: a", ": 1")],
  ["a field without a colon", "RFC 9112 §5", head(get, "Host: a", "X")],
  ["a name with octets beyond ASCII", "RFC 9110 §5.1", head(get, "Host: a", "X\xe9: 1")],
  ["two spaces in the request line", "RFC 9112 §3", head("GET  /grammar HTTP/1.1", "Host: a")],
  ["a tab in the request line", "RFC 9112 §3", head("GET\t/grammar HTTP/1.1", "Host: a")],
  ["a space behind the version", "RFC 9112 §3", head("GET /grammar HTTP/1.1 ", "Host: a")],
  ["a version in lower case", "RFC 9112 §2.3", head("GET /grammar http/1.1", "Host: a")],
  ["no version", "RFC 9112 §3", head("GET /grammar", "Host: a")],
]

const responses: readonly (readonly [what: string, rfc: string, bytes: string])[] = [
  ["a bare LF", "RFC 9112 §2.2", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"],
  [
    "a bare CR in a value",
    "RFC 9112 §2.2",
    head("HTTP/1.1 200 OK", "X: 1\rSet-Cookie: a=1", "Content-Length: 0"),
  ],
  ["a NUL in a value", "RFC 9110 §5.5", head("HTTP/1.1 200 OK", "X: \0", "Content-Length: 0")],
  ["a folded line", "RFC 9112 §5.2", head("HTTP/1.1 200 OK", "X: 1", " 2", "Content-Length: 0")],
  ["a space before a colon", "RFC 9112 §5.1", head("HTTP/1.1 200 OK", "Content-Length : 0")],
  ["a control character in the reason", "RFC 9112 §4", head("HTTP/1.1 200 O\u0007K", "Content-Length: 0")],
  ["something that is no HTTP", "RFC 9112 §4", "220 mail.example ESMTP\r\n\r\n"],
  ["HTTP/2.0 for its version", "RFC 9112 §2.3", head("HTTP/2.0 200 OK", "Content-Length: 0")],
  ["an empty line before its status", "RFC 9112 §2.2", `\r\n${head("HTTP/1.1 200 OK", "Content-Length: 0")}`],
]

export const grammarCases: readonly Case[] = [
  ...heads.map(([what, rfc, bytes]) => ({
    row: 6,
    title: `a request with ${what} is refused`,
    rfc,
    ...refused(bytes),
  })),
  {
    row: 6,
    title: "a version that is neither 1.0 nor 1.1 is refused with 505",
    rfc: "RFC 9110 §15.6.6",
    ...refused(head("GET /grammar HTTP/2.0", "Host: a"), 505),
  },
  ...responses.map(([what, rfc, bytes]) => ({
    row: 6,
    title: `an answer with ${what} is a bad gateway`,
    rfc,
    ...badResponse(bytes, notHttp),
  })),
  {
    row: 6,
    title: "an empty line before a request is ignored",
    rfc: "RFC 9112 §2.2",
    ...passes(`\r\n${head(get, "Host: a")}`, forwarded([get, "Host: a"])),
  },
  ...[
    ["HTTP/1.1 without Host", head(get, "X: 1")],
    ["two Hosts that differ", head(get, "Host: a", "Host: b")],
    ["two Hosts that are the same", head(get, "Host: a", "Host: a")],
    ["a list of hosts", head(get, "Host: a, b")],
    ["a path in Host", head(get, "Host: a/b")],
    ["user information in Host", head(get, "Host: user@a")],
    ["a space in Host", head(get, "Host: a b")],
    ["a port that is no number", head(get, "Host: a:http")],
    ["a bracket that is left open", head(get, "Host: [::1")],
    ["octets beyond ASCII in Host", head(get, "Host: \xe9.example")],
  ].map(([what, bytes = ""]) => ({
    row: 8,
    title: `a request with ${what} is refused`,
    rfc: "RFC 9112 §3.2",
    ...refused(bytes),
  })),
  ...["a:8080", "[::1]:8080", "[2001:db8::1]", "A.Example.", "192.0.2.1", "a_b~c!$&'()*+,;=%41", ""].map(
    (host) => ({
      row: 8,
      title: `Host ${JSON.stringify(host)} is valid and crosses as it came`,
      rfc: "RFC 9112 §3.2, RFC 9110 §7.2",
      ...passes(head(get, `Host: ${host}`), forwarded([get, `Host: ${host}`], host)),
    }),
  ),
  {
    row: 8,
    title: "HTTP/1.0 may come without Host; the upstream gets an empty one",
    rfc: "RFC 9112 §3.2",
    client: [
      says(head("GET /grammar HTTP/1.0", "X: 1")),
      gets(okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: close\r\n\r\nok")),
    ],
    upstream: [[gets(forwarded(["GET /grammar HTTP/1.1", "Host:", "X: 1"], "", "1.0")), says(ok)]],
  },
  {
    row: 36,
    title: "a status and a reason that nobody knows cross as they came",
    rfc: "RFC 9112 §4, RFC 9110 §15",
    ...answers(
      `${head("HTTP/1.1 299 Weird  Reason\xe9", "Content-Length: 2")}ok`,
      answered(["HTTP/1.1 299 Weird  Reason\xe9", "Content-Length: 2"]),
      "ok",
    ),
  },
  {
    row: 36,
    title: "status 999 crosses",
    rfc: "RFC 9110 §15",
    ...answers(
      `${head("HTTP/1.1 999 Last", "Content-Length: 2")}ok`,
      answered(["HTTP/1.1 999 Last", "Content-Length: 2"]),
      "ok",
    ),
  },
  {
    row: 36,
    title: "an empty reason stays empty",
    rfc: "RFC 9112 §4",
    ...answers(
      `${head("HTTP/1.1 200 ", "Content-Length: 2")}ok`,
      answered(["HTTP/1.1 200 ", "Content-Length: 2"]),
      "ok",
    ),
  },
  {
    row: 36,
    title: "an answer without the space before its absent reason is understood, and leaves with it",
    rfc: "RFC 9112 §4",
    ...answers(
      `${head("HTTP/1.1 200", "Content-Length: 2")}ok`,
      answered(["HTTP/1.1 200 ", "Content-Length: 2"]),
      "ok",
    ),
  },
  ...["99", "1000", "20", "2x0", "-200"].map((status) => ({
    row: 36,
    title: `status ${status} is a bad gateway`,
    rfc: "RFC 9112 §4, RFC 9110 §15",
    ...badResponse(head(`HTTP/1.1 ${status} Odd`, "Content-Length: 0"), notHttp),
  })),
]
