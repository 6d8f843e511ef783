// Ranges of ports: what an operator opens to agents, and what a token allows. Small lists of small ranges, looked through as they are.
export interface PortRange {
  readonly first: number
  /** Not below `first`. */
  readonly last: number
}

/** `N` or `FIRST-LAST`, each 1 to 65535; undefined for anything else. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const first = Number(from)
  const last = Number(to)
  return from !== "" && first >= 1 && first <= last && last <= 65_535 ? { first, last } : undefined
}

export function inRanges(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ first, last }) => first <= port && port <= last)
}

/** As people write it: `20000-20999, 21500`. */
export function rangesText(ranges: readonly PortRange[]): string {
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(", ")
}

/** How many ports there are. A port that two ranges have counts twice. */
export function countOf(ranges: readonly PortRange[]): number {
  return ranges.reduce((count, { first, last }) => count + last - first + 1, 0)
}

/** All of them, once around, beginning with the one at `start` (from 0). */
export function* portsFrom(ranges: readonly PortRange[], start: number): Generator<number> {
  const count = countOf(ranges)
  for (let offset = 0; offset < count; offset++) yield portAt(ranges, (start + offset) % count)
}

function portAt(ranges: readonly PortRange[], index: number): number {
  let left = index
  for (const { first, last } of ranges) {
    const count = last - first + 1
    if (left < count) return first + left
    left -= count
  }
  throw new RangeError(`${index} of ${countOf(ranges)} ports`)
}
