// The fuzzer notices what is wrong: one that cannot fail would prove nothing.
import { expect, test } from "vitest"
import { startNearPair } from "../support/near-pair.ts"
import { fuzz } from "./fuzz.ts"
import { type Sabotage, startSaboteur } from "./saboteur.ts"
import { FuzzUpstream } from "./upstream.ts"

/** Does it from the hundredth time on: something that happens seldom. */
function seldom(spoil: Sabotage): Sabotage {
  let times = 0
  return (bytes) => (++times >= 100 ? spoil(bytes) : bytes)
}

test.each<[what: string, spoil: Sabotage, message: RegExp]>([
  ["another byte in an answer", flipped, /client, exchange \d+|not within/],
  ["a byte that is lost", (bytes) => bytes.subarray(0, -1), /client, exchange \d+|ended in order|not within/],
  ["an answer that comes twice", (bytes) => Buffer.concat([bytes, bytes]), /client|nobody asked|not within/],
  [
    "an end that looks orderly before the answer is whole",
    () => undefined,
    /ended in order|ended behind|the connection ended/,
  ],
])("%s", { timeout: 120_000 }, async (_what, spoil, message) => {
  await using upstream = new FuzzUpstream()
  await using pair = await startNearPair({ upstreamPort: await upstream.start() })
  await using saboteur = await startSaboteur(pair.port, seldom(spoil))
  const run = fuzz({
    stage: { port: saboteur.port, upstream, sceneLimitMs: 3000 },
    seed: 1,
    lanes: 1,
    anyWrong: true,
    enough: (played) => played > 5000,
  })
  await expect(run).rejects.toThrow(message)
})

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes)
  other[other.length - 1]! ^= 1
  return other
}
