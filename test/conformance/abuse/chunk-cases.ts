// Chunked bodies that two readers could cut differently (RFC 9112 section 7.1): sizes, extensions, line ends, trailers.
import {
  type AbuseCase,
  asked,
  bytesFrom,
  controls,
  passes,
  post,
  refused,
  shown,
  smuggled,
} from "./abuse-case.ts"

const chunked = post("Transfer-Encoding: chunked")
const end = "0\r\n\r\n"

const badSizes: readonly string[] = [
  ...[
    "",
    " ",
    "\t",
    "+5",
    "-5",
    "-0",
    "0x5",
    "0X5",
    "x5",
    "5x",
    "5h",
    "$5",
    "#5",
    "g",
    "5g",
    "5.",
    "5.0",
    "5e+0",
  ],
  ...[
    " 5",
    "\t5",
    "5 ",
    "5\t",
    "5 5",
    "5,",
    "5,5",
    "5_",
    "_5",
    "'5'",
    '"5"',
    "(5)",
    "5=",
    "5:",
    "\\5",
    "%35",
    "5/",
  ],
  ...[
    "10000000000000005",
    "100000000000000000000000000000005",
    "FFFFFFFFFFFFFFFF",
    "8000000000000000",
    "20000000000000",
  ],
  ...[
    "7fffffffffffffff",
    "-1",
    "-5",
    "-FFFFFFFFFFFFFFFB",
    "fffffffffffffffb",
    "ffffffff00000005",
    "\xb5",
    "5\xa0",
    "\xd9\xa5",
  ],
  ...controls.flatMap((control) => [`${control}5`, `5${control}`]),
  ...["5\r", "5\n", "\r5", "\n5", "5\r\r", "5\n\n"],
]

/** The same trick where the body should end is where it hides a request. */
const badLastSizes = [
  "00x",
  "0x0",
  "-0",
  "+0",
  " 0",
  "0 ",
  "0\t",
  "0\n",
  "0\r",
  "\n0",
  "",
  "o",
  "0,",
  "0.0",
  "0;",
  "0; ",
  "0;=",
]

const badExtensions: readonly string[] = [
  ...[
    ";",
    ";;",
    "; ",
    " ;",
    " ; a",
    ";=",
    ";=b",
    ";a=",
    ";a=;",
    ";a b",
    ";a =b",
    ";a= b",
    "; a",
    ";a;",
    ";a;;b",
    ",a",
    ":a",
  ],
  ...[
    ';"a"',
    ';a="',
    ';a="b',
    ';a=b"',
    ';a="b"c',
    ';a=""b',
    ';a="\\"',
    ";a='b c'",
    ";a=(b)",
    ";a=\r",
    ";a=\n",
    ";a\n",
    ";\n",
  ],
  ...[';a="\r\n"', ';a="\n"', ';a="\r"', ';a="\\\r\n"', ";\xe9", ";a=\xe9", ";a=b=c", ";a/b", ";a@"],
  ...controls.flatMap((control) => [`;a${control}`, `;a="${control}"`, `;${control}`]),
  `;${"a".repeat(4096)}`,
  `;a="${"b".repeat(4096)}"`,
  ";a".repeat(2048),
]

const goodSizes = ["5", "05", "005", "0000000000000005", "0".repeat(200) + "5"]
const goodExtensions = [
  ";a",
  ";a=b",
  ';a="b"',
  ';a=""',
  ';a="\\""',
  ';a="\\\\"',
  ';a="b;c=d"',
  ';a=";"',
  ";a;b;c=d",
  ";!#$%&'*+-.^_`|~=1",
]
const goodLastSizes = ["0", "00", "000", "0".repeat(100), "0;a", '0;a="b"', "0000;a;b"]

const badLineEnds: readonly (readonly [name: string, body: string])[] = [
  ["LF behind the size", `5\nhello\r\n${end}`],
  ["LF behind the data", `5\r\nhello\n${end}`],
  ["CR behind the data", `5\r\nhello\r${end}`],
  ["nothing behind the data", `5\r\nhello${end}`],
  ["two line ends behind the data", `5\r\nhello\r\n\r\n${end}`],
  ["LF CR behind the data", `5\r\nhello\n\r${end}`],
  ["CR CR LF behind the data", `5\r\nhello\r\r\n${end}`],
  ["one byte too many", `5\r\nhelloX\r\n${end}`],
  ["two bytes too many, which some skip unseen", `5\r\nhelloXX${end}`],
  ["one byte too few", `5\r\nhell\r\n${end}`],
  ["LF behind the last size", "5\r\nhello\r\n0\n\r\n"],
  ["LF for the last line", "5\r\nhello\r\n0\r\n\n"],
  ["LF LF at the end", "5\r\nhello\r\n0\n\n"],
  ["CR X for the last line", "5\r\nhello\r\n0\r\n\rX"],
  ["CR CR LF for the last line", "5\r\nhello\r\n0\r\n\r\r\n"],
  ["a NUL for the last line", "5\r\nhello\r\n0\r\n\0\r\n"],
  ["a space for the last line", "5\r\nhello\r\n0\r\n \r\n"],
  ["CR LF before the first size", `\r\n5\r\nhello\r\n${end}`],
  ["an empty line between chunks", `5\r\nhello\r\n\r\n5\r\nhello\r\n${end}`],
]

const badTrailers: readonly (readonly [name: string, lines: string])[] = [
  ...[
    ...[
      "Content-Length: 5",
      "Transfer-Encoding: chunked",
      "Host: b",
      "Connection: close",
      "Upgrade: h2c",
      "content-length: 0",
    ],
    ...[
      "TRANSFER-ENCODING: identity",
      "connection: keep-alive",
      "HOST: a",
      "X : y",
      "X\t: y",
      " X: y",
      "\tX: y",
      "X",
      ": y",
    ],
    ...[
      "X: y\0",
      "X\0: y",
      "X: \x0b",
      "X: y\rZ: z",
      "X: y\nZ: z",
      "X: y\r\n z",
      "X\xe9: y",
      "GET /smuggled HTTP/1.1",
    ],
    ...["GET http://a/smuggled HTTP/1.1\r\nX: y", "HTTP/1.1 200 OK", "0", "5;a"],
  ].map((line) => [shown(line), `${line}\r\n`] as const),
  ["a trailer that ends in LF", "X: y\n"],
  ["a trailer that ends in CR", "X: y\r"],
]

export const chunkCases: readonly AbuseCase[] = [
  ...badSizes.map((size) =>
    refused(`a chunk size "${shown(size).slice(0, 60)}"`, `${chunked}${size}\r\nhello\r\n${end}${smuggled}`),
  ),
  ...badSizes.map((size) =>
    refused(
      `a second chunk size "${shown(size).slice(0, 60)}"`,
      `${chunked}5\r\nhello\r\n${size}\r\nhello\r\n${end}${smuggled}`,
    ),
  ),
  ...badLastSizes.map((size) =>
    refused(`a last chunk size "${shown(size)}"`, `${chunked}5\r\nhello\r\n${size}\r\n\r\n${smuggled}`),
  ),
  // Behind the last chunk that would be a trailer, which is fine.
  ...[...badExtensions, ";a\r\nX: y"].map((extension) =>
    refused(
      `a chunk extension "${shown(extension).slice(0, 60)}"`,
      `${chunked}5${extension}\r\nhello\r\n${end}${smuggled}`,
    ),
  ),
  ...badExtensions.map((extension) =>
    refused(
      `an extension of the last chunk "${shown(extension).slice(0, 60)}"`,
      `${chunked}5\r\nhello\r\n0${extension}\r\n\r\n${smuggled}`,
    ),
  ),
  refused(
    "extensions of many chunks that are too much together",
    `${chunked}${`1;a="${"b".repeat(1000)}"\r\nx\r\n`.repeat(20)}${end}${smuggled}`,
    400,
    413,
    431,
  ),
  ...badLineEnds.map(([name, body]) => refused(`chunks with ${name}`, `${chunked}${body}${smuggled}`)),
  ...badTrailers.map(([name, lines]) =>
    refused(`a trailer: ${name}`, `${chunked}5\r\nhello\r\n0\r\n${lines}\r\n${smuggled}`),
  ),
  ...bytesFrom(0x21, 0xff)
    .filter((byte) => !/[!#$%&'*+\-.^_`|~0-9A-Za-z:]/.test(byte))
    .map((byte) =>
      refused(`a trailer whose name has "${shown(byte)}"`, `${chunked}0\r\nX${byte}Y: z\r\n\r\n${smuggled}`),
    ),
  ...goodSizes.map((size) =>
    passes(
      `a chunk size "${size.slice(0, 30)}"`,
      `${chunked}${size}\r\nhello\r\n${end}${smuggled}`,
      asked("POST", "/abuse", "hello"),
      asked("GET", "/smuggled"),
    ),
  ),
  ...goodExtensions.map((extension) =>
    passes(
      `a chunk extension ${extension}`,
      `${chunked}5${extension}\r\nhello\r\n0${extension}\r\n\r\n${smuggled}`,
      asked("POST", "/abuse", "hello"),
      asked("GET", "/smuggled"),
    ),
  ),
  ...goodLastSizes.map((size) =>
    passes(
      `a last chunk size ${size.slice(0, 30)}`,
      `${chunked}5\r\nhello\r\n${size}\r\n\r\n${smuggled}`,
      asked("POST", "/abuse", "hello"),
      asked("GET", "/smuggled"),
    ),
  ),
  passes(
    "a chunk that is a request",
    `${chunked}${smuggled.length.toString(16)}\r\n${smuggled}\r\n${end}`,
    asked("POST", "/abuse", smuggled),
  ),
  passes(
    "a chunk that is the end of a body and a request",
    `${chunked}${(5 + smuggled.length).toString(16)}\r\n${end}${smuggled}\r\n${end}`,
    asked("POST", "/abuse", `${end}${smuggled}`),
  ),
  passes(
    "a trailer whose value is a request line",
    `${chunked}0\r\nX: GET /smuggled HTTP/1.1\r\n\r\n${smuggled}`,
    asked("POST", "/abuse"),
    asked("GET", "/smuggled"),
  ),
  passes(
    "a thousand chunks of one byte",
    `${chunked}${"1\r\nx\r\n".repeat(1000)}${end}`,
    asked("POST", "/abuse", "x".repeat(1000)),
  ),
]
