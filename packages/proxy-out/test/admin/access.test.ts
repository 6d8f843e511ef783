// Who counts as this machine.
import { describe, expect, test } from "vitest"
import { AdminAccess } from "../../src/admin/access.ts"

const access = new AdminAccess({ token: undefined, clock: { now: () => 0 } })

describe("without a token", () => {
  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])("%s is let in", (remoteAddress) => {
    expect(access.check({ headers: {}, socket: { remoteAddress } })).toEqual({ kind: "granted" })
  })

  test.each(["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1", "12.7.0.1", undefined])(
    "%s is not",
    (remoteAddress) => {
      const verdict = access.check({ headers: {}, socket: { remoteAddress } })
      expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
    },
  )

  test.each(["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "cf-connecting-ip"])(
    "a request with %s is not of this machine, wherever it comes from",
    (name) => {
      const verdict = access.check({ headers: { [name]: "x" }, socket: { remoteAddress: "127.0.0.1" } })
      expect(verdict).toEqual({ kind: "refused", tokenKnown: false })
    },
  )
})
