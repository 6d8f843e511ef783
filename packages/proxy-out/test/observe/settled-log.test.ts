// The log's lines about requests, also in a flood.
import { pino } from "pino"
import { expect, test } from "vitest"
import { SettledLog } from "../../src/observe/settled-log.ts"
import type { SettledExchange } from "../../src/observe/settled-exchange.ts"

interface Line {
  readonly level: number
  readonly msg: string
  readonly requests?: number
}

function stand(level: string): { readonly log: SettledLog; readonly lines: Line[]; time: number } {
  const lines: Line[] = []
  const world = { time: 1000, lines, log: undefined as unknown as SettledLog }
  const log = pino(
    { level, base: null, timestamp: false },
    { write: (line) => void lines.push(JSON.parse(line) as Line) },
  )
  world.log = new SettledLog(log, { now: () => world.time })
  return world
}

const exchange = {
  ticket: { id: "x1", tunnel: "shop", attempt: 2 },
  status: 0,
  totalMs: 12.6,
} as unknown as SettledExchange

test("a request that failed is told with its exchange, tunnel, code, attempt and duration", () => {
  const world = stand("info")
  world.log.settled(exchange, "no_agent")
  expect(world.lines).toEqual([
    {
      level: 40,
      exchange: "x1",
      tunnel: "shop",
      attempt: 2,
      durationMs: 13,
      code: "no_agent",
      msg: "request failed",
    },
  ])
})

test("a request that was answered is told at debug only", () => {
  const [quiet, chatty] = [stand("info"), stand("debug")]
  for (const { log } of [quiet, chatty]) log.settled(exchange, "answered")
  expect([quiet.lines.length, chatty.lines.map(({ level }) => level)]).toEqual([0, [20]])
})

test("of a flood of failures ten a second are told, and then how many more there were", () => {
  const world = stand("info")
  for (let count = 0; count < 500; count++) world.log.settled(exchange, "queue_full")
  expect(world.lines).toHaveLength(10)
  world.time += 1000
  world.log.settled(exchange, "queue_full")
  expect(world.lines.slice(10).map(({ msg, requests }) => [msg, requests])).toEqual([
    ["more requests failed", 490],
    ["request failed", undefined],
  ])
})
