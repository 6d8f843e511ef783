// Who is believed about its client, and what the upstream is told then.
import { parseFieldBlock } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import {
  continuedForwarding,
  parseAddressRange,
  TrustedProxies,
  type AddressRange,
} from "../../src/ingress/trusted-proxies.ts"

function proxies(...ranges: string[]): TrustedProxies {
  return new TrustedProxies(ranges.map((range) => parseAddressRange(range) as AddressRange))
}

describe("ranges", () => {
  test.each([
    ["10.0.0.0/8", { address: "10.0.0.0", prefixBits: 8 }],
    ["0.0.0.0/0", { address: "0.0.0.0", prefixBits: 0 }],
    ["192.0.2.1", { address: "192.0.2.1", prefixBits: 32 }],
    ["2001:db8::/32", { address: "2001:db8::", prefixBits: 32 }],
    [" ::1 ", { address: "::1", prefixBits: 128 }],
  ])("%s is one", (text, range) => {
    expect(parseAddressRange(text)).toEqual(range)
  })

  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0/8",
    "::1/129",
    "[::1]",
    "a.example",
    "10.0.0.0/8/8",
    "10.0.0.1:80",
  ])("%s is none", (text) => {
    expect(parseAddressRange(text)).toBeUndefined()
  })

  test.each([
    ["10.1.2.3", true],
    ["11.0.0.1", false],
    ["2001:db8:ffff::1", true],
    ["2001:db9::1", false],
    ["unknown", false],
  ])("of a net and of an IPv6 net say of %s: %s", (address, trusted) => {
    expect(proxies("10.0.0.0/8", "2001:db8::/32").trusts(address)).toBe(trusted)
  })
})

describe("the client of a trusted peer", () => {
  test.each([
    ["", "10.0.0.9"],
    ["X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"],
    ["X-Forwarded-For: 203.0.113.7, 10.0.0.1\r\n", "203.0.113.7"],
    ["X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.0.0.1\r\n", "203.0.113.7"],
    ["X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 10.0.0.1\r\n", "203.0.113.7"],
    ["X-Forwarded-For: 10.0.0.2, 10.0.0.1\r\n", "10.0.0.2"],
    ["X-Forwarded-For: 203.0.113.7:4711\r\n", "203.0.113.7"],
    ["X-Forwarded-For: [2001:db8::7]:4711\r\n", "2001:db8::7"],
    ["X-Forwarded-For: 203.0.113.7, _hidden\r\n", "10.0.0.9"],
    ["X-Forwarded-For: 203.0.113.7, <script>\r\n", "10.0.0.9"],
  ])("by %j is %s", (fields, client) => {
    expect(proxies("10.0.0.0/8").clientOf(parseFieldBlock(fields), "10.0.0.9")).toBe(client)
  })
})

describe("what the upstream is told of a trusted peer", () => {
  const told = (fields: string, address = "10.0.0.9", host = "a"): string =>
    continuedForwarding(parseFieldBlock(fields), { address, scheme: "http", host })

  test("that says nothing is the peer itself", () => {
    expect(told("")).toBe("X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n")
  })

  test("that gave no host has no host", () => {
    expect(told("", "10.0.0.9", "")).toBe("X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n")
  })

  test("with an IPv6 address is quoted and in brackets in Forwarded, and bare in X-Forwarded-For", () => {
    expect(told("Forwarded: for=x\r\n", "2001:db8::9", "a:80")).toBe(
      'X-Forwarded-For: 2001:db8::9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a:80\r\nForwarded: for=x, for="[2001:db8::9]";host="a:80";proto=http\r\n',
    )
  })
})
