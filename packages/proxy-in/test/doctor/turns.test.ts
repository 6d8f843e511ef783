import { expect, test } from "vitest"
import { Turns } from "../../src/doctor/turns.ts"
import { turns as loops } from "../../../../test/support/turns.ts"

interface Work {
  readonly over: PromiseWithResolvers<string>
  readonly result: Promise<string>
}

/** Five pieces of work, two at a time; `begun` says which have begun, in order. */
function five(): { readonly works: readonly Work[]; readonly begun: number[] } {
  const turns = new Turns(2)
  const begun: number[] = []
  const works = [0, 1, 2, 3, 4].map((index) => {
    const over = Promise.withResolvers<string>()
    const result = turns.take(() => {
      begun.push(index)
      return over.promise
    })
    result.catch(() => undefined)
    return { over, result }
  })
  return { works, begun }
}

test("no more than that many begin, and each that ends lets the next one begin", async () => {
  const { works, begun } = five()
  await loops(2)
  expect(begun).toEqual([0, 1])
  works[1]?.over.resolve("one")
  await loops(2)
  expect(begun).toEqual([0, 1, 2])
})

test("one that fails lets the next one begin, and its error is its own", async () => {
  const { works, begun } = five()
  works[0]?.over.reject(new Error("broken"))
  await expect(works[0]?.result).rejects.toThrow("broken")
  await loops(2)
  expect(begun).toEqual([0, 1, 2])
})

test("what ends when nobody waits leaves its place to who comes later", async () => {
  const turns = new Turns(1)
  await turns.take(() => Promise.resolve())
  expect(await turns.take(() => Promise.resolve("later"))).toBe("later")
})
