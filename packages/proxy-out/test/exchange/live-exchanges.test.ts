// The list of what is not over, and of what waits too long for a response.
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { LiveExchanges } from "../../src/exchange/live-exchanges.ts"
import type { LiveEntry } from "../../src/exchange/live-exchanges.ts"

class Entry implements LiveEntry {
  before: this | undefined
  after: this | undefined
  overdueAt = Number.POSITIVE_INFINITY
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

function recorded(timeoutMs = 1000): { live: LiveExchanges<Entry>; overdue: string[] } {
  const overdue: string[] = []
  const live = new LiveExchanges<Entry>({
    timeoutMs,
    clock: { now: () => Date.now() },
    onOverdue: ({ name }) => overdue.push(name),
  })
  return { live, overdue }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
})

afterEach(() => {
  vi.useRealTimers()
})

test("those in the middle and at both ends can go, the others stay in order", () => {
  const { live } = recorded()
  const [a, b, c, d] = [new Entry("a"), new Entry("b"), new Entry("c"), new Entry("d")]
  for (const entry of [a, b, c, d]) live.add(entry)
  live.delete(b)
  live.delete(a)
  live.delete(d)
  expect([[...live].map(({ name }) => name), live.size]).toEqual([["c"], 1])
})

test("what has gone points to nobody, so that nothing keeps it or is kept by it", () => {
  const { live } = recorded()
  const [a, b, c] = [new Entry("a"), new Entry("b"), new Entry("c")]
  for (const entry of [a, b, c]) live.add(entry)
  live.delete(b)
  expect([b.before, b.after]).toEqual([undefined, undefined])
})

test("an awaited response is overdue once, not before its time and at most a twentieth late", () => {
  const { live, overdue } = recorded(1000)
  const entry = new Entry("a")
  live.add(entry)
  live.await(entry)
  vi.advanceTimersByTime(999)
  const early = [...overdue]
  vi.advanceTimersByTime(51)
  const due = [...overdue]
  vi.advanceTimersByTime(5000)
  expect([early, due, overdue]).toEqual([[], ["a"], ["a"]])
})

test("one whose response has come, or that has gone, is not overdue", () => {
  const { live, overdue } = recorded()
  const [a, b] = [new Entry("a"), new Entry("b")]
  for (const entry of [a, b]) {
    live.add(entry)
    live.await(entry)
  }
  live.awaitNothing(a)
  live.delete(b)
  vi.advanceTimersByTime(5000)
  expect(overdue).toEqual([])
})

test("a wait that begins anew takes its whole time", () => {
  const { live, overdue } = recorded(1000)
  const entry = new Entry("a")
  live.add(entry)
  live.await(entry)
  vi.advanceTimersByTime(800)
  live.await(entry)
  vi.advanceTimersByTime(800)
  expect(overdue).toEqual([])
})

test("after stop nothing is overdue and no timer is left", () => {
  const { live, overdue } = recorded()
  const entry = new Entry("a")
  live.add(entry)
  live.await(entry)
  live.stop()
  vi.advanceTimersByTime(5000)
  expect([overdue, vi.getTimerCount()]).toEqual([[], 0])
})
