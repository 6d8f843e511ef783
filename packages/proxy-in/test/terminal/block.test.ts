import stringWidth from "string-width"
import { describe, expect, test } from "vitest"
import type { LinkState, ProgramStatus } from "../../src/status/status.ts"
import { blockLines, type BlockView } from "../../src/terminal/block.ts"
import { inColour, plain } from "../../src/terminal/text.ts"
import { errorOf, programStatusOf, statusOf } from "../status/statuses.ts"

const nowMs = new Date(2026, 10, 21, 14, 3, 11).getTime()

test("one tunnel is a few calm lines", () => {
  const status = statusOf({
    link: { kind: "connected", since: nowMs - 200_000 },
    carriedOn: "websocket",
    roundTripMs: 12.4,
    requests: { active: 2, served: 1200, failed: 3, cancelled: 1, perSecond: 41.4 },
    lastErrors: [errorOf({ at: nowMs - 1000, count: 12 })],
  })
  expect(block(programStatusOf(status)).join("\n")).toBe(
    `
────────────────────────────────────────────────────────────────────────────────
Restante 1.2.3                                                      Ctrl-C stops
Edge      http://edge.example
Link      ● attached for 3 min · websocket · round trip 12 ms
Tunnel    default → http://127.0.0.1:3000
Requests  1,204 total · 2 active · 3 failed · 41/s
Status    http://127.0.0.1:8081/
Errors    14:03:10 upstream_refused ECONNREFUSED ×12
          Nothing listens at http://127.0.0.1:3000: start the server or change
          --server.`.trimStart(),
  )
})

test("several tunnels are a line each, with their own state", () => {
  const shop = statusOf({
    tunnel: "shop",
    link: { kind: "connected", since: nowMs - 5000 },
    carriedOn: "poll",
    lastErrors: [errorOf({ at: nowMs - 5000 })],
  })
  const blog = statusOf({ tunnel: "b", upstream: "unix:/run/b.sock", upstreamUp: false })
  expect(block(programStatusOf(shop, blog), { columns: 110 }).slice(2)).toEqual([
    "Edge      http://edge.example",
    "Tunnels   ● shop → http://127.0.0.1:3000                 0 total · 0 active · 0 failed · 0/s · attached for 5…",
    "          ● b    → unix:/run/b.sock (cannot be reached)  0 total · 0 active · 0 failed · 0/s · connecting",
    "Status    http://127.0.0.1:8081/",
    "Errors    14:03:06 upstream_refused ECONNREFUSED (shop)",
    "          Nothing listens at http://127.0.0.1:3000: start the server or change --server.",
  ])
})

describe("the link", () => {
  test.each<[LinkState, string]>([
    [{ kind: "connecting" }, "● connecting"],
    [{ kind: "connected", since: nowMs - 26 * 3_600_000 }, "● attached for 26 h · no transport"],
    [
      { kind: "reconnecting", attempt: 4, retryAt: nowMs + 2100, reason: "Check the port." },
      "● reconnecting, attempt 4, the next one in 3 s",
    ],
    [{ kind: "reconnecting", attempt: 1, retryAt: nowMs, reason: "x" }, "● reconnecting, attempt 1"],
    [{ kind: "stopping" }, "● stopping: what runs may finish; Ctrl-C again stops at once"],
    [{ kind: "stopped" }, "● stopped"],
  ])("%j is said in words", (link, words) => {
    expect(block(programStatusOf(statusOf({ link })))[3]).toBe(`Link      ${words}`)
  })

  test("that is broken says why and what to do", () => {
    const link = { kind: "reconnecting", attempt: 4, retryAt: nowMs, reason: "Check the port." } as const
    expect(block(programStatusOf(statusOf({ link })))).toContain("          Check the port.")
  })
})

describe("whatever the status", () => {
  const nasty = `日本語のとても長い名前${"👩‍👩‍👧".repeat(30)}\u001B[2J\u202Eevil\n`
  const full = statusOf({
    edge: nasty,
    upstream: nasty,
    link: { kind: "reconnecting", attempt: 1, retryAt: nowMs, reason: nasty },
    lastErrors: [errorOf({ message: nasty, remedy: nasty })],
  })

  test.each([1, 2, 9, 10, 11, 20, 40, 79, 200])("no line is wider than %d columns", (columns) => {
    for (const status of [programStatusOf(full), programStatusOf(full, full, full)]) {
      const widths = block(status, { columns }).map((line) => stringWidth(line))
      expect(Math.max(...widths)).toBeLessThanOrEqual(columns)
    }
  })

  test.each([0, 1, 3, 8, 20])("there are at most %d lines", (rows) => {
    const many = Array.from({ length: 50 }, (_, at) => statusOf({ ...full, tunnel: `t-${at}` }))
    expect(block(programStatusOf(full, ...many), { rows }).length).toBeLessThanOrEqual(rows)
  })

  test("tunnels that have no room are counted", () => {
    const many = Array.from({ length: 49 }, (_, at) => statusOf({ tunnel: `t-${at}` }))
    expect(block(programStatusOf(statusOf(), ...many), { rows: 16 }).join("\n")).toContain(
      "… and 41 more tunnels",
    )
  })

  test("the terminal gets no orders from it", () => {
    const text = block(programStatusOf(full), { columns: 400 }).join("")
    expect(text).not.toMatch(/[\p{Cc}\p{Bidi_C}]/u)
  })

  test("colours change no width", () => {
    const coloured = block(programStatusOf(full), { paint: inColour })
    expect(coloured.map((line) => stringWidth(line))).toEqual(
      block(programStatusOf(full)).map((line) => stringWidth(line)),
    )
    expect(coloured.join("")).toContain("\u001B[31m")
  })
})

function block(status: ProgramStatus, differences: Partial<BlockView> = {}): readonly string[] {
  return blockLines(status, {
    columns: 80,
    rows: 20,
    nowMs,
    paint: plain,
    version: "1.2.3",
    pageUrl: "http://127.0.0.1:8081/",
    ...differences,
  })
}
