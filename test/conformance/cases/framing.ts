// Rows 2 to 5, 7, 23, 25 and 43: where a message ends, read in one way or not at all.
import {
  answered,
  answers,
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
  seesAbort,
  seesEnd,
  seesReset,
} from "../case.ts"
import { chunked } from "../template.ts"
import { badResponse, refused } from "./common.ts"

const post = "POST /framing HTTP/1.1"
const chunkedPost = [post, "Host: a", "Transfer-Encoding: chunked"]
const smuggled = `0\r\n\r\n${head("GET /smuggled HTTP/1.1", "Host: a")}`
/** A chunked request body, as the agent writes it: in chunks of its own. */
const chunkedForwarded = forwarded([post, "Host: a"]).replace(/\r\n$/, "Transfer-Encoding: chunked\r\n\r\n")

const requestCases: readonly Case[] = [
  {
    row: 2,
    title: "a request with Transfer-Encoding and Content-Length is refused and its connection closed",
    rfc: "RFC 9112 §6.1, §6.3, §11.2",
    ...refused(`${head(post, "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked")}${smuggled}`),
  },
  {
    row: 2,
    title: "… in the other order too",
    rfc: "RFC 9112 §6.1, §6.3, §11.2",
    ...refused(`${head(post, "Host: a", "Transfer-Encoding: chunked", "Content-Length: 4")}${smuggled}`),
  },
  ...[
    ["two lengths that differ", "Content-Length: 2\r\nContent-Length: 3"],
    ["two lengths that are the same", "Content-Length: 2\r\nContent-Length: 2"],
    ["a list of lengths", "Content-Length: 2, 2"],
    ["a signed length", "Content-Length: +2"],
    ["a negative length", "Content-Length: -2"],
    ["a hexadecimal length", "Content-Length: 0x2"],
    ["a length that no number can hold", "Content-Length: 99999999999999999999"],
    ["an empty length", "Content-Length:"],
    ["a length with a space in it", "Content-Length: 2 2"],
  ].map(([what, lines = ""]) => ({
    row: 3,
    title: `a request with ${what} is refused`,
    rfc: "RFC 9112 §6.3 item 5",
    ...refused(`${head(post, "Host: a", lines)}ab`),
  })),
  ...(
    [
      ["gzip, chunked", 501],
      ["identity, chunked", 501],
      ["xchunked", 501],
      ["identity", 501],
      ["chunked, gzip", 400],
      ["chunked, chunked", 400],
      ["chunked, identity", 400],
      ["\tchunked", 400],
      ["chunked;q=1", 501],
      ['"chunked"', 501],
      ["", 400],
    ] as const
  ).map(([coding, status]) => ({
    row: 4,
    title: `a request whose transfer coding is ${JSON.stringify(coding)} is refused with ${status}`,
    rfc: "RFC 9112 §6.1, §6.3 item 4",
    ...refused(`${head(post, "Host: a", `Transfer-Encoding: ${coding}`)}${smuggled}`, status),
  })),
  {
    row: 4,
    title: "a request with two Transfer-Encoding lines is refused",
    rfc: "RFC 9112 §6.3 item 4",
    ...refused(
      `${head(post, "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")}${smuggled}`,
    ),
  },
  {
    row: 5,
    title: "an HTTP/1.0 request with Transfer-Encoding is refused and its connection closed",
    rfc: "RFC 9112 §6.1",
    ...refused(
      `${head("POST / HTTP/1.0", "Host: a", "Connection: keep-alive", "Transfer-Encoding: chunked")}${smuggled}`,
    ),
  },
  {
    row: 7,
    title: "chunk extensions are ignored and not passed on",
    rfc: "RFC 9112 §7.1.1",
    client: [
      says(head(...chunkedPost), '3;a;b=1;c="x;\\"y"\r\nabc\r\n4;ext\r\ndefg\r\n0;last=1\r\n\r\n'),
      gets(okAnswered),
    ],
    upstream: [[gets(chunkedForwarded, chunked("abcdefg")), says(ok)]],
  },
  {
    row: 7,
    title: "chunk sizes may have leading zeros and either case",
    rfc: "RFC 9112 §7.1",
    client: [
      says(head(...chunkedPost), "00A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n"),
      gets(okAnswered),
    ],
    upstream: [[gets(chunkedForwarded, chunked("01234567890123456789a")), says(ok)]],
  },
  ...[
    ["written 0x1", "0x1\r\na\r\n0\r\n\r\n"],
    ["that is negative", "-1\r\na\r\n0\r\n\r\n"],
    ["that is no number", "g\r\na\r\n0\r\n\r\n"],
    ["that is missing", "\r\na\r\n0\r\n\r\n"],
    ["with a space behind it", "1 \r\na\r\n0\r\n\r\n"],
    ["with a line feed alone", "1\na\r\n0\r\n\r\n"],
    ["that is too small for the chunk", "1\r\nab\r\n0\r\n\r\n"],
    ["that no number can hold", "fffffffffffffffff\r\na\r\n0\r\n\r\n"],
    ["with an extension that is broken", "1;=\r\na\r\n0\r\n\r\n"],
    ["with endless extensions", `1;${"a".repeat(5000)}\r\na\r\n0\r\n\r\n`],
  ].map(([what, body = ""]) => ({
    row: 7,
    title: `a request with a chunk size ${what} is refused`,
    rfc: "RFC 9112 §7.1, §7.1.1",
    ...refused(`${head(...chunkedPost)}${body}`),
  })),
  {
    row: 23,
    title: "what follows the bytes that Content-Length announces is another request",
    rfc: "RFC 9112 §6.3, §11.2",
    client: [
      says(head(post, "Host: a", "Content-Length: 2"), "abc", head("d / HTTP/1.1", "Host: a")),
      gets(okAnswered, okAnswered),
    ],
    upstream: [
      [gets(forwarded([post, "Host: a", "Content-Length: 2"]), "ab"), says(ok)],
      [gets(forwarded(["cd / HTTP/1.1", "Host: a"])), says(ok)],
    ],
  },
  {
    row: 23,
    title: "a request that ends before its Content-Length never looks whole to the upstream",
    rfc: "RFC 9112 §6.3, §8",
    client: [says(head(post, "Host: a", "Content-Length: 5"), "abc"), ends, seesEnd],
  },
  {
    row: 43,
    title: "POST without a length reaches the upstream without one",
    rfc: "RFC 9112 §6.3 item 7",
    ...passes(head(post, "Host: a"), forwarded([post, "Host: a"])),
  },
  {
    row: 43,
    title: "POST with Content-Length: 0 reaches the upstream with it",
    rfc: "RFC 9112 §6.3, RFC 9110 §8.6",
    ...passes(head(post, "Host: a", "Content-Length: 0"), forwarded([post, "Host: a", "Content-Length: 0"])),
  },
  {
    row: 43,
    title: "an empty chunked body stays a chunked body",
    rfc: "RFC 9112 §6.3 item 4",
    client: [says(head(...chunkedPost), "0\r\n\r\n"), gets(okAnswered)],
    upstream: [[gets(chunkedForwarded, chunked("")), says(ok)]],
  },
]

const responseCases: readonly Case[] = [
  ...(
    [
      [
        2,
        "Transfer-Encoding and Content-Length",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "protocol",
      ],
      [3, "two lengths that differ", "Content-Length: 2\r\nContent-Length: 3", "protocol"],
      [3, "a list of lengths", "Content-Length: 2, 2", "protocol"],
      [3, "a signed length", "Content-Length: +2", "protocol"],
      [4, "gzip, chunked", "Transfer-Encoding: gzip, chunked", "coding"],
      [4, "chunked, gzip", "Transfer-Encoding: chunked, gzip", "coding"],
      [4, "an unknown coding", "Transfer-Encoding: xchunked", "coding"],
    ] as const
  ).map(([row, what, lines, kind]) => ({
    row,
    title: `an answer with ${what} is a bad gateway, and not a byte of it gets through`,
    rfc: row === 4 ? "RFC 9112 §6.1, §6.3 item 4" : "RFC 9112 §6.3",
    ...badResponse(
      `${head("HTTP/1.1 200 OK", lines)}2\r\nab\r\n0\r\n\r\n`,
      kind === "coding"
        ? { error: "http_response_transfer_coding", code: "upstream_transfer_coding" }
        : { error: "http_protocol_error", code: "upstream_protocol" },
    ),
  })),
  {
    row: 5,
    title: "an HTTP/1.0 answer with Transfer-Encoding is a bad gateway",
    rfc: "RFC 9112 §6.1",
    ...badResponse(`${head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked")}0\r\n\r\n`, {
      error: "http_response_transfer_coding",
      code: "upstream_transfer_coding",
    }),
  },
  {
    row: 7,
    title: "an answer's chunks reach the client without their extensions",
    rfc: "RFC 9112 §7.1.1",
    ...answers(
      `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}3;a=1\r\nabc\r\n0;b\r\n\r\n`,
      answered(["HTTP/1.1 200 OK"], "Transfer-Encoding: chunked"),
      chunked("abc"),
    ),
  },
  ...["0x3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-3\r\nabc\r\n"].map(
    (body) => ({
      row: 7,
      title: `an answer whose chunks are ${JSON.stringify(body)} is a bad gateway`,
      rfc: "RFC 9112 §7.1",
      ...badResponse(`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}${body}`, {
        error: "http_protocol_error",
        code: "upstream_protocol",
      }),
    }),
  ),
  {
    row: 23,
    title: "an answer that ends before its Content-Length breaks the client's connection",
    rfc: "RFC 9112 §6.3, §8",
    client: [says(plainGet), gets(answered(["HTTP/1.1 200 OK", "Content-Length: 5"]), "abc"), seesReset],
    upstream: [
      [gets(plainGetForwarded), says(head("HTTP/1.1 200 OK", "Content-Length: 5"), "abc"), ends, seesEnd],
    ],
  },
  {
    row: 23,
    title:
      "what an upstream sends beyond its Content-Length reaches nobody, and its connection serves no more",
    rfc: "RFC 9112 §6.3, §9.2",
    client: [says(plainGet), gets(okAnswered)],
    upstream: [
      [gets(plainGetForwarded), says(ok, head("HTTP/1.1 200 Injected", "Content-Length: 0")), seesAbort],
    ],
  },
  {
    row: 25,
    title:
      "a body that ends with the upstream's connection is whole for the client, which keeps its own connection",
    rfc: "RFC 9112 §6.3 item 8, §8",
    client: [
      says(plainGet),
      gets(answered(["HTTP/1.1 200 OK"], "Transfer-Encoding: chunked"), chunked("until the end")),
      says(plainGet),
      gets(okAnswered),
    ],
    upstream: [
      [gets(plainGetForwarded), says(head("HTTP/1.1 200 OK"), "until the end"), ends, seesEnd],
      [gets(plainGetForwarded), says(ok)],
    ],
  },
  {
    row: 25,
    title: "an HTTP/1.0 client gets such a body until its own connection ends",
    rfc: "RFC 9112 §6.3 item 8, §7.1",
    client: [
      says(head("GET / HTTP/1.0", "Host: a")),
      gets(
        answered(["HTTP/1.1 200 OK"], "Connection: close").replace("Via: 1.1", "Via: 1.0"),
        "until the end",
      ),
      seesEnd,
    ],
    upstream: [
      [
        gets(forwarded(["GET / HTTP/1.1", "Host: a"], "a", "1.0")),
        says(head("HTTP/1.0 200 OK"), "until the end"),
        ends,
        seesEnd,
      ],
    ],
  },
]

export const framingCases: readonly Case[] = [...requestCases, ...responseCases]
