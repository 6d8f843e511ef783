// Finds the name that a person most likely meant.

/** The candidate nearest to `typed`, or undefined when none is near enough to be worth a guess. Case and `_` for `-` do not count. */
export function nearestName(typed: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(typed)
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate))
    // A third of the letters may be wrong, and one letter always.
    if (distance <= Math.max(1, Math.floor(candidate.length / 3)) && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** ` Did you mean X?`, or nothing when no name is near. */
export function didYouMean(typed: string, candidates: Iterable<string>, prefix = ""): string {
  const nearest = nearestName(typed, candidates)
  return nearest === undefined ? "" : ` Did you mean ${prefix}${nearest}?`
}

/** Letters to insert, delete, replace or swap with their neighbour to turn one into the other. */
function editDistance(from: string, to: string): number {
  // Typed names are short; a long value is cut so that it cannot cost time.
  const a = from.slice(0, 64)
  const b = to.slice(0, 64)
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let distance = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1)
      }
      current.push(distance)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "-")
}
