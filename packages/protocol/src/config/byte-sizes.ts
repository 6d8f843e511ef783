// Reads and writes numbers of bytes as people type them: `512`, `64KiB`, `1MiB`, `10GB`.
import { CommandError, shown } from "./command-error.ts"

/** From large to small, the powers of 1024 first: what formatByteSize prefers. */
const unitBytes: ReadonlyMap<string, number> = new Map([
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
  ["GB", 1000 ** 3],
  ["MB", 1000 ** 2],
  ["kB", 1000],
  ["KB", 1000],
  ["B", 1],
])

/** Range of a size, in bytes, both ends allowed. */
export interface ByteRange {
  readonly leastBytes: number
  readonly mostBytes: number
}

/** A number of whole bytes; without a unit it is bytes. Raises `CommandError("usage")` with an unknown unit or out of range. */
export function parseByteSize(text: string, range: ByteRange): number {
  const [, digits, unit] = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-z]*)$/i.exec(text.trim()) ?? []
  if (digits === undefined || unit === undefined) {
    throw new CommandError(
      "usage",
      `${shown(text)} is not a size. Write a number and a unit, as in ${examples}.`,
    )
  }
  const factor = unit === "" ? 1 : unitBytes.get(unit)
  const bytes = Number(digits) * (factor ?? Number.NaN)
  if (factor === undefined || !Number.isInteger(bytes)) {
    const remedy =
      factor === undefined
        ? `Units are B, KiB, MiB and GiB (or kB, MB, GB), as in ${examples}.`
        : "It is no whole number of bytes."
    throw new CommandError("usage", `${shown(text)} is not a size. ${remedy}`)
  }
  if (bytes < range.leastBytes || bytes > range.mostBytes) {
    throw new CommandError(
      "usage",
      `${shown(text)} is out of range. Give ${formatByteSize(range.leastBytes)} to ${formatByteSize(range.mostBytes)}.`,
    )
  }
  return bytes
}

/** The shortest exact way to write it: 65536 gives "64KiB", 1500 gives "1500B". */
export function formatByteSize(bytes: number): string {
  for (const [unit, factor] of unitBytes) {
    if (bytes !== 0 && bytes % factor === 0 && (factor % 1024 === 0 || factor === 1))
      return `${bytes / factor}${unit}`
  }
  return "0B"
}

const examples = "512B, 64KiB or 1MiB"
