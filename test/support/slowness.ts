// What a bound in time has to allow for on a machine that has other things to do as well.

/** How many times as long as on an idle machine work takes just now: 1 there, about 4 where three others want the same processor. */
export function slowness(): number {
  const began = performance.now()
  const before = process.cpuUsage()
  let workedMs = 0
  while (workedMs < sampleMs) {
    const { user, system } = process.cpuUsage(before)
    workedMs = (user + system) / 1000
  }
  return Math.max(1, (performance.now() - began) / workedMs)
}

/** Of work. Long enough for others to get their turns. */
const sampleMs = 30
