// One seed for every random test: RESTANTE_SEED repeats a run, otherwise it is 1 so that a red run is red again.
export const seed: number = Number(process.env["RESTANTE_SEED"] ?? 1) | 0

/** A small, fast generator (mulberry32): whole numbers from 0 to `below` - 1. */
export function randomIntegers(startSeed: number = seed): (below: number) => number {
  let state = startSeed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below)
  }
}
