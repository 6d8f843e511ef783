// Lines of the access log: what a stranger sends must not make two of one, or a second field of a first.
import { parseRequestHead } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { accessLine } from "../../src/observe/access-line.ts"
import type { AccessEntry, AccessLineOptions } from "../../src/observe/access-line.ts"

const endedAt = Date.UTC(2026, 10, 21, 9, 8, 7, 65)

function line(
  fields: string,
  options: Partial<AccessLineOptions & AccessEntry> & { target?: string } = {},
): string {
  const { target = "/a?token=x", format = "json", query = "keep", ...more } = options
  const request = parseRequestHead(`GET ${target} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`)
  return accessLine(
    {
      endedAt,
      exchangeId: "V1StGXR8",
      clientAddress: "203.0.113.9",
      request,
      status: 200,
      requestBytes: 0,
      responseBytes: 12,
      totalMs: 3.0004,
      ...more,
    },
    { format, query },
  )
}

test("a request that could not be read has its client and its error alone", () => {
  const entry = { request: undefined, status: 400, error: "bad_request" }
  expect(JSON.parse(line("", entry))).toEqual({
    time: "2026-11-21T09:08:07.065Z",
    exchange: "V1StGXR8",
    client: "203.0.113.9",
    status: 400,
    requestBytes: 0,
    responseBytes: 12,
    totalMs: 3,
    error: "bad_request",
  })
  expect(line("", { ...entry, format: "combined" })).toBe(
    '203.0.113.9 - - [21/Nov/2026:09:08:07 +0000] "-" 400 12 "-" "-"\n',
  )
})

describe("json", () => {
  test("says what became of the request, with durations in milliseconds", () => {
    const text = line("Referer: https://b.example/\r\nUser-Agent: curl/8\r\n", {
      tunnel: "shop",
      attempt: 2,
      queueMs: 0.25,
      linkMs: 1,
      upstreamMs: 1234.5678,
    })
    expect(text.endsWith("}\n")).toBe(true)
    expect(JSON.parse(text)).toEqual({
      time: "2026-11-21T09:08:07.065Z",
      exchange: "V1StGXR8",
      client: "203.0.113.9",
      method: "GET",
      target: "/a?token=x",
      host: "a.example",
      status: 200,
      requestBytes: 0,
      responseBytes: 12,
      tunnel: "shop",
      attempt: 2,
      queueMs: 0.25,
      linkMs: 1,
      upstreamMs: 1234.568,
      totalMs: 3,
      referer: "https://b.example/",
      userAgent: "curl/8",
    })
  })

  test("says which error it was", () => {
    expect(JSON.parse(line("", { error: "no_agent" }))).toMatchObject({ error: "no_agent" })
  })

  test("quotes, backslashes, tabs and obs-text come back as they were, on one line", () => {
    const agent = `"\\\t\u00e9\u0080"`
    const text = line(`User-Agent: x${agent}\r\n`)
    expect(text.split("\n")).toHaveLength(2)
    expect(text).toMatch(/^[ -~]+\n$/)
    expect(JSON.parse(text)).toMatchObject({ userAgent: `x${agent}` })
  })
})

describe("combined", () => {
  test("is what web servers write", () => {
    expect(line("Referer: https://b.example/\r\nUser-Agent: curl/8\r\n", { format: "combined" })).toBe(
      '203.0.113.9 - - [21/Nov/2026:09:08:07 +0000] "GET /a?token=x HTTP/1.1" 200 12 "https://b.example/" "curl/8"\n',
    )
  })

  test("what is not there is a dash", () => {
    expect(line("", { format: "combined" })).toMatch(/ "-" "-"\n$/)
  })

  test("a quote cannot end a field", () => {
    const text = line('User-Agent: x" 200 1 "y\r\n', { format: "combined" })
    expect(text).toContain(String.raw`"x\u0022 200 1 \u0022y"`)
  })
})

test.each(["json", "combined"] as const)("%s never holds Authorization or Cookie", (format) => {
  const text = line("Authorization: Bearer s3cret\r\nCookie: sid=s3cret\r\n", { format })
  expect(text).not.toContain("s3cret")
})

test.each(["json", "combined"] as const)("%s leaves the query out when it is told to", (format) => {
  const text = line("", { format, query: "drop" })
  expect([text.includes("/a"), text.includes("token")]).toEqual([true, false])
})

test("a client of HTTP/2 is told from one of HTTP/1 in the combined format", () => {
  expect(line("", { format: "combined", protocol: "h2" })).toContain('"GET /a?token=x HTTP/2.0"')
})
