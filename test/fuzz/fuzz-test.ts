// One half of the fuzzer's run in the test suite: fifty thousand exchanges, always the same ones.
import { expect, test } from "vitest"
import type { Transport } from "../support/pair.ts"
import { startNearPair } from "../support/near-pair.ts"
import { fuzz } from "./fuzz.ts"
import { FuzzUpstream } from "./upstream.ts"

const wanted = 50_000

export function fuzzTest({
  seed,
  transport,
}: {
  readonly seed: number
  readonly transport: Transport
}): void {
  test(
    `fifty thousand exchanges over ${transport}, every byte as it should be`,
    { timeout: 600_000 },
    async () => {
      await using upstream = new FuzzUpstream()
      await using pair = await startNearPair({ upstreamPort: await upstream.start(), agent: { transport } })
      const exchanges = await fuzz({
        stage: { port: pair.port, upstream },
        seed,
        lanes: 4,
        enough: (played) => played >= wanted,
      })
      expect(exchanges).toBeGreaterThanOrEqual(wanted)
    },
  )
}
