// Field lines: looking up, checking, and what of them goes on to the next hop (RFC 9110 sections 5, 6.5.1, 7.6.1).

import { describe, expect, test } from "vitest"
import {
  endToEndFields,
  endToEndTrailers,
  FieldBlock,
  fieldLine,
  Http1Error,
  isFieldName,
  isFieldValue,
  parseFieldBlock,
} from "../../src/http1/index.ts"

const block = (...lines: string[]): FieldBlock => parseFieldBlock(lines.map((line) => `${line}\r\n`).join(""))

describe("a field block", () => {
  const fields = block("Set-Cookie: a=b", "X: \t y z ", "set-cookie:c=d", "X-Y: X: no", "X_1: u", "x-empty:")

  test("finds a field whatever its case", () => {
    expect(fields.get("x")).toBe("y z")
    expect(fields.get("set-cookie")).toBe("a=b")
    expect(fields.get("x_1")).toBe("u")
    expect(fields.get("x-empty")).toBe("")
  })

  test("keeps every line of a repeated field apart", () => {
    expect(fields.all("set-cookie")).toEqual(["a=b", "c=d"])
    expect(fields.all("none")).toEqual([])
  })

  test("does not take a beginning, an end or a value for a name", () => {
    expect(["set", "cookie", "y", "no", "x-", ""].filter((name) => fields.has(name))).toEqual([])
  })

  test.each(["X", ": x", "X : y", " X: y", "X: a\nb", "X: a\0", "X: a\r\n y", "\u0100: x"])(
    "refuses %j",
    (line) => {
      expect(() => block(line)).toThrow(Http1Error)
    },
  )
})

describe("what goes on to the next hop", () => {
  const plain = block(
    "Host: a",
    "Accept: */*",
    "Trailer: X-Sum",
    "Te-st: x",
    "Upgrade-Insecure-Requests: 1",
    "Cookie: a=b",
  )

  test("is the very same text when nothing has to go", () => {
    expect(endToEndFields(plain)).toBe(plain.raw)
    expect(endToEndFields(plain, new Set(["x-forwarded-for"]))).toBe(plain.raw)
  })

  test("is without every field about the connection", () => {
    const about = ["Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: close", "TE: trailers"]
    const more = [
      "transfer-encoding: chunked",
      "UPGRADE: h2c",
      "Proxy-Authorization: x",
      "Proxy-Authenticate: y",
    ]
    expect(endToEndFields(block("A: 1", ...about, "B: 2", ...more, "A: 3"))).toBe("A: 1\r\nB: 2\r\nA: 3\r\n")
    expect(endToEndFields(block(...about, ...more))).toBe("")
  })

  test("is without what Connection nominates, in any of its lines", () => {
    const fields = block(
      "X-A: 1",
      "Connection: close, X-A",
      "x-b: 2",
      "connection:keep-alive ,\tx-B,,",
      "X-C: 3",
      "X-AA: 4",
    )
    expect(endToEndFields(fields)).toBe("X-C: 3\r\nX-AA: 4\r\n")
  })

  test.each([
    "Content-Length",
    "Host",
    "Cookie",
    "Set-Cookie",
    "Authorization",
    "Content-Type",
    "Cache-Control",
    "X-Forwarded-For",
    "Via",
  ])("keeps %s though Connection nominates it, because every recipient needs it", (name) => {
    expect(endToEndFields(block(`${name}: 1`, `Connection: ${name}`))).toBe(`${name}: 1\r\n`)
  })

  test("a nominated name with signs in it is only a name", () => {
    expect(endToEndFields(block("Connection: .*, x|y, a$", "X|Y: 1", "Zz: 2", "A$: 3"))).toBe("Zz: 2\r\n")
  })

  test("is without what the caller drops besides", () => {
    const drop = new Set(["x-forwarded-for", "host"])
    expect(
      endToEndFields(block("HOST: a", "X: y", "X-Forwarded-For: z", "X-Forwarded-Forward: w"), drop),
    ).toBe("X: y\r\nX-Forwarded-Forward: w\r\n")
  })
})

test("trailers lose what frames, routes, authenticates or describes a message, and keep the rest", () => {
  const dropped =
    "Content-Type: x\r\nAuthorization: y\r\nSet-Cookie: z\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: b\r\n"
  expect(endToEndTrailers(`X-Sum: 1\r\n${dropped}ETag: "e"\r\n`)).toBe('X-Sum: 1\r\nETag: "e"\r\n')
  expect(endToEndTrailers("")).toBe("")
})

describe("a line that we compose", () => {
  test("has the form name, colon, space, value", () => {
    expect(fieldLine("X-A", "b c")).toBe("X-A: b c\r\n")
    expect(fieldLine("X-A", "")).toBe("X-A: \r\n")
  })

  test.each([
    ["X-A", "b\r\nX-B: c"],
    ["X-A", "b\nc"],
    ["X-A", "b\0"],
    ["X-A", "\u0142"],
    ["X-A", " b"],
    ["X-A: b\r\nX-B", "c"],
    ["X A", "b"],
    ["", "b"],
  ])("cannot be split or broken: %j, %j", (name, value) => {
    expect(() => fieldLine(name, value)).toThrow(new Http1Error("bad_field"))
    expect(isFieldName(name) && isFieldValue(value)).toBe(false)
  })
})
