// HTTP/2 request heads as HTTP/1 heads: what they become, and what has no HTTP/1 form. Whatever node:http2 lets through is looked at
// once more, because a line break in a value would be a field of its own from here on.
import type { RequestHead } from "@restante/protocol"
import { expect, test } from "vitest"
import { requestHeadOf } from "../../../src/ingress/h2/request-head.ts"

const usual = [":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/p?q=%20"]

test("target, order, case of values and duplicates are kept; the authority becomes Host", () => {
  const head = headOf([...usual, "x-b", "One", "x-a", "caf\xe9", "x-b", "two"])
  expect(head).toMatchObject({ method: "GET", target: "/p?q=%20", host: "a.example", body: { kind: "none" } })
  expect(head.fields.raw).toBe("Host: a.example\r\nx-b: One\r\nx-a: caf\xe9\r\nx-b: two\r\n")
})

test("cookie crumbs are one field again, where the first stood", () => {
  const head = headOf([...usual, "w", "0", "cookie", "a=1", "x", "1", "cookie", "b=$&2", "cookie", "c=3"])
  expect(head.fields.raw).toBe("Host: a.example\r\nw: 0\r\ncookie: a=1; b=$&2; c=3\r\nx: 1\r\n")
})

test("without an authority Host says whom it is for; both may stand there when they say the same", () => {
  const [, , , , , , ...path] = usual
  expect(headOf([":method", "GET", ":scheme", "http", ...path, "host", "b.example"]).host).toBe("b.example")
  expect(headOf([...usual, "host", "A.example"]).fields.all("host")).toEqual(["a.example"])
})

test("a body of unknown length is one without Content-Length", () => {
  expect(headOf(usual, false).body).toEqual({ kind: "chunked" })
  expect(headOf([...usual, "content-length", "7"], false).body).toEqual({ kind: "length", length: 7 })
})

test("a WebSocket is asked for with the handshake of HTTP/1 (RFC 8441)", () => {
  const head = headOf(
    [":method", "CONNECT", ":protocol", "websocket", ...usual.slice(2), "sec-websocket-version", "13"],
    false,
  )
  expect(head).toMatchObject({ method: "GET", upgrade: "websocket", body: { kind: "none" } })
  expect(head.fields.get("sec-websocket-key")).toBe("a key")
})

test.each([
  ["a line break in a value", [...usual, "x", "1\r\nHost: evil"]],
  ["a bare line feed in a value", [...usual, "x", "1\nHost: evil"]],
  ["a NUL in a value", [...usual, "x", "1\0"]],
  ["a line break in a name", [...usual, "x\r\nhost", "evil"]],
  ["a colon in a name", [...usual, "transfer-encoding:x", "chunked"]],
  ["a line break in a cookie", [...usual, "cookie", "a\r\nx: y"]],
  [
    "a line break in the path",
    [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/ HTTP/1.1\r\nX: y"],
  ],
  ["a space in the path", [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/a b"]],
  [
    "a whole URL as the path",
    [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "http://evil/"],
  ],
  ["an asterisk for GET", [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "*"]],
  ["no path", [":method", "GET", ":scheme", "https", ":authority", "a"]],
  ["another scheme", [":method", "GET", ":scheme", "file", ":authority", "a", ":path", "/"]],
  ["a line break in the method", [":method", "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", ...usual.slice(2)]],
  [
    "a line break in the authority",
    [":method", "GET", ":scheme", "https", ":authority", "a\r\nX: y", ":path", "/"],
  ],
  [
    "user information in the authority",
    [":method", "GET", ":scheme", "https", ":authority", "a@b", ":path", "/"],
  ],
  ["no authority and no Host", [":method", "GET", ":scheme", "https", ":path", "/"]],
  ["a Host that says something else", [...usual, "host", "b.example"]],
  ["two Hosts", [...usual, "host", "a.example", "host", "a.example"]],
  ["Connection", [...usual, "connection", "x-a"]],
  ["Transfer-Encoding", [...usual, "transfer-encoding", "chunked"]],
  ["Upgrade", [...usual, "upgrade", "websocket"]],
  ["Keep-Alive", [...usual, "keep-alive", "timeout=5"]],
  ["Proxy-Connection", [...usual, "proxy-connection", "close"]],
  ["two Content-Lengths", [...usual, "content-length", "0", "content-length", "0"]],
  ["a Content-Length without a body", [...usual, "content-length", "5"]],
  ["another protocol than WebSocket", [":method", "CONNECT", ":protocol", "connect-udp", ...usual.slice(2)]],
])("%s is refused", (_what, raw) => {
  expect(() => headOf(raw)).toThrow(expect.objectContaining({ name: "Http1Error" }))
})

test("a head that is too large is told so", () => {
  expect(() => headOf([...usual, "x", "y".repeat(70_000)])).toThrow(expect.objectContaining({ status: 431 }))
  const many = Array.from({ length: 260 }, (_, index) => [`x-${index}`, "y"]).flat()
  expect(() => headOf([...usual, ...many])).toThrow(expect.objectContaining({ status: 431 }))
})

function headOf(raw: readonly string[], ended = true): RequestHead {
  return requestHeadOf({ raw, ended, websocketKey: () => "a key" })
}
