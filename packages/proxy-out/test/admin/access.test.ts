// Who counts as this machine.
import { describe, expect, test } from "vitest"
import { AdminAccess } from "../../src/admin/access.ts"
import { TrustedProxies } from "../../src/ingress/trusted-proxies.ts"

const access = new AdminAccess({ token: undefined, clock: { now: () => 0 } })

const headers = { host: "127.0.0.1:8080" }

describe("without a token", () => {
  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])("%s is let in", (remoteAddress) => {
    expect(access.check({ headers, socket: { remoteAddress } })).toEqual({ kind: "granted" })
  })

  test.each(["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8080"])("it may be called %s", (host) => {
    const verdict = access.check({ headers: { host }, socket: { remoteAddress: "127.0.0.1" } })
    expect(verdict).toEqual({ kind: "granted" })
  })

  test.each([
    "edge.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.0.2.1",
    "[::2]",
    "",
    undefined,
  ])("a request for %s is not of this machine: a proxy passed it on, or a browser was led here", (host) => {
    const verdict = access.check({ headers: { host }, socket: { remoteAddress: "127.0.0.1" } })
    expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
  })

  test("a request of HTTP/1.0 is not of this machine: proxies speak it that say nothing of their client", () => {
    const verdict = access.check({ headers, httpVersion: "1.0", socket: { remoteAddress: "127.0.0.1" } })
    expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
  })

  test("an address of --trusted-proxies is a proxy, also when it is this machine's", () => {
    const proxies = new TrustedProxies([{ address: "127.0.0.1", prefixBits: 32 }])
    const behind = new AdminAccess({ token: undefined, clock: { now: () => 0 }, proxies })
    const verdict = behind.check({ headers, socket: { remoteAddress: "127.0.0.1" } })
    expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
  })

  test.each(["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1", "12.7.0.1", undefined])(
    "%s is not",
    (remoteAddress) => {
      const verdict = access.check({ headers, socket: { remoteAddress } })
      expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
    },
  )

  test.each(["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "cf-connecting-ip"])(
    "a request with %s is not of this machine, wherever it comes from",
    (name) => {
      const verdict = access.check({
        headers: { ...headers, [name]: "x" },
        socket: { remoteAddress: "127.0.0.1" },
      })
      expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
    },
  )
})
