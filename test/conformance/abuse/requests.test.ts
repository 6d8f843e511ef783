// The abuse corpus, requests: each is refused with the right status, or understood in one way by everybody, and leaves nothing
// behind for the next request.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type NearPair, startNearPair } from "../../support/near-pair.ts"
import { chunkCases } from "./chunk-cases.ts"
import { framingCases } from "./framing-cases.ts"
import { clearCases } from "./clear-cases.ts"
import { headCases } from "./head-cases.ts"
import { deliveries, play, type Stage } from "./play.ts"
import { sequenceCases } from "./sequence-cases.ts"
import { Witness } from "./witness.ts"

const witness = new Witness()
const stage = { port: 0, witness } as Stage & { port: number }
let pair: NearPair
beforeAll(async () => {
  pair = await startNearPair({ upstreamPort: await witness.start() })
  stage.port = pair.port
})
afterAll(async () => {
  await pair[Symbol.asyncDispose]()
  await witness[Symbol.asyncDispose]()
})

const groups = {
  framing: framingCases,
  chunks: chunkCases,
  heads: headCases,
  clear: clearCases,
  sequence: sequenceCases,
}
for (const delivery of deliveries)
  describe(`${delivery}:`, () => {
    for (const [group, cases] of Object.entries(groups))
      test.each(cases.map((one) => [one.verdict.kind, one.name, one] as const))(
        `${group}: %s: %s`,
        async (_kind, _name, one) => {
          expect(await play(stage, one, delivery)).toBe("nothing is wrong")
        },
      )
  })
