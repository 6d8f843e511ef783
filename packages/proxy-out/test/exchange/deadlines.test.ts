// Deadlines that all lie the same time ahead.
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { Deadlines } from "../../src/exchange/deadlines.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
})

afterEach(() => {
  vi.useRealTimers()
})

function recorded(afterMs = 100): { readonly deadlines: Deadlines<string>; readonly expired: string[] } {
  const expired: string[] = []
  const deadlines = new Deadlines<string>({
    afterMs,
    clock: { now: () => Date.now() },
    onExpired: (item) => expired.push(item),
  })
  return { deadlines, expired }
}

test("an item expires once, when its time has come", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  vi.advanceTimersByTime(99)
  const early = [...expired]
  vi.advanceTimersByTime(1000)
  expect([early, expired]).toEqual([[], ["a"]])
})

test("items expire each in its own time, in the order in which they were set", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  vi.advanceTimersByTime(60)
  deadlines.set("b")
  vi.advanceTimersByTime(40)
  const first = [...expired]
  vi.advanceTimersByTime(60)
  expect([first, expired]).toEqual([["a"], ["a", "b"]])
})

test("setting an item again starts its time anew", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  vi.advanceTimersByTime(60)
  deadlines.set("a")
  vi.advanceTimersByTime(99)
  const early = [...expired]
  vi.advanceTimersByTime(1)
  expect([early, expired]).toEqual([[], ["a"]])
})

test("an item that is set again does not hold up those behind it", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  deadlines.set("b")
  vi.advanceTimersByTime(60)
  deadlines.set("a")
  vi.advanceTimersByTime(40)
  expect(expired).toEqual(["b"])
})

test("a cleared item does not expire", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  deadlines.clear("a")
  vi.advanceTimersByTime(1000)
  expect([expired, deadlines.size, deadlines.has("a")]).toEqual([[], 0, false])
})

test("an expired item is out of the set when its owner hears of it", () => {
  const seen: boolean[] = []
  const deadlines: Deadlines<string> = new Deadlines({
    afterMs: 100,
    clock: { now: () => Date.now() },
    onExpired: (item) => seen.push(deadlines.has(item)),
  })
  deadlines.set("a")
  vi.advanceTimersByTime(100)
  expect(seen).toEqual([false])
})

test("any number of items needs one timer", () => {
  const { deadlines } = recorded()
  for (let index = 0; index < 1000; index++) deadlines.set(`item ${index}`)
  expect(vi.getTimerCount()).toBe(1)
})

test("items that are set again as they expire still need one timer only", () => {
  const deadlines: Deadlines<string> = new Deadlines({
    afterMs: 100,
    clock: { now: () => Date.now() },
    onExpired: (item) => deadlines.set(item),
  })
  for (const item of ["a", "b", "c"]) deadlines.set(item)
  vi.advanceTimersByTime(1000)
  expect([vi.getTimerCount(), deadlines.size]).toEqual([1, 3])
})

test("a timer that fires late expires all that is due", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  vi.setSystemTime(Date.now() + 50)
  deadlines.set("b")
  vi.setSystemTime(Date.now() + 10_000)
  vi.advanceTimersByTime(100)
  expect(expired).toEqual(["a", "b"])
})

test("after stop nothing expires and no timer is left", () => {
  const { deadlines, expired } = recorded()
  deadlines.set("a")
  deadlines.stop()
  vi.advanceTimersByTime(1000)
  expect([expired, vi.getTimerCount()]).toEqual([[], 0])
})

test("after the time was shortened, what is set new does not wait for what was set before", () => {
  const options = {
    afterMs: 60_000,
    clock: { now: () => Date.now() },
    onExpired: (item: string) => expired.push(item),
  }
  const expired: string[] = []
  const deadlines = new Deadlines<string>(options)
  deadlines.set("old")
  options.afterMs = 1000
  deadlines.set("new")
  vi.advanceTimersByTime(1100)
  const soon = [...expired]
  vi.advanceTimersByTime(60_000)
  expect([soon, expired]).toEqual([["new"], ["new", "old"]])
})
