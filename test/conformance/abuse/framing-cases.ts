// Requests whose end two readers could see in two places: Content-Length and Transfer-Encoding in every spelling that is known to
// have worked against somebody (RFC 9112 sections 6 and 11.2).
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

/** Bodies that a reader of lengths and a reader of chunks end in different places. */
const chunksThenSmuggled = `0\r\n\r\n${smuggled}`
const wholeChunks = "5\r\nhello\r\n0\r\n\r\n"
const length = (text: string): string => `Content-Length: ${text.length}`

/** Lines that somebody may take for "chunked" and somebody else may not. */
const doubtfulCodingLines: readonly string[] = [
  ...[
    ...[
      "xchunked",
      "chunkedx",
      "x-chunked",
      "chunked-x",
      "chunkedchunked",
      "chunk",
      "chunked;",
      "chunked;q=1",
    ],
    ...["chunked, identity", "identity, chunked", "identity", "chunked, chunked", "gzip, chunked"],
    ...["chunked, gzip", "deflate", "compress, chunked", "trailers, chunked", "cow", "cow, chunked"],
    ...['"chunked"', "'chunked'", "chunked ;a", "chunk ed", "chu\tnked", "chunked,", ",chunked", ", chunked"],
    ...["chunked,,", ",,chunked", ",", "", " ", "\tchunked", "chunked\t", " \tchunked", "chunked \t", "\t"],
    ...[
      "chunked\xa0",
      "\xa0chunked",
      "\x85chunked",
      "chunked\xad",
      "\xffchunked",
      "chunked\xff",
      "chun\xe9ked",
    ],
    ...[
      "=chunked",
      "chunked=1",
      "<chunked>",
      "(chunked)",
      "[chunked]",
      "{chunked}",
      "chunked\\",
      "\\chunked",
    ],
    ...["%63hunked", "chunked%20", "0", "null", "undefined", "true", "1", "*", "chunked/1.0"],
  ].map((value) => `Transfer-Encoding: ${value}`),
  ...controls.flatMap((control) => [
    `Transfer-Encoding: ${control}chunked`,
    `Transfer-Encoding: chunked${control}`,
    `Transfer-Encoding:${control}chunked`,
    `Transfer-Encoding${control}: chunked`,
    `${control}Transfer-Encoding: chunked`,
    `Transfer${control}Encoding: chunked`,
  ]),
  ...[" ", "\t", "  ", " \t"].flatMap((white) => [
    `Transfer-Encoding${white}: chunked`,
    `${white}Transfer-Encoding: chunked`,
    `Transfer${white}Encoding: chunked`,
  ]),
  "Transfer-Encoding\r\n: chunked",
  "Transfer-Encoding\n: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding:\r\n\tchunked",
  "Transfer-Encoding:\n chunked",
  "Transfer-Encoding:\r chunked",
  "Transfer-Encoding: chun\r\n ked",
  "Transfer-Encoding: chunked\r\n , identity",
  "X: y\r\n Transfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\r\rTransfer-Encoding: chunked",
  "X: y\n\rTransfer-Encoding: chunked",
  "X: y\r\n\nTransfer-Encoding: chunked",
  "X: y\r\n\rTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\nX: y",
  "Transfer-Encoding: chunked\rX: y",
  "Transfer-Encoding: chunked\r",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\ntransfer-encoding: identity",
  "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
  "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
  "Transfer-Encoding: chunked\r\nX: y\r\nTRANSFER-ENCODING: chunked",
  "Transfer-Encoding",
  "Transfer-Encoding chunked",
  "Transfer-Encoding; chunked",
  "Transfer-Encoding= chunked",
  "Transfer-Encoding\xef\xbc\x9a chunked",
  "Transfer-Encod\xefng: chunked",
  '"Transfer-Encoding": chunked',
  "Transfer/Encoding: chunked",
  "(Transfer-Encoding): chunked",
  "Transfer-Encoding@: chunked",
]

/** Alone, and with a length before it and behind it: a reader that does not see the coding ends the body at the length. */
const codingCases: readonly AbuseCase[] = doubtfulCodingLines.flatMap((line) => [
  refused(shown(line), `${post(line)}${chunksThenSmuggled}`, 400, 501),
  refused(
    `${shown(line)} behind a length`,
    `${post(length(chunksThenSmuggled), line)}${chunksThenSmuggled}`,
    400,
    501,
  ),
  refused(
    `${shown(line)} before a length`,
    `${post(line, "Content-Length: 4")}${chunksThenSmuggled}`,
    400,
    501,
  ),
])

const exactCoding = ["chunked", "Chunked", "CHUNKED", "cHuNkEd", " chunked", "chunked ", "  chunked   "]
const codingNames = ["Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING", "tRANSFER-eNCODING"]

const chunkedCases: readonly AbuseCase[] = exactCoding.flatMap((value) =>
  codingNames.flatMap((name) => [
    passes(`${name}:${value}`, `${post(`${name}:${value}`)}${wholeChunks}`, asked("POST", "/abuse", "hello")),
    refused(
      `${name}:${value} with a length`,
      `${post(`${name}:${value}`, "Content-Length: 15")}${wholeChunks}`,
    ),
    refused(
      `a length of 0 and ${name}:${value}`,
      `${post("Content-Length: 0", `${name}:${value}`)}${chunksThenSmuggled}`,
    ),
    refused(
      `${name}:${value} in HTTP/1.0`,
      `${post(`${name}:${value}`).replace("HTTP/1.1", "HTTP/1.0")}${chunksThenSmuggled}`,
    ),
  ]),
)

/** These names are other fields: the length counts, whatever they say. */
const otherNames = [
  ...[
    "Transfer_Encoding",
    "TransferEncoding",
    "X-Transfer-Encoding",
    "Transfer-Encodin",
    "Transfer-Encodings",
  ],
  ...[
    "Transfer--Encoding",
    "-Transfer-Encoding",
    "Transfer-Encoding-",
    "Transfer.Encoding",
    "Transfer-Coding",
  ],
  ...["Transfer-Encoding'", "Transfer-Encoding|", "Transfer-Encoding*", "~Transfer-Encoding", "TE-Encoding"],
]
const otherNameCases: readonly AbuseCase[] = otherNames.map((name) =>
  passes(
    `a length and ${name}: chunked, which is another field`,
    `${post(`${name}: chunked`, length(chunksThenSmuggled))}${chunksThenSmuggled}`,
    asked("POST", "/abuse", chunksThenSmuggled),
  ),
)

const badLengths: readonly string[] = [
  ...[
    "",
    " ",
    "\t",
    "+5",
    "-5",
    "-0",
    "+0",
    "--5",
    "0x5",
    "0X5",
    "5x",
    "x5",
    "5h",
    "0b101",
    "0o5",
    "5.",
    "5.0",
    ".5",
  ],
  ...[
    "5e0",
    "5E0",
    "1e1",
    "5,",
    ",5",
    "5,5",
    "5, 5",
    "5 5",
    "5\t5",
    "5;5",
    "5;",
    "5,6",
    "6,5",
    "5, 6",
    "0,5",
    "0, 0",
  ],
  ...[
    "5_0",
    "5'0",
    "5 0",
    "5\xa0",
    "\xa05",
    "\xb5",
    "\xb2",
    "\xd9\xa5",
    "five",
    "null",
    "NaN",
    "Infinity",
    "(5)",
    '"5"',
  ],
  ...["'5'", "[5]", "5%", "%35", "5/1", "5:", "5=", "=5", "*", "#5", "$5", "5u", "5L", "5n", "1 000"],
  ...["9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551615"],
  ...["18446744073709551616", "18446744073709551621", "4294967296000000000005", `1${"0".repeat(300)}`],
  ...["-9223372036854775808", "-1", "-18446744073709551611", "99999999999999999999"],
  ...controls.flatMap((control) => [`${control}5`, `5${control}`, `5${control}0`]),
  ...bytesFrom(0x80, 0x9f).map((byte) => `5${byte}`),
]

const badLengthLines: readonly string[] = [
  ...badLengths.map((value) => `Content-Length: ${value}`),
  ...[
    "Content-Length : 5",
    "Content-Length\t: 5",
    " Content-Length: 5",
    "\tContent-Length: 5",
    "Content-Length 5",
  ],
  ...[
    "Content Length: 5",
    "Content-Length",
    "Content-Length\0: 5",
    "\0Content-Length: 5",
    "Content-Length\x0b: 5",
  ],
  ...[
    "Content-Length:\r\n 5",
    "Content-Length: \r\n\t5",
    "Content-Length: 5\r\n 0",
    "Content-Length: 5\n",
    "X: y\nContent-Length: 5",
  ],
  ...[
    "X: y\rContent-Length: 5",
    "Content-Length: 5\rX: y",
    "Content-Length: 5\nX: y",
    "Content-Length\r\n: 5",
  ],
  "Content-Length: 5\r\nContent-Length: 5",
  "Content-Length: 5\r\nContent-Length: 6",
  "Content-Length: 6\r\nContent-Length: 5",
  "Content-Length: 5\r\nX: y\r\ncontent-length: 0",
  "Content-Length: 0\r\nContent-Length: 5",
  "Content-Length: 5\r\nContent-Length:",
  "Content-Length:\r\nContent-Length: 5",
  "Content-Length: 5\r\nCONTENT-LENGTH: 5",
  "Content-Length: 5\r\nContent-Length : 5",
  "Content-Length: x\r\nContent-Length: 5",
]

const lengthCases: readonly AbuseCase[] = [
  ...badLengthLines.map((line) => refused(shown(line).slice(0, 80), `${post(line)}hello${smuggled}`)),
  ...["5", " 5", "5 ", "   5   ", "\t5", "5\t", " \t 5 \t "].map((value) =>
    passes(
      `Content-Length:${shown(value)}, and another request behind it`,
      `${post(`Content-Length:${value}`)}hello${smuggled}`,
      asked("POST", "/abuse", "hello"),
      asked("GET", "/smuggled"),
    ),
  ),
  ...["05", "0000005", "00000000000000000000000000000005"].map((value) =>
    passes(
      `Content-Length: ${value}, which is decimal`,
      `${post(`Content-Length: ${value}`)}hello${smuggled}`,
      asked("POST", "/abuse", "hello"),
      asked("GET", "/smuggled"),
    ),
  ),
  ...[
    "Content_Length",
    "ContentLength",
    "X-Content-Length",
    "Content-Length-",
    "Content--Length",
    "Content-Lengt",
  ].map((name) =>
    passes(
      `${name}, which is another field: no body, and another request behind it`,
      `${post(`${name}: ${smuggled.length}`)}${smuggled}`,
      asked("POST", "/abuse"),
      asked("GET", "/smuggled"),
    ),
  ),
  passes(
    "a GET with a body",
    `${post("Content-Length: 5").replace("POST", "GET")}hello`,
    asked("GET", "/abuse", "hello"),
  ),
  passes(
    "a GET with a body that looks like a request",
    `${post(length(smuggled)).replace("POST", "GET")}${smuggled}`,
    asked("GET", "/abuse", smuggled),
  ),
  passes(
    "a body that looks like chunks and a request",
    `${post(length(chunksThenSmuggled))}${chunksThenSmuggled}`,
    asked("POST", "/abuse", chunksThenSmuggled),
  ),
]

export const framingCases: readonly AbuseCase[] = [
  ...codingCases,
  ...chunkedCases,
  ...otherNameCases,
  ...lengthCases,
]
