import { describe, expect, test } from "vitest"
import {
  externalText,
  parseExternal,
  parseHostHeader,
  parseUpstream,
  upstreamText,
} from "../../src/addresses.ts"

const tcp = { kind: "tcp", tls: false, basePath: "", ca: undefined }

describe("the private server's address", () => {
  test.each([
    ["http://127.0.0.1:3000", { ...tcp, host: "127.0.0.1", port: 3000 }],
    ["http://127.0.0.1:3000/", { ...tcp, host: "127.0.0.1", port: 3000 }],
    ["http://intranet", { ...tcp, host: "intranet", port: 80 }],
    ["HTTP://Intranet", { ...tcp, host: "Intranet", port: 80 }],
    ["https://app.internal", { ...tcp, host: "app.internal", port: 443, tls: true }],
    ["https://app_1.internal:8443", { ...tcp, host: "app_1.internal", port: 8443, tls: true }],
    ["http://[::1]:3000", { ...tcp, host: "::1", port: 3000 }],
    ["http://h/a/../b//c%2f/", { ...tcp, host: "h", port: 80, basePath: "/a/../b//c%2f" }],
    ["unix:/run/app.sock", { kind: "unix", path: "/run/app.sock", basePath: "" }],
    ["unix:/run/my app.sock", { kind: "unix", path: "/run/my app.sock", basePath: "" }],
    ["unix:/run/app.sock:/base/", { kind: "unix", path: "/run/app.sock", basePath: "/base" }],
    ["unix:/run/app.sock:/", { kind: "unix", path: "/run/app.sock", basePath: "" }],
  ])("%s is read byte for byte", (text, expected) => {
    expect(parseUpstream(text)).toEqual(expected)
  })

  test.each([
    [
      "127.0.0.1:3000",
      "Begin with http:// or https:// (in HTTP/2: h2c:// or h2://), or unix:, as in http://127.0.0.1:3000",
    ],
    ["localhost", "Begin with http://"],
    ["ftp://host", "Begin with http://"],
    ["ws://host", "Begin with http://"],
    ["http://", "not a URL with a valid host"],
    ["http:///path", "not a URL with a valid host"],
    ["http://ho st", "not a URL with a valid host"],
    ["http://host:port", "not a URL with a valid host"],
    ["http://host:0", "The port in the URL must be from 1 to 65535."],
    ["http://host:65536", "URL"],
    ["http://host\\evil", "not a URL with a valid host"],
    ["http://host/päth", "not a URL with a valid host"],
    ["http://host/a b", "not a URL with a valid host"],
    ["http://host/?query", "Leave out the ? or #"],
    ["http://host/#fragment", "Leave out the ? or #"],
    ["http://ada:pa55word@host/", "Leave out everything up to the @."],
    ["unix:run/app.sock", "Write the socket's whole path"],
    ["unix:", "Write the socket's whole path"],
    ["unix:/run/app.sock:base", "Write the socket's whole path"],
    [`unix:/${"x".repeat(107)}`, "The socket's path is too long: at most 107 bytes."],
  ])("%s is refused, without showing it", (text, reason) => {
    expect(() => parseUpstream(text)).toThrow(reason)
    expect(() => parseUpstream(text)).not.toThrow("pa55word")
  })

  test.each([
    "http://127.0.0.1:3000",
    "http://intranet",
    "https://app.internal:8443/base",
    "http://[::1]:3000",
    "unix:/run/app.sock",
    "unix:/run/app.sock:/base",
  ])("%s is shown as it was written", (text) => {
    expect(upstreamText(parseUpstream(text))).toBe(text)
  })
})

describe("the edge's address", () => {
  test.each([
    "http://edge.example",
    "https://edge.example:8443",
    "http://[2001:db8::1]:8080",
    "https://host/behind/a/path",
  ])("%s is taken and shown as it was written", (text) => {
    expect(externalText(parseExternal(text))).toBe(text)
  })

  test.each([
    ["edge.example", "Begin with http:// or https://, as in https://edge.example"],
    ["wss://edge.example", "Begin with http://"],
    ["unix:/run/edge.sock", "Begin with http://"],
    ["https://token:pa55word@edge.example", "Leave out everything up to the @."],
    ["https://edge.example/?token=pa55word", "Leave out the ? or #"],
    ["https://[::1", "not a URL with a valid host"],
  ])("%s is refused, without showing it", (text, reason) => {
    expect(() => parseExternal(text)).toThrow(reason)
    expect(() => parseExternal(text)).not.toThrow("pa55word")
  })
})

describe("the Host that the private server sees", () => {
  test.each([
    ["preserve", { kind: "preserve" }],
    ["upstream", { kind: "upstream" }],
    ["app.internal", { kind: "value", value: "app.internal" }],
    ["app:8080", { kind: "value", value: "app:8080" }],
    ["localhost", { kind: "value", value: "localhost" }],
    ["[::1]:8080", { kind: "value", value: "[::1]:8080" }],
  ])("%s", (text, expected) => {
    expect(parseHostHeader(text)).toEqual(expected)
  })

  test.each([
    ["upstrem", "Write preserve, upstream, or a host name with a dot or a port, as in upstrem:80."],
    ["Preserve", "Write preserve, upstream, or a host name with a dot or a port"],
    ["http://app.internal", "Write preserve, upstream, or a host as in app.internal"],
    ["app.internal\r\nX-Evil: 1", "Write preserve, upstream, or a host as in app.internal"],
    ["a b", "Write preserve, upstream, or a host as in app.internal"],
  ])("%j is refused", (text, reason) => {
    expect(() => parseHostHeader(text)).toThrow(reason)
  })
})
