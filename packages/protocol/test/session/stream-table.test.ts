// The table of streams, against a Map.
import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check"
import { expect, test } from "vitest"
import { StreamTable } from "@restante/protocol"

const number = oneof(integer({ min: 1, max: 300 }), constantFrom(64, 128, 192, 4_294_967_295, 2 ** 31))
const step = record({ what: constantFrom("set", "delete", "get"), stream: number })

test("holds what a Map would hold, whatever is set and deleted in whatever order", () => {
  assert(
    property(array(step, { maxLength: 400 }), (steps) => {
      const table = new StreamTable<string>()
      const map = new Map<number, string>()
      for (const [index, { what, stream }] of steps.entries()) {
        if (what === "set") {
          table.set(stream, `value ${index}`)
          map.set(stream, `value ${index}`)
        }
        const deleted = what === "delete" ? [table.delete(stream), map.delete(stream)] : [true, true]
        expect(deleted[0]).toBe(deleted[1])
        expect([table.get(stream), table.has(stream)]).toEqual([map.get(stream), map.has(stream)])
      }
      expect(table.size).toBe(map.size)
      expect(table.values().toSorted()).toEqual([...map.values()].toSorted())
    }),
  )
})

test("finds every one of many streams, also those that share a slot", () => {
  const table = new StreamTable<number>()
  const streams = Array.from({ length: 1000 }, (_, index) => 1 + index * 64)
  for (const stream of streams) table.set(stream, stream)
  expect(streams.map((stream) => table.get(stream))).toEqual(streams)
})

test("is empty after clear, and usable", () => {
  const table = new StreamTable<string>()
  table.set(1, "a")
  table.clear()
  table.set(2, "b")
  expect([table.size, table.get(1), table.values()]).toEqual([1, undefined, ["b"]])
})
