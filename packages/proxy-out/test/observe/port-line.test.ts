// Lines of the access log about connections and flows of ports.
import { expect, test } from "vitest"
import { portLine } from "../../src/observe/port-line.ts"
import type { RefusedAtPort, SettledPortStream } from "../../src/ports/port-traffic.ts"

const endedAt = Date.UTC(2026, 10, 21, 12, 34, 56, 789)
const place = { kind: "tcp", tunnel: "shop", port: 20_022 } as const
const client = { address: "2001:db8::1", port: 50_000 }
const settled: SettledPortStream = {
  ...{ ...place, client, exchangeId: "abc", attempt: 2, outcome: "broken", code: "upstream_refused" },
  ...{ fromClientBytes: 3, toClientBytes: 7, queueMs: 1.5, totalMs: 20.25 },
}
const refused: RefusedAtPort = { ...place, client, reason: "address_full" }

test("as JSON a connection tells whose it was, what it carried, and how it ended", () => {
  expect(JSON.parse(portLine({ ...settled, endedAt }, "json"))).toEqual({
    time: "2026-11-21T12:34:56.789Z",
    exchange: "abc",
    ...{ client: "2001:db8::1", clientPort: 50_000, kind: "tcp", port: 20_022, tunnel: "shop" },
    ...{ requestBytes: 3, responseBytes: 7, attempt: 2, queueMs: 1.5, totalMs: 20.25 },
    ...{ outcome: "broken", error: "upstream_refused" },
  })
})

test("as JSON a connection that both sides ended has no error", () => {
  const line = portLine({ ...settled, outcome: "closed", code: undefined, endedAt }, "json")
  expect(Object.keys(JSON.parse(line) as object)).not.toContain("error")
})

test("as JSON a refused connection says why", () => {
  expect(JSON.parse(portLine({ ...refused, endedAt }, "json"))).toEqual({
    time: "2026-11-21T12:34:56.789Z",
    ...{ client: "2001:db8::1", clientPort: 50_000, kind: "tcp", port: 20_022, tunnel: "shop" },
    ...{ outcome: "refused", error: "address_full" },
  })
})

test.each([
  [{ ...settled, endedAt }, '"TCP :20022" 502 7'],
  [{ ...settled, outcome: "closed", code: undefined, endedAt } as const, '"TCP :20022" 200 7'],
  [{ ...refused, endedAt }, '"TCP :20022" 503 0'],
])("in the combined form the port stands for the request (%#)", (entry, middle) => {
  expect(portLine(entry, "combined")).toBe(`2001:db8::1 - - [21/Nov/2026:12:34:56 +0000] ${middle} "-" "-"\n`)
})
