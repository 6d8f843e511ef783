import stringWidth from "string-width"
import { describe, expect, test } from "vitest"
import {
  countText,
  durationText,
  elapsedText,
  rateText,
  sizeText,
  timeText,
} from "../../src/terminal/figures.ts"
import {
  requestFacts,
  requestLine,
  type LineView,
  type RequestFacts,
} from "../../src/terminal/request-line.ts"
import { inColour, plain } from "../../src/terminal/text.ts"

const nowMs = new Date(2026, 10, 21, 14, 3, 11).getTime()

test.each<[Partial<RequestFacts>, string, string]>([
  [{}, "14:03:11 GET     /orders/17", "200   12 ms  1.2 KiB"],
  [{ method: "DELETE" }, "14:03:11 DELETE  /orders/17", "200   12 ms  1.2 KiB"],
  [
    { ending: { kind: "failed", code: "upstream_refused", detail: "" } },
    "14:03:11 GET     /orders/17",
    "upstream_refused   12 ms",
  ],
  [{ ending: { kind: "cancelled" } }, "14:03:11 GET     /orders/17", "client left   12 ms"],
  [{ path: `/${"x".repeat(100)}` }, `14:03:11 GET     /${"x".repeat(42)}…`, "200   12 ms  1.2 KiB"],
])("%j is one line, with the result at the terminal's right", (differences, left, right) => {
  expect(line(differences)).toBe(left.padEnd(82 - right.length) + right)
})

test("with several tunnels the line says which", () => {
  expect(line({ tunnel: "shop" }, { tunnelColumns: 6 })).toMatch(/^14:03:11 shop {3}GET {5}\/orders\/17 /)
})

test("a query is not shown: it may hold a secret", () => {
  const request = {
    exchange: "id",
    method: "GET",
    target: "/login?token=s3cret",
    status: 200,
    startedAt: 0,
    endedAt: 12,
    upstreamMs: 11,
    requestBytes: 0,
    responseBytes: 1234,
  }
  expect(requestFacts("default", request, { kind: "answered", status: 200 }, nowMs).path).toBe("/login?…")
})

test.each([1, 5, 20, 30, 45, 60, 200])("no line is wider than %d columns", (columns) => {
  for (const path of ["/", `/${"日本".repeat(60)}`, `/${"\u0007x".repeat(60)}`]) {
    expect(stringWidth(line({ path }, { columns }))).toBeLessThanOrEqual(columns)
  }
})

test.each([
  [200, 32],
  [304, 36],
  [404, 33],
  [503, 31],
])("status %d has its colour", (status, code) => {
  expect(line({ ending: { kind: "answered", status } }, { paint: inColour })).toContain(
    `\u001B[${code}m${status}\u001B[0m`,
  )
})

describe("figures", () => {
  test.each([
    [0.04, "0.0 ms"],
    [9.94, "9.9 ms"],
    [12.3, "12 ms"],
    [999, "999 ms"],
    [999.6, "1.0 s"],
    [59_900, "59.9 s"],
    [185_000, "3 min"],
  ])("a duration of %d ms is %s", (milliseconds, text) => {
    expect(durationText(milliseconds)).toBe(text)
  })

  test.each([
    [-5, "0 s"],
    [59_999, "59 s"],
    [3_599_000, "59 min"],
    [7_200_000, "2 h"],
    [172_800_000, "2 days"],
  ])("%d ms ago is %s", (milliseconds, text) => {
    expect(elapsedText(milliseconds)).toBe(text)
  })

  test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1_048_575, "1.0 MiB"],
    [35_651_584, "34 MiB"],
    [5_000_000_000_000_000, "4547 TiB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(sizeText(bytes)).toBe(text)
  })

  test.each([
    [0, "0/s"],
    [0.44, "0.4/s"],
    [9312.2, "9,312/s"],
  ])("%d a second is %s", (perSecond, text) => {
    expect(rateText(perSecond)).toBe(text)
  })

  test("counts have their thousands apart", () => {
    expect(countText(1_234_567)).toBe("1,234,567")
  })

  test("a time of another day comes with its date", () => {
    expect(timeText(nowMs - 86_400_000, nowMs)).toBe("2026-11-20 14:03:11")
  })
})

function line(differences: Partial<RequestFacts>, view: Partial<LineView> = {}): string {
  const facts: RequestFacts = {
    at: nowMs,
    tunnel: "default",
    method: "GET",
    path: "/orders/17",
    ending: { kind: "answered", status: 200 },
    durationMs: 12.3,
    responseBytes: 1234,
    ...differences,
  }
  return requestLine(facts, { columns: 82, nowMs, paint: plain, tunnelColumns: 0, ...view })
}
