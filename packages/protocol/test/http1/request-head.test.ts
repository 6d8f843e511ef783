// Request heads: what is read from them, and what every form of target and of Connection means (RFC 9112 sections 3, 6, 9).

import { describe, expect, test } from "vitest"
import {
  defaultHttp1Limits,
  Http1Error,
  originTarget,
  parseRequestHead,
  type RequestHead,
} from "../../src/http1/index.ts"

const head = (line: string, ...fields: string[]): RequestHead =>
  parseRequestHead(`${[line, "Host: a.example", ...fields].join("\r\n")}\r\n\r\n`)

test("method, target, fields and their order, case and duplicates come out as they went in", () => {
  const read = head("M-SEARCH /%2e%2E/..//./a?b=%zz&c HTTP/1.1", "X-B: 1", "x-a:2", "X-B:\t3 ", "X-Empty:")
  expect(read.method).toBe("M-SEARCH")
  expect(read.target).toBe("/%2e%2E/..//./a?b=%zz&c")
  expect(read.fields.raw).toBe("Host: a.example\r\nX-B: 1\r\nx-a:2\r\nX-B:\t3 \r\nX-Empty:\r\n")
  expect([...read.fields]).toEqual([
    ["Host", "a.example"],
    ["X-B", "1"],
    ["x-a", "2"],
    ["X-B", "3"],
    ["X-Empty", ""],
  ])
})

test("obs-text in a value stays byte for byte, no-break space at its ends included", () => {
  expect(head("GET / HTTP/1.1", "X: \xa0caf\xe9\x80\xff\xa0").fields.get("x")).toBe("\xa0caf\xe9\x80\xff\xa0")
})

test("methods that nobody knows pass, and case counts", () => {
  expect(head("get / HTTP/1.1").method).toBe("get")
  expect(head("X_*'! / HTTP/1.1").method).toBe("X_*'!")
})

describe("the form of the target", () => {
  test.each([
    ["GET /", "origin", "/", "a.example"],
    ["GET //evil.example/", "origin", "//evil.example/", "a.example"],
    ["GET /http://b.example/@c", "origin", "/http://b.example/@c", "a.example"],
    ["OPTIONS *", "asterisk", "*", "a.example"],
    ["CONNECT b.example:443", "authority", "b.example:443", "b.example:443"],
    ["CONNECT [::1]:443", "authority", "[::1]:443", "[::1]:443"],
    ["GET http://b.example:81/a?b", "absolute", "/a?b", "b.example:81"],
    ["GET HTTPS://B.example", "absolute", "/", "B.example"],
    ["GET http://b.example?q=/x", "absolute", "/?q=/x", "b.example"],
    ["GET http://[::1]:80//a/../b", "absolute", "//a/../b", "[::1]:80"],
    ["OPTIONS http://b.example", "absolute", "*", "b.example"],
    ["OPTIONS http://b.example/", "absolute", "/", "b.example"],
  ])("%s is read as %s", (line, form, target, host) => {
    const read = head(`${line} HTTP/1.1`)
    expect(read.targetForm).toBe(form)
    expect(originTarget(read)).toBe(target)
    expect(read.host).toBe(host)
  })
})

describe("the connection", () => {
  test.each([
    ["HTTP/1.1", [], true],
    ["HTTP/1.1", ["Connection: close"], false],
    ["HTTP/1.1", ["Connection: x, CLOSE ,y"], false],
    ["HTTP/1.1", ["Connection: keep-alive", "Connection: close"], false],
    ["HTTP/1.1", ["Connection: closed, x-close, close;q=1"], true],
    ["HTTP/1.0", [], false],
    ["HTTP/1.0", ["Connection: Keep-Alive"], true],
    ["HTTP/1.0", ["Connection: keep-alive, close"], false],
  ])("of %s with %j goes on: %j", (version, fields, keepAlive) => {
    expect(head(`GET / ${version}`, ...fields).keepAlive).toBe(keepAlive)
  })

  test.each([
    ["HTTP/1.1", ["Connection: Upgrade", "Upgrade: websocket"], "websocket"],
    ["HTTP/1.1", ["Connection: keep-alive, upgrade", "Upgrade: a/1", "Upgrade: b"], "a/1, b"],
    ["HTTP/1.1", ["Upgrade: websocket"], undefined],
    ["HTTP/1.1", ["Connection: upgrade"], undefined],
    ["HTTP/1.1", ["Connection: upgrade", "Upgrade:"], undefined],
    ["HTTP/1.0", ["Connection: Upgrade", "Upgrade: websocket"], undefined],
  ])("of %s with %j asks for %j", (version, fields, upgrade) => {
    expect(head(`GET / ${version}`, ...fields).upgrade).toBe(upgrade)
  })
})

test.each([
  ["HTTP/1.1", "Expect: 100-continue", true],
  ["HTTP/1.1", "expect: 100-Continue", true],
  ["HTTP/1.1", "Expect: x", false],
  ["HTTP/1.0", "Expect: 100-continue", false],
])("the client of %s with %s waits for a 100: %j", (version, field, waits) => {
  expect(head(`PUT / ${version}`, field).expectContinue).toBe(waits)
})

describe("the body", () => {
  test.each([
    [[], { kind: "none" }],
    [["Content-Length: 0"], { kind: "length", length: 0 }],
    [["content-length: \t007 "], { kind: "length", length: 7 }],
    [["Content-Length: 9007199254740991"], { kind: "length", length: 9007199254740991 }],
    [["Transfer-Encoding: chunked"], { kind: "chunked" }],
    [["transfer-encoding:  Chunked  "], { kind: "chunked" }],
  ])("with %j is %j, for every method", (fields, body) => {
    expect(head("POST / HTTP/1.1", ...fields).body).toEqual(body)
    expect(head("GET / HTTP/1.1", ...fields).body).toEqual(body)
  })
})

test.each([
  "a.example",
  "a.example:80",
  "a.example:",
  "[::1]",
  "[::1]:80",
  "10.0.0.1",
  "a_b-c.example",
  "%41",
  "",
])("Host may be %j", (host) => {
  expect(parseRequestHead(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).host).toBe(host)
})

test("HTTP/1.0 needs no Host", () => {
  expect(parseRequestHead("GET / HTTP/1.0\r\n\r\n").host).toBeUndefined()
})

describe("a limit", () => {
  const limits = { ...defaultHttp1Limits, maxHeadBytes: 100, maxTargetBytes: 20, maxFieldLines: 3 }
  const parse = (line: string, fields: string): RequestHead =>
    parseRequestHead(`${line}\r\nHost: a\r\n${fields}\r\n`, limits)

  test("of bytes is met exactly: one more is 431", () => {
    const length = 100 - "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".length
    expect(parse("GET / HTTP/1.1", `X: ${"x".repeat(length)}\r\n`).fields.has("x")).toBe(true)
    const tooLarge = refusal(() => parse("GET / HTTP/1.1", `X: ${"x".repeat(length + 1)}\r\n`))
    expect([tooLarge.code, tooLarge.status]).toEqual(["head_too_large", 431])
  })

  test("of the target is met exactly: one more is 414", () => {
    expect(parse(`GET /${"a".repeat(19)} HTTP/1.1`, "").target.length).toBe(20)
    const tooLong = refusal(() => parse(`GET /${"a".repeat(20)} HTTP/1.1`, ""))
    expect([tooLong.code, tooLong.status]).toEqual(["target_too_long", 414])
  })

  test("of field lines is met exactly: one more is 431", () => {
    expect([...parse("GET / HTTP/1.1", "a:\r\nb:\r\n").fields]).toHaveLength(3)
    expect(refusal(() => parse("GET / HTTP/1.1", "a:\r\nb:\r\nc:\r\n")).code).toBe("too_many_fields")
  })
})

test("text that is not latin-1, or goes on behind the head, is refused", () => {
  expect(refusal(() => parseRequestHead("GET / HTTP/1.1\r\nHost: a\r\nX: \u0100\r\n\r\n")).code).toBe(
    "bad_character",
  )
  expect(refusal(() => parseRequestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\nX: y\r\n\r\n")).code).toBe(
    "bad_field",
  )
  expect(refusal(() => parseRequestHead("GET / HTTP/1.1\r\nHost: a\r\n")).code).toBe("bad_field")
  expect(refusal(() => parseRequestHead("")).code).toBe("bad_request_line")
})

test("an error says what is wrong without a byte of what came", () => {
  const error = refusal(() => parseRequestHead("GET /secret#x HTTP/1.1\r\nHost: secret\r\n\r\n"))
  expect(error.message).not.toContain("secret")
  expect(error.message).toContain("RFC 9112")
})

function refusal(action: () => unknown): Http1Error {
  try {
    action()
  } catch (error) {
    if (error instanceof Http1Error) return error
    throw error
  }
  throw new Error("was not refused")
}
