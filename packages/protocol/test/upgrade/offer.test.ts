// What of a client's Upgrade goes to the upstream, and which answers are what it asked for.
import { describe, expect, test } from "vitest"
import { parseRequestHead, parseResponseHead } from "../../src/http1/index.ts"
import { isWebSocket, switchesTo, upgradeOffer } from "../../src/upgrade/index.ts"

const asked = (...fields: string[]): string | undefined =>
  upgradeOffer(parseRequestHead(`${["GET / HTTP/1.1", "Host: a", ...fields].join("\r\n")}\r\n\r\n`))

const answered = (offer: string, ...lines: string[]): boolean =>
  switchesTo(offer, parseResponseHead(`${lines.join("\r\n")}\r\n\r\n`, "GET"))

const switching = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"]

describe("the offer", () => {
  test.each([
    ["websocket", "websocket"],
    ["WebSocket", "WebSocket"],
    ["foo/2, bar ,baz", "foo/2, bar ,baz"],
    ["h2c, websocket", "websocket"],
    ["websocket, HTTP/2.0, TLS/1.0, x", "websocket, x"],
    ["web socket, websocket", "websocket"],
    ["h2client", "h2client"],
  ])("of Upgrade: %s is %s", (value, offer) => {
    expect(asked("Connection: keep-alive, Upgrade", `Upgrade: ${value}`)).toBe(offer)
  })

  test.each(["h2c", "H2C", "h2", "h3-29", "HTTP/2.0", "TLS/1.0", "h2c, TLS/1.2", ", ,", "a/b/c"])(
    "of Upgrade: %s is none",
    (value) => {
      expect(asked("Connection: Upgrade", `Upgrade: ${value}`)).toBeUndefined()
    },
  )

  test("is none when Connection does not nominate the field", () => {
    expect(asked("Upgrade: websocket")).toBeUndefined()
  })

  test("is none with a body, behind which alone the client could switch", () => {
    expect(asked("Connection: Upgrade", "Upgrade: websocket", "Content-Length: 1")).toBeUndefined()
    expect(asked("Connection: Upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked")).toBeUndefined()
  })

  test("stands with a body of no bytes", () => {
    expect(asked("Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0")).toBe("websocket")
  })

  test("is none in HTTP/1.0", () => {
    const head = parseRequestHead("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    expect(upgradeOffer(head)).toBeUndefined()
  })
})

describe("an answer switches to what was offered", () => {
  test.each([
    ["websocket", "WEBSOCKET"],
    ["foo, bar", "bar"],
    ["foo, bar", "bar, foo"],
    ["foo", "foo/2"],
    ["foo/2", "FOO/2"],
  ])("%s: %s", (offer, chosen) => {
    expect(answered(offer, ...switching, `Upgrade: ${chosen}`)).toBe(true)
  })

  test.each([
    ["websocket", "secret"],
    ["foo/1", "foo/2"],
    ["foo/1", "foo"],
    ["foo", "foo, bar"],
    ["foo", ","],
  ])("%s: not %s", (offer, chosen) => {
    expect(answered(offer, ...switching, `Upgrade: ${chosen}`)).toBe(false)
  })

  test("not without an Upgrade, and not when Connection does not nominate it", () => {
    expect(answered("foo", ...switching)).toBe(false)
    expect(answered("foo", "HTTP/1.1 101 x", "Upgrade: foo")).toBe(false)
  })

  test("not with another status", () => {
    expect(answered("foo", "HTTP/1.1 200 OK", "Connection: Upgrade", "Upgrade: foo")).toBe(false)
  })
})

test("a WebSocket is known by its name alone, in any case", () => {
  expect(["websocket", " WebSocket ", "websocket/13", "foo"].map(isWebSocket)).toEqual([
    true,
    true,
    false,
    false,
  ])
})
