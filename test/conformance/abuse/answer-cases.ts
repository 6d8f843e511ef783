// Answers of a private server that is broken or hostile: lengths and codings that contradict, heads that hold other heads, more answers
// than requests, floods. None may reach a client as something else than it is, or as the answer to another request.
import { controls, shown } from "./abuse-case.ts"

export interface AnswerCase {
  readonly name: string
  /** What the upstream sends for one GET, latin-1. */
  readonly bytes: string
  /** Whether it ends the connection then. */
  readonly ends: boolean
  readonly verdict: AnswerVerdict
}

export type AnswerVerdict =
  /** The client gets 502, and its connection goes on. */
  | { readonly kind: "bad gateway" }
  /** The client gets this and nothing else, and its connection goes on. */
  | { readonly kind: "passes"; readonly status: number; readonly body: string }
  /** The client's connection is reset before the answer is whole. */
  | { readonly kind: "broken" }

const injected = "HTTP/1.1 200 Injected\r\nContent-Length: 8\r\n\r\ninjected"
const head = (...lines: readonly string[]): string => `${["HTTP/1.1 200 OK", ...lines].join("\r\n")}\r\n\r\n`
const bad = (name: string, bytes: string, ends = false): AnswerCase => ({
  name,
  bytes,
  ends,
  verdict: { kind: "bad gateway" },
})
const passes = (
  name: string,
  bytes: string,
  body: string,
  { status = 200, ends = false } = {},
): AnswerCase => ({
  name,
  bytes,
  ends,
  verdict: { kind: "passes", status, body },
})

const badLines: readonly string[] = [
  ...[
    "+5",
    "-5",
    "0x5",
    "5,5",
    "5, 5",
    "5 5",
    "",
    "5;5",
    "five",
    "18446744073709551621",
    "9007199254740992",
    "5\x0b",
    "\xb5",
  ].map((value) => `Content-Length: ${value}`),
  "Content-Length: 5\r\nContent-Length: 5",
  "Content-Length: 5\r\nContent-Length: 6",
  "Content-Length: 0\r\nX: y\r\ncontent-length: 5",
  "Content-Length: 5\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nContent-Length: 5",
  ...[
    "xchunked",
    "gzip",
    "identity",
    "gzip, chunked",
    "chunked, gzip",
    "chunked, chunked",
    "chunked;a",
    '"chunked"',
    ",chunked",
    "chunked,",
    "",
    "\tchunked",
  ].map((value) => `Transfer-Encoding: ${value}`),
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\r\n: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Content-Length : 5",
  "Content-Length\t: 5",
  " Content-Length: 5",
  "Content-Length:\r\n 5",
  ...[
    "X",
    ": y",
    "X : y",
    " X: y",
    "X: y\r\n z",
    "X: y\rZ: w",
    "X: y\nZ: w",
    "X Y: z",
    "X\xe9: y",
    "HTTP/1.1 200 OK",
    "<html>",
    "X: y\r",
    "\r",
  ],
  ...[...controls].flatMap((control) => [`X: y${control}z`, `X${control}: y`]),
  "Location: /a\nSet-Cookie: a=b",
  "Location: /a\n\nHTTP/1.1 200 OK",
  `X: ${"y".repeat(100_000)}`,
  Array.from({ length: 300 }, (_, index) => `X-${index}: y`).join("\r\n"),
]

const badStarts: readonly string[] = [
  ...[
    "HTTP/1.1",
    "HTTP/1.1 ",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 000 OK",
    "HTTP/1.1 -20 OK",
    "HTTP/1.1 2x0 OK",
  ],
  ...[
    "HTTP/1.1  200 OK",
    "HTTP/1.1\t200 OK",
    "HTTP/1.1 200\tOK",
    " HTTP/1.1 200 OK",
    "http/1.1 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/0.9 200 OK",
  ],
  ...[
    "HTTP/1.2 200 OK",
    "HTTP/11 200 OK",
    "HTTP/1 200 OK",
    "HTTP 200 OK",
    "ICY 200 OK",
    "200 OK",
    "HTTPS/1.1 200 OK",
    "RTSP/1.0 200 OK",
  ],
  ...[
    "HTTP/1.1 200 O\0K",
    "HTTP/1.1 200 O\x7fK",
    "HTTP/1.1 200 O\rK",
    "HTTP/1.1 200 O\nK",
    "\rHTTP/1.1 200 OK",
    "\nHTTP/1.1 200 OK",
  ],
  ...[
    "\r\nHTTP/1.1 200 OK",
    "<html>hello</html>",
    "hello",
    "\x16\x03\x01",
    "GET / HTTP/1.1",
    "SSH-2.0-x",
    "\0",
    "PRI * HTTP/2.0",
  ],
]

const badChunks: readonly string[] = [
  ...[
    "0x5",
    "-5",
    "+5",
    "5 ",
    " 5",
    "5\n",
    "g",
    "",
    "5;",
    "5;=",
    "10000000000000005",
    "20000000000000",
    ";",
    "5\r",
    "\0",
  ].map((size) => `${size}\r\nhello\r\n0\r\n\r\n`),
  "5\nhello\n0\n\n",
  "5\r\nhelloX\r\n0\r\n\r\n",
  "5\r\nhello0\r\n\r\n",
  "5\r\nhello\n0\r\n\r\n",
]
const chunked = head("Transfer-Encoding: chunked")

const heads: readonly AnswerCase[] = [
  ...badLines.map((lines) =>
    bad(`the lines "${shown(lines).slice(0, 80)}"`, `${head(lines)}0\r\n\r\n${injected}`),
  ),
  ...badStarts.map((start) =>
    bad(`the start "${shown(start)}"`, `${start}\r\nContent-Length: 0\r\n\r\n${injected}`),
  ),
  bad("a head in LF", `HTTP/1.1 200 OK\nContent-Length: 0\n\n${injected}`),
  bad("nothing", "", true),
  bad("half a head", "HTTP/1.1 200 OK\r\nContent-", true),
  bad("HTTP/0.9", "<html>hello</html>", true),
  bad("a head without an end", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(200_000)}`),
  bad("a start line without an end", `HTTP/1.1 200 ${"y".repeat(200_000)}`),
]

const hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
const others: readonly AnswerCase[] = [
  passes("an answer and another one behind it", `${head("Content-Length: 2")}ok${injected}`, "ok"),
  passes("… behind a chunked one", `${chunked}2\r\nok\r\n0\r\n\r\n${injected}`, "ok"),
  passes("… behind one without a body", `HTTP/1.1 204 None\r\n\r\n${injected}`, "", { status: 204 }),
  passes("… behind 304", `HTTP/1.1 304 Same\r\nContent-Length: 33\r\n\r\n${injected}`, "", { status: 304 }),
  passes("… behind a length of 0", `${head("Content-Length: 0")}${injected}`, ""),
  passes("a body to 204", `HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\nhello`, "", { status: 204 }),
  passes("more than Content-Length says", `${head("Content-Length: 2")}okokokok`, "ok"),
  passes("an answer inside of a body", `${head(`Content-Length: ${injected.length}`)}${injected}`, injected),
  passes("an answer inside of a body that ends with the connection", `${head()}${injected}`, injected, {
    ends: true,
  }),
  passes(
    "an answer inside of a chunk",
    `${chunked}${injected.length.toString(16)}\r\n${injected}\r\n0\r\n\r\n`,
    injected,
  ),
  passes("thirty-two interim answers", `${hint.repeat(32)}${head("Content-Length: 2")}ok`, "ok"),
  bad("thirty-three interim answers", `${hint.repeat(33)}${head("Content-Length: 2")}ok`),
  bad("a flood of interim answers", hint.repeat(10_000)),
  bad(
    "101 that nobody asked for",
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${injected}`,
  ),
  bad("101 without a protocol", `HTTP/1.1 101 Switching Protocols\r\n\r\n${injected}`),
  bad("only an interim answer", hint, true),
  bad("Transfer-Encoding in HTTP/1.0", `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  {
    name: "less than Content-Length says",
    bytes: `${head("Content-Length: 500")}hello`,
    ends: true,
    verdict: { kind: "broken" },
  },
  { name: "chunks that are cut", bytes: `${chunked}500\r\nhello`, ends: true, verdict: { kind: "broken" } },
  {
    name: "chunks without the last one",
    bytes: `${chunked}5\r\nhello\r\n`,
    ends: true,
    verdict: { kind: "broken" },
  },
  {
    name: "chunks whose last one is cut",
    bytes: `${chunked}5\r\nhello\r\n0\r\n`,
    ends: true,
    verdict: { kind: "broken" },
  },
]

export const answerCases: readonly AnswerCase[] = [
  ...heads,
  ...others,
  // Whether the head is with the client by then is chance: what counts is that nothing looks whole.
  ...badChunks.map((body): AnswerCase => ({
    name: `the chunks "${shown(body).slice(0, 60)}"`,
    bytes: `${chunked}${body}${injected}`,
    ends: false,
    verdict: { kind: "broken" },
  })),
]
