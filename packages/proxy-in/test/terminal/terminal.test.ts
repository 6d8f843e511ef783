import { pino } from "pino"
import { logDestination } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { SettledRequest } from "../../src/observe/settled-request.ts"
import type { AgentStatus } from "../../src/status/status.ts"
import { canRedraw, Terminal } from "../../src/terminal/terminal.ts"
import type { ReplayOutcome } from "../../src/upstream/replay.ts"
import { programStatusOf, statusOf } from "../status/statuses.ts"
import { Emulator } from "./emulator.ts"

beforeEach(() => {
  vi.useFakeTimers()
  vi.setSystemTime(new Date(2026, 10, 21, 14, 3, 11))
})

afterEach(() => {
  vi.useRealTimers()
})

describe("the screen", () => {
  test("has the block at the bottom, and what is said scrolls by above it", () => {
    const seen = new Seen()
    seen.log("attached")
    seen.request("/orders")
    seen.pass(250)
    expect(seen.screen.text).toMatch(
      /^14:03:11 info {2}attached\n14:03:11 GET {5}\/orders +200 .*\n─+\nRestante 1\.2\.3/,
    )
    expect(seen.screen.text.match(/Restante 1\.2\.3/g)).toHaveLength(1)
  })

  test("is one write per change, whatever has come together", () => {
    const seen = new Seen()
    const before = seen.screen.writes.length
    for (let line = 0; line < 5; line++) seen.log(`event ${line}`)
    seen.request("/a")
    seen.pass(250)
    expect(seen.screen.writes.length - before).toBeLessThanOrEqual(2)
  })

  test("is left alone while nothing changes", () => {
    const seen = new Seen()
    const before = seen.screen.writes.length
    seen.pass(10_000)
    expect(seen.screen.writes).toHaveLength(before)
  })

  test("is drawn four times a second at most, at any load", () => {
    const seen = new Seen()
    const before = seen.screen.writes.length
    for (let step = 0; step < 1000; step++) {
      seen.served += 10
      for (let time = 0; time < 10; time++) seen.request("/a")
      seen.pass(1)
    }
    expect(seen.screen.writes.length - before).toBeLessThanOrEqual(4)
  })

  test("shows the first ten requests of a second and says how many there were besides", () => {
    const seen = new Seen()
    for (let time = 0; time < 9322; time++) seen.request(`/${time}`)
    seen.pass(1250)
    const lines = seen.screen.text.split("\n").filter((line) => line.includes("GET"))
    expect(lines.map((line) => /\/(\d+)/.exec(line)?.[1])).toEqual([
      "0",
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
      "8",
      "9",
    ])
    expect(seen.screen.text).toContain("… 9,312 more")
  })

  test("follows the window's width", () => {
    const seen = new Seen({ upstream: `http://${"long-".repeat(20)}name:3000` })
    seen.screen.columns = 40
    seen.served++
    seen.pass(250)
    expect(lastBlock(seen).every((line) => line.length <= 40)).toBe(true)
  })

  test("keeps the last state when all is over", () => {
    const seen = new Seen()
    seen.status = statusOf({ link: { kind: "stopped" } })
    seen.terminal.stop()
    seen.served++
    seen.pass(1000)
    expect(seen.screen.text).toContain("● stopped")
    expect(seen.screen.text).toContain("0 total")
  })

  test("shows what is said before there is a block at once", () => {
    const screen = new Emulator()
    const terminal = new Terminal({ output: screen, environment: {}, version: "1", now: () => Date.now() })
    terminal.log.write("first words\n")
    expect(screen.text).toBe("first words\n")
  })
})

describe("colours", () => {
  test("are used by default", () => {
    expect(new Seen().screen.writes.join("")).toContain("\u001B[1mRestante 1.2.3\u001B[0m")
  })

  test("are not used when NO_COLOR is set", () => {
    expect(new Seen({}, { NO_COLOR: "1" }).screen.writes.join("")).not.toContain("\u001B[1m")
  })

  test("are used when NO_COLOR is empty", () => {
    expect(new Seen({}, { NO_COLOR: "" }).screen.writes.join("")).toContain("\u001B[1m")
  })
})

test.each([
  [true, {}, true],
  [true, { TERM: "xterm-256color" }, true],
  [true, { TERM: "dumb" }, false],
  [false, { TERM: "xterm" }, false],
] as const)("the block on a terminal: %j, with %j: %j", (isTerminal, environment, expected) => {
  expect(canRedraw({ isTerminal, columns: 80, write: () => {} }, environment)).toBe(expected)
})

class Seen {
  readonly screen = new Emulator(80, 24)
  readonly terminal: Terminal
  served = 0
  status: AgentStatus | undefined
  readonly #log: pino.Logger

  constructor(differences: Partial<AgentStatus> = {}, environment: Record<string, string> = {}) {
    this.terminal = new Terminal({
      output: this.screen,
      environment,
      version: "1.2.3",
      now: () => Date.now(),
    })
    this.#log = pino({ level: "info", base: {} }, logDestination("pretty", this.terminal.log))
    const status = (): AgentStatus =>
      this.status ??
      statusOf({
        requests: { active: 0, served: this.served, failed: 0, cancelled: 0, perSecond: 0 },
        ...differences,
      })
    this.terminal.start(() => programStatusOf(status()), undefined)
  }

  log(message: string): void {
    this.#log.info(message)
  }

  request(target: string, outcome: ReplayOutcome = { kind: "answered", status: 200 }): void {
    this.terminal.request("default", request(target), outcome)
  }

  pass(milliseconds: number): void {
    vi.advanceTimersByTime(milliseconds)
  }
}

/** The lines of the last write that were not moved or cleared. */
function lastBlock(seen: Seen): string[] {
  const lines = seen.screen.text.split("\n")
  return lines.slice(lines.findLastIndex((line) => line.startsWith("──")))
}

function request(target: string): SettledRequest {
  return {
    exchange: "id",
    method: "GET",
    target,
    status: 200,
    startedAt: 0,
    endedAt: 12,
    upstreamMs: 11,
    requestBytes: 0,
    responseBytes: 1234,
  }
}
