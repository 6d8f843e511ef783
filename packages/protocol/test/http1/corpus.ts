// Messages that were made to be understood in two ways, and other known bad ones, as data: each with the rule that refuses it.

import type { Http1ErrorCode } from "../../src/http1/index.ts"

export interface KnownBad {
  readonly kind: "request" | "response"
  /** What it tries. */
  readonly name: string
  readonly bytes: Buffer
  readonly error: Http1ErrorCode
  /** Method of the request, for a response. */
  readonly method: string
}

const host = "Host: a.example\r\n"
const chunkedField = "Transfer-Encoding: chunked\r\n"

const request = (name: string, error: Http1ErrorCode, text: string): KnownBad => ({
  kind: "request",
  name,
  bytes: Buffer.from(text, "latin1"),
  error,
  method: "GET",
})

const response = (name: string, error: Http1ErrorCode, text: string, method = "GET"): KnownBad => ({
  kind: "response",
  name,
  bytes: Buffer.from(text, "latin1"),
  error,
  method,
})

/** A POST with these fields and a body that hides a second request. */
const smuggle = (name: string, error: Http1ErrorCode, fields: string): KnownBad =>
  request(name, error, `POST / HTTP/1.1\r\n${host}${fields}\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n${host}\r\n`)

const get = (name: string, error: Http1ErrorCode, line: string, fields = host): KnownBad =>
  request(name, error, `${line}\r\n${fields}\r\n`)

const chunks = (name: string, error: Http1ErrorCode, body: string): KnownBad =>
  request(name, error, `POST / HTTP/1.1\r\n${host}${chunkedField}\r\n${body}`)

const reply = (name: string, error: Http1ErrorCode, head: string, body = ""): KnownBad =>
  response(name, error, `${head}\r\n\r\n${body}`)

export const knownBad: readonly KnownBad[] = [
  // Two lengths (RFC 9112 sections 6.1, 6.3 and 11.2).
  smuggle("CL.TE", "framing_conflict", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
  smuggle("TE.CL", "framing_conflict", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
  smuggle(
    "CL.TE with a length of zero",
    "framing_conflict",
    "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
  ),
  smuggle("CL.CL", "content_length_repeated", "Content-Length: 0\r\nContent-Length: 44\r\n"),
  smuggle("the same length twice", "content_length_repeated", "Content-Length: 5\r\nContent-Length: 5\r\n"),
  smuggle("a list of lengths", "content_length_invalid", "Content-Length: 5, 5\r\n"),
  smuggle("a list of two lengths", "content_length_invalid", "Content-Length: 0,44\r\n"),
  smuggle("plus sign", "content_length_invalid", "Content-Length: +5\r\n"),
  smuggle("minus sign", "content_length_invalid", "Content-Length: -5\r\n"),
  smuggle("hexadecimal length", "content_length_invalid", "Content-Length: 0x5\r\n"),
  smuggle("fraction", "content_length_invalid", "Content-Length: 5.0\r\n"),
  smuggle("exponent", "content_length_invalid", "Content-Length: 5e0\r\n"),
  smuggle("underscore in digits", "content_length_invalid", "Content-Length: 1_0\r\n"),
  smuggle("digits of another script", "content_length_invalid", "Content-Length: \xb2\r\n"),
  smuggle("space in digits", "content_length_invalid", "Content-Length: 1 0\r\n"),
  smuggle("no digits", "content_length_invalid", "Content-Length:\r\n"),
  smuggle("2^53", "content_length_invalid", "Content-Length: 9007199254740992\r\n"),
  smuggle("2^64", "content_length_invalid", "Content-Length: 18446744073709551616\r\n"),

  // Transfer-Encoding that one of two recipients does not see.
  smuggle("unknown coding", "transfer_coding_unsupported", "Transfer-Encoding: xchunked\r\n"),
  smuggle("a coding before chunked", "transfer_coding_unsupported", "Transfer-Encoding: gzip, chunked\r\n"),
  smuggle("identity", "transfer_coding_unsupported", "Transfer-Encoding: identity\r\n"),
  smuggle(
    "identity before chunked",
    "transfer_coding_unsupported",
    "Transfer-Encoding: identity, chunked\r\n",
  ),
  smuggle("chunked not last", "transfer_coding_invalid", "Transfer-Encoding: chunked, identity\r\n"),
  smuggle("chunked twice", "transfer_coding_invalid", "Transfer-Encoding: chunked, chunked\r\n"),
  smuggle(
    "chunked in two lines",
    "transfer_coding_invalid",
    "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n",
  ),
  smuggle(
    "a second line hides",
    "transfer_coding_invalid",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
  ),
  smuggle(
    "a first line hides",
    "transfer_coding_unsupported",
    "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
  ),
  smuggle("empty coding", "transfer_coding_invalid", "Transfer-Encoding:\r\n"),
  smuggle("comma before", "transfer_coding_invalid", "Transfer-Encoding: ,chunked\r\n"),
  smuggle("comma behind", "transfer_coding_invalid", "Transfer-Encoding: chunked,\r\n"),
  smuggle("parameter", "transfer_coding_unsupported", "Transfer-Encoding: chunked;a=b\r\n"),
  smuggle("quotes", "transfer_coding_unsupported", 'Transfer-Encoding: "chunked"\r\n'),
  smuggle("two words", "transfer_coding_unsupported", "Transfer-Encoding: chunked x\r\n"),
  smuggle("tab before", "transfer_coding_invalid", "Transfer-Encoding:\tchunked\r\n"),
  smuggle("tab behind", "transfer_coding_invalid", "Transfer-Encoding: chunked\t\r\n"),
  smuggle("no-break space", "transfer_coding_unsupported", "Transfer-Encoding: \xa0chunked\r\n"),
  smuggle("vertical tab", "bad_character", "Transfer-Encoding: \x0bchunked\r\n"),
  smuggle("form feed", "bad_character", "Transfer-Encoding: chunked\x0c\r\n"),
  smuggle(
    "space before the colon",
    "space_before_colon",
    "Transfer-Encoding : chunked\r\nContent-Length: 3\r\n",
  ),
  smuggle("tab before the colon", "space_before_colon", "Transfer-Encoding\t: chunked\r\n"),
  smuggle("NUL in the name", "bad_character", "Transfer-Encoding\0: chunked\r\n"),
  smuggle("folded value", "folded_field", "Transfer-Encoding:\r\n chunked\r\n"),
  smuggle("folded into the field before", "folded_field", "X: a\r\n Transfer-Encoding: chunked\r\n"),
  smuggle("field behind a bare LF", "bare_line_end", "X: a\nTransfer-Encoding: chunked\r\n"),
  smuggle("field behind a bare CR", "bare_line_end", "X: a\rTransfer-Encoding: chunked\r\n"),
  smuggle("Content-Length with a space before the colon", "space_before_colon", "Content-Length : 5\r\n"),
  request(
    "Transfer-Encoding in HTTP/1.0",
    "transfer_coding_version",
    `POST / HTTP/1.0\r\n${host}${chunkedField}\r\n0\r\n\r\n`,
  ),

  // Lines (RFC 9112 sections 2.2 and 5).
  request("bare LF everywhere", "bare_line_end", "GET / HTTP/1.1\nHost: a.example\n\n"),
  request("head that ends in LF LF", "bare_line_end", `GET / HTTP/1.1\r\n${host}\n`),
  request("LF before the final CRLF", "bare_line_end", `GET / HTTP/1.1\r\nHost: a.example\n\r\n`),
  request("CR CR LF", "bare_line_end", `GET / HTTP/1.1\r\nHost: a.example\r\r\n\r\n`),
  request(
    "a request behind two LF in a value",
    "bare_line_end",
    `GET / HTTP/1.1\r\n${host}X: a\n\nGET /admin HTTP/1.1\r\n\r\n`,
  ),
  request("NUL in a value", "bad_character", `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`),
  request("DEL in a value", "bad_character", `GET / HTTP/1.1\r\n${host}X: a\x7f\r\n\r\n`),
  request("space before the first field", "folded_field", `GET / HTTP/1.1\r\n ${host}\r\n`),
  request("field without colon", "bad_field", `GET / HTTP/1.1\r\n${host}X\r\n\r\n`),
  request("field without name", "bad_field", `GET / HTTP/1.1\r\n${host}: x\r\n\r\n`),
  request("name in quotes", "bad_field", `GET / HTTP/1.1\r\n${host}"X": x\r\n\r\n`),
  request("name that is not ASCII", "bad_field", `GET / HTTP/1.1\r\n${host}X\xe4: x\r\n\r\n`),
  request("space in a name", "bad_field", `GET / HTTP/1.1\r\n${host}X Y: x\r\n\r\n`),
  request("nine empty lines", "empty_lines", `${"\r\n".repeat(9)}GET / HTTP/1.1\r\n${host}\r\n`),
  request("LF before the request line", "bare_line_end", `\nGET / HTTP/1.1\r\n${host}\r\n`),
  request("TLS hello", "bad_character", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),

  // Request line (RFC 9112 section 3).
  get("fragment", "bad_target", "GET /a#b HTTP/1.1"),
  get("space in the target", "bad_request_line", "GET /a b HTTP/1.1"),
  get("two spaces", "bad_request_line", "GET  / HTTP/1.1"),
  get("tab for a space", "bad_request_line", "GET\t/ HTTP/1.1"),
  get("space in front", "bad_request_line", " GET / HTTP/1.1"),
  get("no version", "bad_request_line", "GET /"),
  get("no target", "bad_request_line", "GET HTTP/1.1"),
  get("UTF-8 in the target", "bad_target", "GET /\xc3\xa9 HTTP/1.1"),
  get("control character in the target", "bad_character", "GET /\x01 HTTP/1.1"),
  get("method that is no token", "bad_request_line", "GE(T) / HTTP/1.1"),
  get("HTTP/2 in an HTTP/1 line", "version_unsupported", "GET / HTTP/2.0"),
  get("preface of HTTP/2", "version_unsupported", "PRI * HTTP/2.0", ""),
  get("HTTP/0.9", "version_unsupported", "GET / HTTP/0.9"),
  get("HTTP/1.2", "version_unsupported", "GET / HTTP/1.2"),
  get("lower case version", "bad_request_line", "GET / http/1.1"),
  get("long version", "bad_request_line", "GET / HTTP/1.10"),
  get("no slash in front", "bad_target", "GET admin HTTP/1.1"),
  get("asterisk for GET", "bad_target", "GET * HTTP/1.1"),
  get("authority for GET", "bad_target", "GET a.example:80 HTTP/1.1"),
  get("path for CONNECT", "bad_target", "CONNECT /a HTTP/1.1"),
  get("URL for CONNECT", "bad_target", "CONNECT http://a.example/ HTTP/1.1"),
  get("CONNECT without a port", "bad_target", "CONNECT a.example HTTP/1.1"),
  get("CONNECT without a host", "bad_target", "CONNECT :443 HTTP/1.1"),
  get("user in a URL", "bad_target", "GET http://a.example@evil.example/ HTTP/1.1"),
  get("user and password in a URL", "bad_target", "GET http://u:p@a.example/ HTTP/1.1"),
  get("URL without a host", "bad_target", "GET http:///a HTTP/1.1"),
  get("URL with a backslash", "bad_target", "GET http://a.example\\@evil.example/ HTTP/1.1"),
  get("URL of another scheme", "bad_target", "GET file:///etc/passwd HTTP/1.1"),
  get("URL with a bad port", "bad_target", "GET http://a.example:x/ HTTP/1.1"),
  get("URL with an open bracket", "bad_target", "GET http://[::1/ HTTP/1.1"),

  // Host (RFC 9112 section 3.2).
  get("no Host", "host_missing", "GET / HTTP/1.1", ""),
  get("no Host beside a URL", "host_missing", "GET http://a.example/ HTTP/1.1", ""),
  get("two Hosts", "host_repeated", "GET / HTTP/1.1", "Host: a.example\r\nHost: b.example\r\n"),
  get("the same Host twice", "host_repeated", "GET / HTTP/1.1", "Host: a.example\r\nhost: a.example\r\n"),
  get("two Hosts in HTTP/1.0", "host_repeated", "GET / HTTP/1.0", "Host: a.example\r\nHost: b.example\r\n"),
  get("Host with a path", "host_invalid", "GET / HTTP/1.1", "Host: a.example/b\r\n"),
  get("Host with a user", "host_invalid", "GET / HTTP/1.1", "Host: a@b.example\r\n"),
  get("Host with a scheme", "host_invalid", "GET / HTTP/1.1", "Host: http://a.example\r\n"),
  get("Host with a space", "host_invalid", "GET / HTTP/1.1", "Host: a.example b\r\n"),
  get("Host with two ports", "host_invalid", "GET / HTTP/1.1", "Host: a.example:80:80\r\n"),
  get("Host with a port of letters", "host_invalid", "GET / HTTP/1.1", "Host: a.example:http\r\n"),
  get("Host with a fragment", "host_invalid", "GET / HTTP/1.1", "Host: a.example#b\r\n"),
  get("Host that is not ASCII", "host_invalid", "GET / HTTP/1.1", "Host: \xe4.example\r\n"),
  get("bare IPv6 address in Host", "host_invalid", "GET / HTTP/1.1", "Host: ::1\r\n"),

  // Chunks (RFC 9112 section 7.1).
  chunks("0x", "bad_chunk", "0x5\r\nhello\r\n0\r\n\r\n"),
  chunks("sign", "bad_chunk", "+5\r\nhello\r\n0\r\n\r\n"),
  chunks("minus", "bad_chunk", "-5\r\nhello\r\n0\r\n\r\n"),
  chunks("space before the size", "bad_chunk", " 5\r\nhello\r\n0\r\n\r\n"),
  chunks("space behind the size", "bad_chunk", "5 \r\nhello\r\n0\r\n\r\n"),
  chunks("no size", "bad_chunk", "\r\nhello\r\n0\r\n\r\n"),
  chunks("no size but an extension", "bad_chunk", ";a\r\n\r\n"),
  chunks("LF behind the size", "bare_line_end", "5\nhello\r\n0\r\n\r\n"),
  chunks("CR behind the size", "bad_chunk", "5\rX\r\nhello\r\n0\r\n\r\n"),
  chunks("LF behind the data", "bad_chunk", "5\r\nhello\n0\r\n\r\n"),
  chunks("nothing behind the data", "bad_chunk", "5\r\nhello0\r\n\r\n"),
  chunks("more data than the size says", "bad_chunk", "5\r\nhello!\r\n0\r\n\r\n"),
  chunks("chunk of 2^53 bytes", "bad_chunk", "20000000000000\r\nhello\r\n0\r\n\r\n"),
  chunks("2^64 and five", "bad_chunk", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
  chunks("extension without a name", "bad_chunk", "5;=b\r\nhello\r\n0\r\n\r\n"),
  chunks("extension without a value", "bad_chunk", "5;a=\r\nhello\r\n0\r\n\r\n"),
  chunks("empty extension", "bad_chunk", "5;\r\nhello\r\n0\r\n\r\n"),
  chunks("open quotes", "bad_chunk", '5;a="\r\nhello\r\n0\r\n\r\n'),
  chunks("LF in an extension", "bare_line_end", "5;a\nhello\r\n0\r\n\r\n"),
  chunks("LF in quotes", "bare_line_end", '5;a="\n"\r\nhello\r\n0\r\n\r\n'),
  chunks("control character behind a backslash", "bad_chunk", '5;a="\\\x01"\r\nhello\r\n0\r\n\r\n'),
  chunks("CR in an extension", "bad_chunk", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
  chunks("NUL in an extension", "bad_chunk", "5;a=\0\r\nhello\r\n0\r\n\r\n"),
  chunks("LF for the last line", "bare_line_end", "0\r\n\n"),
  chunks("LF behind a trailer", "bare_line_end", "0\r\nX: a\n\r\n"),
  chunks("folded trailer", "folded_field", "0\r\nX: a\r\n b\r\n\r\n"),
  chunks("length in a trailer", "bad_trailer", "0\r\nContent-Length: 5\r\n\r\n"),
  chunks("coding in a trailer", "bad_trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
  chunks("Host in a trailer", "bad_trailer", "0\r\nHost: b.example\r\n\r\n"),
  chunks("Connection in a trailer", "bad_trailer", "0\r\nConnection: close\r\n\r\n"),
  chunks("a request for a trailer", "bad_field", `0\r\nGET /admin HTTP/1.1\r\n${host}\r\n`),
  chunks("cut in the last line", "incomplete", "5\r\nhello\r\n0\r\n"),

  // Responses: splitting (RFC 9112 section 11.1) and framing of an origin that cannot be trusted.
  reply(
    "two lengths",
    "content_length_repeated",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
    "hello",
  ),
  reply("list of lengths", "content_length_invalid", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5", "hello"),
  reply("CL and TE", "framing_conflict", `HTTP/1.1 200 OK\r\n${chunkedField}Content-Length: 5`, "0\r\n\r\n"),
  reply(
    "gzip, chunked",
    "transfer_coding_unsupported",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    "0\r\n\r\n",
  ),
  reply(
    "chunked, gzip",
    "transfer_coding_invalid",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip",
    "0\r\n\r\n",
  ),
  reply(
    "TE in HTTP/1.0",
    "transfer_coding_version",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
    "0\r\n\r\n",
  ),
  reply("CR in the reason", "bare_line_end", "HTTP/1.1 200 OK\rX: y"),
  reply("LF in the reason", "bare_line_end", "HTTP/1.1 200 OK\nX: y"),
  reply("NUL in the reason", "bad_character", "HTTP/1.1 200 O\0K"),
  reply("a field behind a bare LF", "bare_line_end", "HTTP/1.1 302 Found\r\nLocation: /a\nSet-Cookie: a=b"),
  reply("a response behind two LF", "bare_line_end", "HTTP/1.1 302 Found\r\nLocation: /a\n\nHTTP/1.1 200 OK"),
  reply("status of two digits", "bad_status_line", "HTTP/1.1 99 Low"),
  reply("status of four digits", "bad_status_line", "HTTP/1.1 2000 High"),
  reply("status 0xx", "bad_status_line", "HTTP/1.1 099 Low"),
  reply("status of letters", "bad_status_line", "HTTP/1.1 abc OK"),
  reply("HTTP/2", "version_unsupported", "HTTP/2.0 200 OK"),
  reply("Shoutcast", "bad_status_line", "ICY 200 OK"),
  reply("not HTTP", "bad_status_line", "SSH-2.0-OpenSSH_9.9"),
  reply("folded field", "folded_field", "HTTP/1.1 200 OK\r\nX: a\r\n b"),
  reply("space before the colon", "space_before_colon", "HTTP/1.1 200 OK\r\nContent-Length : 0"),
  response("empty line in front", "bad_status_line", "\r\nHTTP/1.1 200 OK\r\n\r\n"),
  response("short body", "incomplete", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"),
  response("short chunked body", "incomplete", `HTTP/1.1 200 OK\r\n${chunkedField}\r\n5\r\nhel`),
  response("cut head", "incomplete", "HTTP/1.1 200 OK\r\nContent-"),
  response("only an interim response", "incomplete", "HTTP/1.1 100 Continue\r\n\r\n", "POST"),
]
