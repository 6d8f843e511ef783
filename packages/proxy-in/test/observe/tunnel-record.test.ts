import { pino } from "pino"
import { describe, expect, test } from "vitest"
import type { SettledRequest } from "../../src/observe/settled-request.ts"
import { TunnelRecord } from "../../src/observe/tunnel-record.ts"
import type { ReplayOutcome } from "../../src/upstream/replay.ts"

const answered: ReplayOutcome = { kind: "answered", status: 200 }
const refused: ReplayOutcome = { kind: "failed", code: "upstream_refused", detail: "ECONNREFUSED" }
const overdue: ReplayOutcome = { kind: "failed", code: "upstream_timeout", detail: "head" }

describe("the upstream", () => {
  test("that cannot be reached is told once, with what to do", () => {
    const world = new World()
    for (let time = 0; time < 100; time++) world.record.settled(request(), refused)
    expect(world.lines()).toEqual([
      expect.objectContaining({
        level: 40,
        msg: "upstream down",
        tunnel: "shop",
        upstream: "http://127.0.0.1:3000",
        code: "upstream_refused",
        detail: "ECONNREFUSED",
        remedy: "Nothing listens at http://127.0.0.1:3000: start the server or change --server.",
      }),
    ])
    expect(world.record.upstreamUp).toBe(false)
  })

  test("that serves again is told once, with how long it was away and how many requests failed", () => {
    const world = new World()
    for (let time = 0; time < 3; time++) world.record.settled(request(), refused)
    world.nowMs += 4000
    for (let time = 0; time < 3; time++) world.record.settled(request(), answered)
    expect(world.lines().slice(1)).toEqual([
      expect.objectContaining({ level: 30, msg: "upstream up", tunnel: "shop", downMs: 4000, failed: 3 }),
    ])
    expect(world.record.upstreamUp).toBe(true)
  })

  test("that comes and goes is told every ten seconds at most", () => {
    const world = new World()
    for (let time = 0; time < 100; time++) {
      world.record.settled(request(), refused)
      world.record.settled(request(), answered)
      world.nowMs += 150
    }
    expect(world.lines().map(({ msg }) => msg)).toEqual([
      "upstream down",
      "upstream up",
      "upstream down",
      "upstream up",
    ])
  })
})

describe("a request that fails with the upstream in reach", () => {
  test("is told with its id; more of the same kind are counted and told after ten seconds", () => {
    const world = new World()
    for (let time = 0; time < 5; time++) world.record.settled(request(), overdue)
    world.nowMs += 10_000
    world.record.settled(request(), overdue)
    expect(world.lines()).toEqual([
      expect.objectContaining({ level: 40, msg: "request failed", code: "upstream_timeout", exchange: "id" }),
      expect.objectContaining({ msg: "request failed", notTold: 4 }),
    ])
  })

  test("is told although another kind was told just before", () => {
    const world = new World()
    world.record.settled(request(), overdue)
    world.record.settled(request(), { kind: "failed", code: "upstream_protocol", detail: "bad_status_line" })
    expect(world.lines().map(({ code }) => code)).toEqual(["upstream_timeout", "upstream_protocol"])
  })
})

describe("a connection of a port that fails", () => {
  const port = { method: "TCP", target: "20022", upstream: "127.0.0.1:22", status: 0 }

  test("is told with the option that leads there, and leaves the upstream of requests up", () => {
    const world = new World()
    world.record.settled(request(port), refused)
    expect(world.lines()).toEqual([
      expect.objectContaining({
        level: 40,
        msg: "request failed",
        port: "--tcp 20022",
        remedy: "Nothing listens at 127.0.0.1:22: start the server or change --tcp 20022.",
      }),
    ])
    expect(world.record.upstreamUp).toBe(true)
  })

  test("is told although one of another port was told just before, and each is listed", () => {
    const world = new World()
    world.record.settled(request(port), refused)
    world.record.settled(request({ ...port, target: "auto", upstream: "127.0.0.1:5432" }), refused)
    expect(world.lines().map((line) => line["port"])).toEqual(["--tcp 20022", "--tcp auto"])
    expect(world.record.errors.map(({ message }) => message)).toEqual([
      "upstream_refused ECONNREFUSED at --tcp auto",
      "upstream_refused ECONNREFUSED at --tcp 20022",
    ])
  })
})

describe("request lines", () => {
  test("are in the log at level debug, with times, bytes and the path without its query", () => {
    const world = new World({ level: "debug" })
    world.record.settled(request({ target: "/orders?token=s3cret" }), answered)
    expect(world.lines()).toEqual([
      expect.objectContaining({
        level: 20,
        msg: "request",
        tunnel: "shop",
        exchange: "id",
        method: "GET",
        path: "/orders",
        status: 200,
        outcome: "answered",
        durationMs: 12.346,
        upstreamMs: 9,
        requestBytes: 5,
        responseBytes: 7,
      }),
    ])
    expect(world.logged).not.toContain("s3cret")
  })

  test("are not made at level info", () => {
    const world = new World()
    world.record.settled(request(), answered)
    expect(world.logged).toBe("")
  })

  test("are at level info when that is asked for", () => {
    const world = new World({ logRequests: true })
    world.record.settled(request(), { kind: "cancelled" })
    expect(world.lines()).toEqual([
      expect.objectContaining({ level: 30, msg: "request", outcome: "cancelled" }),
    ])
  })

  test("are handed to who asks for them", () => {
    const seen: string[] = []
    const world = new World({ onRequest: ({ target }, { kind }) => seen.push(`${target} ${kind}`) })
    world.record.settled(request(), answered)
    world.record.settled(request(), refused)
    expect(seen).toEqual(["/orders answered", "/orders failed"])
  })
})

describe("counts", () => {
  test("tell apart what was answered, what failed and what the client gave up", () => {
    const { record } = new World()
    record.settled(request(), answered)
    record.settled(request(), { kind: "answered", status: 503 })
    record.settled(request(), refused)
    record.settled(request(), { kind: "cancelled" })
    expect(record.counts(10_000)).toMatchObject({ served: 2, failed: 1, cancelled: 1 })
    expect([...record.tally.answeredByClass]).toEqual([0, 0, 1, 0, 0, 1])
    expect([...record.tally.failedByCode]).toEqual([["upstream_refused", 1]])
    expect(record.tally).toMatchObject({ requestBytes: 20, responseBytes: 28 })
  })

  test.each([
    [0.5, 0],
    [1, 0],
    [1.1, 1],
    [60_000, 14],
    [60_001, 15],
  ])("an upstream that took %d ms is in class %d", (upstreamMs, at) => {
    const { record } = new World()
    record.settled(request({ upstreamMs }), answered)
    expect([...record.tally.latencies].indexOf(1)).toBe(at)
    expect(record.tally.latencySumMs).toBe(upstreamMs)
  })

  test("a request without an answer is in no class of latency", () => {
    const { record } = new World()
    record.settled(request({ upstreamMs: undefined }), refused)
    expect(record.tally.latencies.every((count) => count === 0)).toBe(true)
  })

  test("the rate is the mean of the last five seconds, and falls to nothing", () => {
    const { record } = new World()
    for (let time = 1000; time < 6000; time += 100) record.settled(request({ endedAt: time }), answered)
    expect(record.counts(5999.9).perSecond).toBeCloseTo(10, 1)
    expect(record.counts(8000).perSecond).toBeCloseTo(5, 1)
    expect(record.counts(12_000).perSecond).toBe(0)
  })
})

describe("last errors", () => {
  test("of the same kind are one entry with a count, the first and the last time", () => {
    const world = new World()
    world.record.settled(request(), refused)
    world.nowMs += 5000
    world.record.settled(request(), refused)
    expect(world.record.errors).toEqual([
      {
        at: startMs + 5000,
        firstAt: startMs,
        count: 2,
        code: "upstream_refused",
        detail: "ECONNREFUSED",
        message: "upstream_refused ECONNREFUSED",
        remedy: "Nothing listens at http://127.0.0.1:3000: start the server or change --server.",
      },
    ])
  })

  test("are newest first, ten at most", () => {
    const { record } = new World()
    for (let error = 0; error < 12; error++) record.linkFailed(`code-${error}`, "", "")
    record.linkFailed("code-5", "", "")
    expect(record.errors.map(({ code }) => code)).toEqual(
      [5, 11, 10, 9, 8, 7, 6, 4, 3, 2].map((error) => `code-${error}`),
    )
  })
})

const startMs = Date.UTC(2026, 10, 21, 14, 3, 11)

class World {
  nowMs = startMs
  logged = ""
  readonly record: TunnelRecord

  constructor({
    level = "info",
    logRequests = false,
    onRequest,
  }: {
    level?: string
    logRequests?: boolean
    onRequest?: (request: SettledRequest, outcome: ReplayOutcome) => void
  } = {}) {
    this.record = new TunnelRecord({
      tunnel: "shop",
      upstream: "http://127.0.0.1:3000",
      log: pino({ level }, { write: (line) => void (this.logged += line) }),
      logRequests,
      onRequest,
      now: () => this.nowMs,
    })
  }

  lines(): Record<string, unknown>[] {
    return this.logged
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

function request(differences: Partial<SettledRequest> = {}): SettledRequest {
  return {
    exchange: "id",
    method: "GET",
    target: "/orders",
    status: 200,
    startedAt: 1000,
    endedAt: 1012.3456,
    upstreamMs: 9,
    requestBytes: 5,
    responseBytes: 7,
    ...differences,
  }
}
