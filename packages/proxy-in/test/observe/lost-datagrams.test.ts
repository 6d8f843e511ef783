import { pino } from "pino"
import { expect, test } from "vitest"
import type { SettledRequest } from "../../src/observe/settled-request.ts"
import { TunnelRecord } from "../../src/observe/tunnel-record.ts"

test("a UDP port where nobody listens is told once, with the option that leads there and what to do", () => {
  const world = new World()
  for (let time = 0; time < 100; time++) world.lost.refused(flow("20053"), "ECONNREFUSED")
  expect(world.lines()).toEqual([
    expect.objectContaining({
      level: 40,
      msg: "upstream down",
      tunnel: "shop",
      port: "--udp 20053",
      upstream: "127.0.0.1:53",
      code: "upstream_refused",
      detail: "ECONNREFUSED",
      remedy: "Nothing listens at 127.0.0.1:53: start the server or change --udp 20053.",
    }),
  ])
})

test("each port has its own line, and its own count", () => {
  const world = new World()
  for (const name of ["20053", "auto", "20053"]) world.lost.refused(flow(name), "ECONNREFUSED")
  expect(world.lines().map(({ port }) => port)).toEqual(["--udp 20053", "--udp auto"])
  expect(world.record.counters.refusedDatagrams).toEqual({ "20053": 2, auto: 1 })
})

test("datagrams that had no room are counted by port, and told to nobody", () => {
  const world = new World()
  for (const [name, count] of [
    ["20053", 2],
    ["auto", 16],
    ["20053", 1],
  ] as const)
    world.lost.dropped(flow(name), count)
  expect(world.record.counters.droppedDatagrams).toEqual({ "20053": 3, auto: 16 })
  expect(world.lines()).toEqual([])
})

test("every refusal counts in the list of last errors", () => {
  const world = new World()
  for (let time = 0; time < 3; time++) world.lost.refused(flow("20053"), "ECONNREFUSED")
  expect(world.record.errors).toMatchObject([
    { count: 3, message: "upstream_refused ECONNREFUSED at --udp 20053" },
  ])
})

test("the upstream of requests stays up", () => {
  const world = new World()
  world.lost.refused(flow("20053"), "ECONNREFUSED")
  expect(world.record.upstreamUp).toBe(true)
})

test("an answer after refusals is told once, with how long it was and how many were lost", () => {
  const world = new World()
  for (let time = 0; time < 3; time++) world.lost.refused(flow("20053"), "ECONNREFUSED")
  world.nowMs += 4000
  for (let time = 0; time < 3; time++) world.lost.heard(flow("20053"))
  expect(world.lines().slice(1)).toEqual([
    expect.objectContaining({
      level: 30,
      msg: "upstream up",
      port: "--udp 20053",
      upstream: "127.0.0.1:53",
      downMs: 4000,
      failed: 3,
    }),
  ])
})

test("an answer from a port that was never refused is told to nobody", () => {
  const world = new World()
  world.lost.refused(flow("20053"), "ECONNREFUSED")
  world.lost.heard(flow("auto"))
  expect(world.lines().map(({ msg }) => msg)).toEqual(["upstream down"])
})

test("a server that comes and goes is told every ten seconds at most", () => {
  const world = new World()
  for (let time = 0; time < 100; time++) {
    world.lost.refused(flow("20053"), "ECONNREFUSED")
    world.lost.heard(flow("20053"))
    world.nowMs += 150
  }
  expect(world.lines().map(({ msg }) => msg)).toEqual([
    "upstream down",
    "upstream up",
    "upstream down",
    "upstream up",
  ])
})

class World {
  nowMs = Date.UTC(2026, 10, 21, 14, 3, 11)
  #logged = ""
  readonly record = new TunnelRecord({
    tunnel: "shop",
    upstream: "http://127.0.0.1:3000",
    log: pino({}, { write: (line) => void (this.#logged += line) }),
    logRequests: false,
    onRequest: undefined,
    now: () => this.nowMs,
  })
  readonly lost = this.record.lost

  lines(): Record<string, unknown>[] {
    return this.#logged
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

function flow(target: string): SettledRequest {
  return {
    exchange: "id",
    method: "UDP",
    target,
    status: 0,
    startedAt: 1000,
    endedAt: 0,
    upstreamMs: undefined,
    upstream: "127.0.0.1:53",
    requestBytes: 0,
    responseBytes: 0,
  }
}
