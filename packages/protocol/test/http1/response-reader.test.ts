// One upstream connection: which response has a body and where it ends, interim responses, upgrades (RFC 9112 sections 4, 6.3, 9; RFC 9110 section 15.2).

import { describe, expect, test } from "vitest"
import { defaultHttp1Limits, Http1Error, parseResponseHead } from "../../src/http1/index.ts"
import { feed, feedSingly, recordResponses } from "./events.ts"

const chunked = "Transfer-Encoding: chunked\r\n"

test.each([
  ["HTTP/1.1 200 OK", 200, "OK", 1],
  ["HTTP/1.1 299 Weird  Reason", 299, "Weird  Reason", 1],
  ["HTTP/1.1 999 caf\xe9\t", 999, "caf\xe9\t", 1],
  ["HTTP/1.1 404 ", 404, "", 1],
  ["HTTP/1.1 404", 404, "", 1],
  ["HTTP/1.0 200 OK", 200, "OK", 0],
])("%j has its status and reason", (line, status, reason, minorVersion) => {
  expect(parseResponseHead(`${line}\r\n\r\n`, "GET")).toMatchObject({ status, reason, minorVersion })
})

describe("the body of", () => {
  test.each([
    ["GET", "200 OK", "Content-Length: 3\r\n", { kind: "length", length: 3 }],
    ["GET", "200 OK", chunked, { kind: "chunked" }],
    ["GET", "200 OK", "", { kind: "close" }],
    ["HEAD", "200 OK", "Content-Length: 3\r\n", { kind: "none" }],
    ["HEAD", "200 OK", chunked, { kind: "none" }],
    ["HEAD", "200 OK", "", { kind: "none" }],
    ["GET", "204 No Content", "Content-Length: 3\r\n", { kind: "none" }],
    ["GET", "204 No Content", chunked, { kind: "none" }],
    ["GET", "304 Not Modified", "Content-Length: 3\r\n", { kind: "none" }],
    ["GET", "205 Reset Content", "Content-Length: 0\r\n", { kind: "length", length: 0 }],
    ["GET", "103 Early Hints", "", { kind: "none" }],
    ["CONNECT", "200 OK", "Content-Length: 3\r\n", { kind: "none" }],
    ["CONNECT", "403 Forbidden", "Content-Length: 3\r\n", { kind: "length", length: 3 }],
  ])("%s, %s, %j is %j", (method, status, fields, body) => {
    expect(parseResponseHead(`HTTP/1.1 ${status}\r\n${fields}\r\n`, method).body).toEqual(body)
  })
})

describe("the connection", () => {
  test.each([
    ["HTTP/1.1", "GET", "Content-Length: 0\r\n", true],
    ["HTTP/1.1", "GET", "", false],
    ["HTTP/1.1", "HEAD", "", true],
    ["HTTP/1.1", "GET", "Content-Length: 0\r\nConnection: close\r\n", false],
    ["HTTP/1.0", "GET", "Content-Length: 0\r\n", false],
    ["HTTP/1.0", "GET", "Content-Length: 0\r\nConnection: keep-alive\r\n", true],
    ["HTTP/1.0", "GET", "Connection: keep-alive\r\n", false],
  ])("of %s to %s with %j goes on: %j", (version, method, fields, keepAlive) => {
    expect(parseResponseHead(`${version} 200 OK\r\n${fields}\r\n`, method).keepAlive).toBe(keepAlive)
  })
})

test("one connection carries a response per request, each framed by its own request's method", () => {
  const { reader, seen } = recordResponses("HEAD")
  feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
  expect(reader.idle).toBe(true)
  reader.begin("GET")
  feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
  reader.begin("GET")
  feed(reader, `HTTP/1.1 200 OK\r\n${chunked}\r\n3\r\ndef\r\n0\r\nX: y\r\n\r\n`)
  expect(seen.body).toBe("abcdef")
  expect(seen.trailers).toEqual(["", "", "X: y\r\n"])
})

test("interim responses come before the final one, each with its fields, and have no body whatever they say", () => {
  const { reader, seen } = recordResponses("GET")
  const interim =
    "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
  feedSingly(reader, `${interim}HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na`)
  expect(seen.interim.map(({ status }) => status)).toEqual([100, 103])
  expect(seen.interim[1]?.fields.raw).toBe("Link: </a>\r\n")
  expect(seen.heads.map(({ status }) => status)).toEqual([200])
  expect(seen.body).toBe("a")
})

test("more interim responses than the limit are refused", () => {
  const interim = "HTTP/1.1 102 Processing\r\n\r\n"
  const limit = defaultHttp1Limits.maxInformational
  expect(() => feed(recordResponses("GET").reader, interim.repeat(limit))).not.toThrow()
  expect(() => feed(recordResponses("GET").reader, interim.repeat(limit + 1))).toThrow(
    new Http1Error("too_many_informational"),
  )
})

test.each([
  ["GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 101],
  ["CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200],
])("after the answer to %s %j the rest is not HTTP", (method, head, status) => {
  const { reader, seen } = recordResponses(method)
  expect(feed(reader, `${head}\x81\x00`)).toBe(2)
  expect(seen.heads.map((read) => read.status)).toEqual([status])
  expect(seen.trailers).toEqual([])
  expect(() => reader.eof()).not.toThrow()
})

describe("bytes from a server that was asked nothing", () => {
  test("are refused behind a response", () => {
    const { reader, seen } = recordResponses("GET")
    expect(() => feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")).toThrow(
      new Http1Error("unsolicited"),
    )
    expect(seen.trailers).toEqual([""])
  })

  test("are refused even when they are an empty line", () => {
    const { reader } = recordResponses("HEAD")
    feed(reader, "HTTP/1.1 204 No Content\r\n\r\n")
    expect(() => reader.read(Buffer.from("\r\n"))).toThrow(new Http1Error("unsolicited"))
  })
})

describe("the end of input", () => {
  test("completes a body without a length", () => {
    const { reader, seen } = recordResponses("GET")
    feed(reader, "HTTP/1.0 200 OK\r\n\r\nabc")
    expect(seen.trailers).toEqual([])
    reader.eof()
    expect(seen.body).toBe("abc")
    expect(seen.trailers).toEqual([""])
    expect(reader.idle).toBe(true)
  })

  test("completes one of no bytes", () => {
    const { reader, seen } = recordResponses("GET")
    feed(reader, "HTTP/1.1 200 OK\r\n\r\n")
    reader.eof()
    expect(seen.trailers).toEqual([""])
  })

  test("is nothing between responses", () => {
    const { reader } = recordResponses("GET")
    feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    expect(() => reader.eof()).not.toThrow()
  })

  test.each([
    "",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
    `HTTP/1.1 200 OK\r\n${chunked}\r\n1\r\na\r\n`,
    `HTTP/1.1 200 OK\r\n${chunked}\r\n1\r\na\r\n0\r\nX: y\r\n`,
  ])("after %j is an error, because a broken message must not look whole", (text) => {
    const { reader, seen } = recordResponses("GET")
    feed(reader, text)
    expect(() => reader.eof()).toThrow(new Http1Error("incomplete"))
    expect(seen.trailers).toEqual([])
  })
})

test("a response cannot begin before the one before it is complete", () => {
  const { reader } = recordResponses("GET")
  expect(() => reader.begin("GET")).toThrow("not complete")
})

test("an error names the fault in the words that a Proxy-Status needs", () => {
  const faults = (
    ["framing_conflict", "head_too_large", "transfer_coding_unsupported", "incomplete"] as const
  ).map((code) => new Http1Error(code).upstreamFault)
  expect(faults).toEqual(["protocol", "header_size", "transfer_coding", "incomplete"])
})
