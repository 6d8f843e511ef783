// Numbers by tunnel, of which there may not be endlessly many.
import { expect, test } from "vitest"
import { CountsByTunnel } from "../../src/observe/tunnel-counts.ts"

test("the first 50 tunnels have numbers of their own, later ones share one place", () => {
  const counts = new CountsByTunnel()
  const labels = Array.from({ length: 60 }, (_, at) => counts.labelOf(`tunnel-${at}`))
  expect(labels.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, at) => `tunnel-${at}`))
  expect(new Set(labels.slice(50))).toEqual(new Set(["other"]))
  expect([...counts]).toHaveLength(51)
})

test("an observation counts in the place of its bound", () => {
  const { total } = new CountsByTunnel().get("a")
  for (const ms of [0.5, 0.6, 999, 1000, 1_000_000]) total.observe(ms)
  expect([...total.counts].flatMap((count, place) => (count > 0 ? [[place, count]] : []))).toEqual([
    [0, 1],
    [1, 1],
    [10, 2],
    [17, 1],
  ])
  expect(total.sumMs).toBeCloseTo(1_002_000.1)
})
