import { expect, test } from "vitest"
import { didYouMean, nearestName } from "../../src/config/nearest.ts"

const names = ["port", "host", "hold", "token-file", "max-queue", "log-level", "data-dir"]

test.each([
  ["prot", "port"],
  ["Port", "port"],
  ["pot", "port"],
  ["tokenfile", "token-file"],
  ["token_file", "token-file"],
  ["toekn-file", "token-file"],
  ["maxqueue", "max-queue"],
  ["loglevel", "log-level"],
  ["log-levle", "log-level"],
])("%s is taken for %s", (typed, meant) => {
  expect(nearestName(typed, names)).toBe(meant)
})

test.each(["", "x", "verbose", "a-much-longer-name-than-any", "constructor"])(
  "%j is near to no name",
  (typed) => {
    expect(nearestName(typed, names)).toBeUndefined()
    expect(didYouMean(typed, names)).toBe("")
  },
)

test("of two near names the nearer one is meant", () => {
  expect(nearestName("holt", ["hold", "bolt-cutter", "halts"])).toBe("hold")
})

test("a very long name costs next to nothing", () => {
  expect(nearestName("x".repeat(1_000_000), names)).toBeUndefined()
})
