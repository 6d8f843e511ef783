import { describe, expect, test } from "vitest"
import { formatDurationMs, parseDurationMs } from "../../src/config/durations.ts"

const anyDuration = { leastMs: 0, mostMs: Number.MAX_SAFE_INTEGER }

describe("durations", () => {
  test.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5s", 1500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["24h", 86_400_000],
    ["1d", 86_400_000],
    ["90d", 7_776_000_000],
    ["0", 0],
    ["0s", 0],
  ])("%s are %i milliseconds", (text, durationMs) => {
    expect(parseDurationMs(text, anyDuration)).toBe(durationMs)
  })

  test.each(["", "s", "-5s", "1e3s", "NaNs", "Infinity", "0x10s", "30 s", "1m30s", "５s"])(
    "%j is refused with an example of what is right",
    (text) => {
      expect(() => parseDurationMs(text, anyDuration)).toThrow(/is not a duration.*30s/)
    },
  )

  test("a number without a unit is refused with both readings", () => {
    expect(() => parseDurationMs("30", anyDuration)).toThrow(
      "It needs a unit: 30s for seconds, 30ms for milliseconds.",
    )
  })

  test.each(["30sec", "5min", "30S", "1toString", "1w"])("%j is refused with the units there are", (text) => {
    expect(() => parseDurationMs(text, anyDuration)).toThrow("Units are ms, s, m, h and d")
  })

  test("both ends of a range are allowed, what is beyond is refused with the range", () => {
    const range = { leastMs: 10, mostMs: 120_000 }
    expect(parseDurationMs("10ms", range)).toBe(10)
    expect(parseDurationMs("2m", range)).toBe(120_000)
    expect(() => parseDurationMs("9ms", range)).toThrow('"9ms" is out of range. Give 10ms to 2m.')
    expect(() => parseDurationMs("121s", range)).toThrow("Give 10ms to 2m.")
  })

  test.each([
    [0, "0s"],
    [1, "1ms"],
    [1500, "1500ms"],
    [90_000, "90s"],
    [120_000, "2m"],
    [86_400_000, "24h"],
    [90_000_000, "25h"],
    [172_800_000, "2d"],
  ])("%i milliseconds are written %s", (durationMs, text) => {
    expect(formatDurationMs(durationMs)).toBe(text)
  })
})
