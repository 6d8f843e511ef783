// What is too large, and requests that come one behind the other: what is refused takes what follows with it, what passes does not.
import { type AbuseCase, asked, passes, post, refused, smuggled } from "./abuse-case.ts"

const lines = (...all: readonly string[]): string => `${all.join("\r\n")}\r\n\r\n`
const get = (target: string, ...fields: readonly string[]): string =>
  lines(`GET ${target} HTTP/1.1`, "Host: a", ...fields)
const put = (target: string, body: string): string =>
  `${lines(`PUT ${target} HTTP/1.1`, "Host: a", `Content-Length: ${body.length}`)}${body}`
const chunkedPut = (target: string, body: string): string =>
  `${lines(`PUT ${target} HTTP/1.1`, "Host: a", "Transfer-Encoding: chunked")}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
const long = (length: number): string => "x".repeat(length)

const sizeCases: readonly AbuseCase[] = [
  refused("a target of 20 kB", `${get(`/${long(20_000)}`)}${smuggled}`, 414),
  refused("a target of 1 MB", `${get(`/${long(1_000_000)}`)}${smuggled}`, 414, 431),
  refused(
    "a method of 100 kB",
    `${lines(`${long(100_000)} / HTTP/1.1`, "Host: a")}${smuggled}`,
    400,
    414,
    431,
  ),
  refused("a request line without an end", `GET /${long(200_000)}`, 414, 431),
  refused("a value of 70 kB", `${get("/", `X: ${long(70_000)}`)}${smuggled}`, 431),
  refused("a value of 1 MB", `${get("/", `X: ${long(1_000_000)}`)}${smuggled}`, 431),
  refused("a name of 70 kB", `${get("/", `${long(70_000)}: x`)}${smuggled}`, 431),
  refused("a Host of 70 kB", `${lines("GET / HTTP/1.1", `Host: ${long(70_000)}`)}${smuggled}`, 431),
  refused("a line without a colon and without an end", `GET / HTTP/1.1\r\nHost: a\r\n${long(200_000)}`, 431),
  refused(
    "300 fields",
    `${get("/", ...Array.from({ length: 300 }, (_, index) => `X-${index}: y`))}${smuggled}`,
    431,
  ),
  refused(
    "10,000 fields",
    `${get("/", ...Array.from({ length: 10_000 }, (_, index) => `X-${index}: y`))}${smuggled}`,
    431,
  ),
  refused("300 cookies", `${get("/", ...Array.from({ length: 300 }, () => "Cookie: a=b"))}${smuggled}`, 431),
  refused("a thousand empty lines", "\r\n".repeat(1000)),
  refused(
    "a chunk line of 5 kB",
    `${post("Transfer-Encoding: chunked")}5;${long(5000)}\r\nhello\r\n0\r\n\r\n${smuggled}`,
    400,
    431,
  ),
  refused(
    "a chunk size of 5000 digits",
    `${post("Transfer-Encoding: chunked")}${"0".repeat(5000)}5\r\nhello\r\n0\r\n\r\n${smuggled}`,
    400,
    431,
  ),
  refused("a chunk line without an end", `${post("Transfer-Encoding: chunked")}5;${long(100_000)}`, 400, 431),
  refused(
    "trailers of 20 kB",
    `${post("Transfer-Encoding: chunked")}0\r\nX: ${long(20_000)}\r\n\r\n${smuggled}`,
    400,
    431,
  ),
  refused(
    "300 trailers",
    `${post("Transfer-Encoding: chunked")}0\r\n${"X: y\r\n".repeat(300)}\r\n${smuggled}`,
    400,
    431,
  ),
  passes("a target of 16,000 bytes", get(`/${long(16_000)}`), asked("GET", `/${long(16_000)}`)),
  passes(
    "250 fields",
    get("/", ...Array.from({ length: 250 }, (_, index) => `X-${index}: y`)),
    asked("GET", "/"),
  ),
  passes(
    "a body of 300,000 bytes, and another request behind it",
    `${put("/", long(300_000))}${smuggled}`,
    asked("PUT", "/", long(300_000)),
    asked("GET", "/smuggled"),
  ),
]

const behindAnother = (name: string, bad: string, ...statuses: readonly number[]): AbuseCase[] => [
  {
    name: `${name}, behind a request that is fine`,
    bytes: `${get("/first")}${bad}${smuggled}`,
    verdict: {
      kind: "refused",
      statuses: statuses.length === 0 ? [400] : statuses,
      before: [asked("GET", "/first")],
    },
  },
  {
    name: `${name}, behind a body`,
    bytes: `${put("/first", "hello")}${bad}${smuggled}`,
    verdict: {
      kind: "refused",
      statuses: statuses.length === 0 ? [400] : statuses,
      before: [asked("PUT", "/first", "hello")],
    },
  },
  {
    name: `${name}, behind a chunked body and another request`,
    bytes: `${chunkedPut("/first", "hello")}${get("/second")}${bad}${smuggled}`,
    verdict: {
      kind: "refused",
      statuses: statuses.length === 0 ? [400] : statuses,
      before: [asked("PUT", "/first", "hello"), asked("GET", "/second")],
    },
  },
]

const mixed = Array.from({ length: 60 }, (_, index) => {
  const target = `/mixed-${index}`
  const body = "hello".repeat(index % 7)
  return [
    { bytes: get(target), request: asked("GET", target) },
    { bytes: put(target, body), request: asked("PUT", target, body) },
    {
      bytes: body === "" ? get(target) : chunkedPut(target, body),
      request: body === "" ? asked("GET", target) : asked("PUT", target, body),
    },
  ][index % 3]!
})

const closing = (
  name: string,
  bytes: string,
  ...requests: readonly ReturnType<typeof asked>[]
): AbuseCase => ({
  name,
  bytes,
  verdict: { kind: "passes", requests, connection: "closes" },
})
const nothing = (name: string, bytes: string): AbuseCase => ({ name, bytes, verdict: { kind: "nothing" } })

const orderCases: readonly AbuseCase[] = [
  ...behindAnother(
    "a length and a coding",
    `${post("Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  ),
  ...behindAnother("an unknown coding", `${post("Transfer-Encoding: xchunked")}0\r\n\r\n`, 400, 501),
  ...behindAnother("two lengths", `${post("Content-Length: 5", "Content-Length: 0")}hello`),
  ...behindAnother(
    "a chunk size that is none",
    `${post("Transfer-Encoding: chunked")}0x5\r\nhello\r\n0\r\n\r\n`,
  ),
  ...behindAnother("a bare LF", "GET /abuse HTTP/1.1\nHost: a\n\n"),
  ...behindAnother("a folded line", get("/abuse", "X: y", " z")),
  ...behindAnother("two Hosts", get("/abuse", "Host: b")),
  ...behindAnother("a NUL", get("/abuse", "X: \0")),
  ...behindAnother("bytes that are no request", "hello\r\n\r\n"),
  ...behindAnother("an answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
  ...behindAnother("HTTP/0.9 with LF", "GET /abuse\n\n"),
  passes(
    "sixty requests of all kinds at once",
    mixed.map(({ bytes }) => bytes).join(""),
    ...mixed.map(({ request }) => request),
  ),
  passes(
    "a request behind an empty line behind a body",
    `${put("/first", "hello")}\r\n${get("/second")}`,
    asked("PUT", "/first", "hello"),
    asked("GET", "/second"),
  ),
  closing(
    "a request behind one that closes the connection",
    `${get("/first", "Connection: close")}${smuggled}`,
    asked("GET", "/first"),
  ),
  closing(
    "… with the option in a list",
    `${get("/first", "Connection: x, CLOSE ,y")}${smuggled}`,
    asked("GET", "/first"),
  ),
  closing(
    "… with close and keep-alive",
    `${get("/first", "Connection: keep-alive", "Connection: close")}${smuggled}`,
    asked("GET", "/first"),
  ),
  closing(
    "… behind a body",
    `${put("/first", "hello").replace("Host: a", "Host: a\r\nConnection: close")}${smuggled}`,
    asked("PUT", "/first", "hello"),
  ),
  closing(
    "a request behind one of HTTP/1.0",
    `${get("/first").replace("HTTP/1.1", "HTTP/1.0")}${smuggled}`,
    asked("GET", "/first"),
  ),
  passes(
    "Proxy-Connection: close, which means nothing",
    `${get("/first", "Proxy-Connection: close")}${smuggled}`,
    asked("GET", "/first"),
    asked("GET", "/smuggled"),
  ),
  passes(
    "Connection names Content-Length, which stays",
    `${lines("PUT /first HTTP/1.1", "Host: a", "Connection: Content-Length", "Content-Length: 5")}hello${smuggled}`,
    asked("PUT", "/first", "hello"),
    asked("GET", "/smuggled"),
  ),
  passes(
    "Connection names Transfer-Encoding and Host, which stay",
    `${lines("PUT /first HTTP/1.1", "Host: a", "Connection: Transfer-Encoding, Host", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n${smuggled}`,
    asked("PUT", "/first", "hello"),
    asked("GET", "/smuggled"),
  ),
  passes(
    "an upgrade to h2c, which is not passed on",
    `${get("/first", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")}${smuggled}`,
    asked("GET", "/first"),
    asked("GET", "/smuggled"),
  ),
  nothing("a request that is cut in its first line", "GET /abuse"),
  nothing("a request that is cut in its fields", "GET /abuse HTTP/1.1\r\nHost: a\r\nX"),
  nothing("a request that is cut before its empty line", "GET /abuse HTTP/1.1\r\nHost: a\r\n"),
  nothing("a body that is cut", `${post("Content-Length: 500")}${smuggled}`),
  nothing("chunks that are cut in a chunk", `${post("Transfer-Encoding: chunked")}500\r\n${smuggled}`),
  nothing("chunks that are cut before the last one", `${post("Transfer-Encoding: chunked")}5\r\nhello\r\n`),
  nothing("chunks that are cut in the last one", `${post("Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n`),
  nothing("a trailer that is cut", `${post("Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\nX: y\r\n`),
  nothing("HTTP/0.9", "GET /abuse\r\n"),
  nothing("empty lines", "\r\n\r\n"),
  nothing("nothing at all", ""),
]

export const sequenceCases: readonly AbuseCase[] = [...sizeCases, ...orderCases]
