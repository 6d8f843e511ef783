// Rows 15 to 17 and 33 to 35: fields and contents that a proxy leaves alone.
import { answered, answers, type Case, forwarded, head, passes } from "../case.ts"

const get = "GET /fields HTTP/1.1"

/** An answer with these lines and this content arrives as it is. */
const unchanged = (lines: readonly string[], content: string): Pick<Case, "client" | "upstream"> => {
  const all = [...lines, `Content-Length: ${content.length}`]
  return answers(`${head(...all)}${content}`, answered(all), content)
}

const everyOctet = Array.from({ length: 128 }, (_, index) => String.fromCharCode(128 + index)).join("")
const odd = [
  "hOST: a",
  "Accept: a/b",
  "x-lower: 1",
  "X-UPPER:no space",
  "Accept: c/d",
  "X-Spaces:   \t in the middle \t ",
  "x-lower: 2",
  "X-Empty:",
  "!#$%&'*+-.^_`|~09Az: token",
]
const gzip = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x106\x05\x00\x00\x00"
const partial = [
  "--b",
  "Content-Type: text/plain",
  "Content-Range: bytes 0-1/6",
  "",
  "ab",
  "--b",
  "Content-Range: bytes 4-5/6",
  "",
  "ef",
  "--b--",
  "",
].join("\r\n")

export const fieldCases: readonly Case[] = [
  {
    row: 15,
    title: "order, case, spaces and duplicates of a request's lines cross byte for byte",
    rfc: "RFC 9110 §5.2, §5.3",
    ...passes(head(get, ...odd), forwarded([get, ...odd])),
  },
  {
    row: 15,
    title: "order, case, spaces and duplicates of an answer's lines cross byte for byte",
    rfc: "RFC 9110 §5.2, §5.3",
    ...unchanged(["HTTP/1.1 200 OK", ...odd.slice(1)], "ok"),
  },
  {
    row: 16,
    title: "several Set-Cookie lines of an answer stay apart and in order",
    rfc: "RFC 9110 §5.3",
    ...unchanged(
      [
        "HTTP/1.1 200 OK",
        "Set-Cookie: a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "X: 1",
        "set-cookie: b=2",
      ],
      "ok",
    ),
  },
  {
    row: 16,
    title: "Cookie and Set-Cookie lines of a request stay apart and in order",
    rfc: "RFC 9110 §5.3",
    ...passes(
      head(get, "Host: a", "Cookie: a=1", "Set-Cookie: x", "Cookie: b=2", "Set-Cookie: y"),
      forwarded([get, "Host: a", "Cookie: a=1", "Set-Cookie: x", "Cookie: b=2", "Set-Cookie: y"]),
    ),
  },
  {
    row: 17,
    title: "every octet beyond ASCII in a request's value crosses",
    rfc: "RFC 9110 §5.5",
    ...passes(head(get, "Host: a", `X: ${everyOctet}`), forwarded([get, "Host: a", `X: ${everyOctet}`])),
  },
  {
    row: 17,
    title: "every octet beyond ASCII in an answer's value crosses",
    rfc: "RFC 9110 §5.5",
    ...unchanged(["HTTP/1.1 200 OK", `X: ${everyOctet}`], "ok"),
  },
  {
    row: 33,
    title: "Range and conditional fields cross",
    rfc: "RFC 9110 §13.1, §14.2",
    ...passes(
      head(
        get,
        "Host: a",
        "Range: bytes=0-1,4-5",
        'If-Range: "e"',
        'If-None-Match: W/"x", *',
        "If-Modified-Since: never",
      ),
      forwarded([
        get,
        "Host: a",
        "Range: bytes=0-1,4-5",
        'If-Range: "e"',
        'If-None-Match: W/"x", *',
        "If-Modified-Since: never",
      ]),
    ),
  },
  {
    row: 33,
    title: "206 with several ranges crosses byte for byte",
    rfc: "RFC 9110 §14.6, §15.3.7",
    ...unchanged(
      ["HTTP/1.1 206 Partial Content", "Content-Type: multipart/byteranges; boundary=b", 'ETag: "e"'],
      partial,
    ),
  },
  {
    row: 33,
    title: "416 crosses with its Content-Range",
    rfc: "RFC 9110 §15.5.17",
    ...unchanged(["HTTP/1.1 416 Range Not Satisfiable", "Content-Range: bytes */6"], ""),
  },
  {
    row: 33,
    title: "412 crosses",
    rfc: "RFC 9110 §15.5.13",
    ...unchanged(["HTTP/1.1 412 Precondition Failed", 'ETag: "e"'], "no"),
  },
  ...["gzip", "br", "zstd"].map((coding) => ({
    row: 34,
    title: `an answer in ${coding} is not decoded`,
    rfc: "RFC 9110 §8.4, §7.7",
    ...unchanged(
      [
        "HTTP/1.1 200 OK",
        `Content-Encoding: ${coding}`,
        "Vary: Accept-Encoding",
        "Cache-Control: no-transform",
      ],
      gzip,
    ),
  })),
  {
    row: 34,
    title: "a request in gzip is not decoded, and Accept-Encoding is left alone",
    rfc: "RFC 9110 §8.4, §12.5.3",
    ...passes(
      `${head("PUT /z HTTP/1.1", "Host: a", "Accept-Encoding: zstd, br;q=0.5", "Content-Encoding: gzip", `Content-Length: ${gzip.length}`)}${gzip}`,
      `${forwarded(["PUT /z HTTP/1.1", "Host: a", "Accept-Encoding: zstd, br;q=0.5", "Content-Encoding: gzip", `Content-Length: ${gzip.length}`])}${gzip}`,
    ),
  },
  {
    row: 35,
    title: "Date, Server and Age of the upstream cross, and no second Date is added",
    rfc: "RFC 9110 §6.6.1, §10.2.4",
    ...unchanged(
      ["HTTP/1.1 200 OK", "Server: upstream/1", "date: Thu, 01 Jan 1970 00:00:00 GMT", "Age: 7"],
      "ok",
    ),
  },
  {
    row: 35,
    title: "an answer without Date gets one, and neither Server nor Age",
    rfc: "RFC 9110 §6.6.1",
    ...unchanged(["HTTP/1.1 200 OK"], "ok"),
  },
]
