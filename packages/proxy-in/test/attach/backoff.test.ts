// How long to wait before the next try.
import { expect, test } from "vitest"
import { Backoff } from "../../src/attach/backoff.ts"

const range = { firstMs: 200, mostMs: 5000 }

function steps(random: number, count: number): number[] {
  const backoff = new Backoff(range, { now: () => 0, random: () => random })
  return Array.from({ length: count }, () => backoff.next())
}

test("doubles with every try, up to the most", () => {
  expect(steps(1, 8)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000])
})

test("is never less than half of its step", () => {
  expect(steps(0, 6)).toEqual([100, 200, 400, 800, 1600, 2500])
})

test("differs between agents that failed at the same moment", () => {
  expect(steps(0.25, 1)).not.toEqual(steps(0.75, 1))
})

test("stays at the most however long nothing works", () => {
  expect(steps(1, 5000).at(-1)).toBe(5000)
})

test("begins anew after a success", () => {
  const backoff = new Backoff(range, { now: () => 0, random: () => 1 })
  backoff.next()
  backoff.next()
  backoff.reset()
  expect([backoff.attempt, backoff.next()]).toEqual([0, 200])
})
