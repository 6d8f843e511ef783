// What a person is told when the edge cannot be used.
import { WireError } from "@restante/protocol"
import { expect, test } from "vitest"
import { LinkError, linkErrorTable } from "../../src/attach/link-error.ts"
import type { LinkErrorCode } from "../../src/attach/link-error.ts"

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 192.0.2.1:443`), { code })
}

const translations: readonly [string, LinkErrorCode][] = [
  ["ENOTFOUND", "name_not_found"],
  ["EAI_AGAIN", "name_not_found"],
  ["ECONNREFUSED", "refused"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EACCES", "unreachable"],
  ["ETIMEDOUT", "timeout"],
  ["UND_ERR_CONNECT_TIMEOUT", "timeout"],
  ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
  ["HPE_INVALID_CONSTANT", "not_restante"],
  ["HPE_INVALID_HEADER_TOKEN", "not_restante"],
  ["EPROTO", "tls"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "tls"],
  ["CERT_HAS_EXPIRED", "tls"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tls_not_spoken"],
  ["ECONNRESET", "closed"],
  ["EPIPE", "closed"],
  ["UND_ERR_SOCKET", "closed"],
]

test.each(translations)("the system's %s is told as %s", (code, expected) => {
  expect(LinkError.from(systemError(code)).code).toBe(expected)
})

test("an error is found behind the one that hides it", () => {
  const hidden = new TypeError("fetch failed", {
    cause: new Error("wrapped", { cause: systemError("ENOTFOUND") }),
  })
  expect(LinkError.from(hidden).code).toBe("name_not_found")
})

test("of several addresses that all failed the first speaks for all", () => {
  const all = new AggregateError([systemError("ECONNREFUSED"), systemError("ENETUNREACH")])
  expect(LinkError.from(all).code).toBe("refused")
})

test("an error that hides itself does not hang the agent", () => {
  const loop = new Error("loop")
  loop.cause = loop
  expect(LinkError.from(loop).code).toBe("closed")
})

test("what nobody knows is a lost connection", () => {
  expect([LinkError.from("a string"), LinkError.from(undefined)].map(({ code }) => code)).toEqual([
    "closed",
    "closed",
  ])
})

test("bytes of another program are not an edge's", () => {
  expect(LinkError.from(new WireError("not_restante")).code).toBe("not_restante")
})

test("an answer that was cut on its way is a lost connection", () => {
  expect(LinkError.from(new WireError("message_truncated")).code).toBe("closed")
})

test.each(["version_unsupported", "message_size", "frame_malformed"] as const)(
  "an edge's answer that is wrong (%s) ends the session",
  (code) => {
    expect(LinkError.from(new WireError(code)).code).toBe("session_over")
  },
)

test("what was translated stays as it is", () => {
  const error = new LinkError("token")
  expect(LinkError.from(error)).toBe(error)
})

test("the detail goes to the log with the words, the cause beside them", () => {
  const cause = systemError("ECONNREFUSED")
  const error = LinkError.from(cause)
  expect([error.message, error.cause]).toEqual([`${linkErrorTable.refused} (ECONNREFUSED)`, cause])
})

test("every code is told in a sentence that says what to do or what happened", () => {
  for (const words of Object.values(linkErrorTable)) expect(words).toMatch(/^[A-Z][^]*\.$/)
})
