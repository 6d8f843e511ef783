// Reads and writes durations as people type them: `500ms`, `30s`, `2m`, `1h`, `90d`.
import { CommandError, shown } from "./command-error.ts"

const unitMs: ReadonlyMap<string, number> = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
])

/** Range of a duration, in milliseconds, both ends allowed. */
export interface DurationRange {
  readonly leastMs: number
  readonly mostMs: number
}

/**
 * A duration in whole milliseconds. Raises `CommandError("usage")` without a unit, with an unknown one, or out of range.
 * `0` needs no unit.
 */
export function parseDurationMs(text: string, range: DurationRange): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)([a-z]*)$/i.exec(text.trim())
  const [, digits, unit] = match ?? []
  if (digits === undefined || unit === undefined) {
    throw new CommandError(
      "usage",
      `${shown(text)} is not a duration. Write a number and a unit, as in ${examples}.`,
    )
  }
  const amount = Number(digits)
  const factor = unitMs.get(unit)
  if (factor === undefined && !(unit === "" && amount === 0)) {
    const remedy =
      unit === ""
        ? `It needs a unit: ${digits}s for seconds, ${digits}ms for milliseconds.`
        : `Units are ms, s, m, h and d, as in ${examples}.`
    throw new CommandError("usage", `${shown(text)} is not a duration. ${remedy}`)
  }
  const durationMs = Math.round(amount * (factor ?? 0))
  if (durationMs < range.leastMs || durationMs > range.mostMs) {
    throw new CommandError(
      "usage",
      `${shown(text)} is out of range. Give ${formatDurationMs(range.leastMs)} to ${formatDurationMs(range.mostMs)}.`,
    )
  }
  return durationMs
}

/** The shortest exact way to write it: 90000 gives "90s", 120000 gives "2m"; a single day is written "24h". */
export function formatDurationMs(durationMs: number): string {
  for (const [unit, factor] of unitMs) {
    if (durationMs === factor && unit === "d") continue
    if (durationMs !== 0 && durationMs % factor === 0) return `${durationMs / factor}${unit}`
  }
  return "0s"
}

const examples = "500ms, 30s or 2m"
