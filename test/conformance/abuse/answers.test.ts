// The abuse corpus, answers: what a broken or hostile private server says reaches no client as something that it is not, and
// nobody else at all.
import { afterAll, beforeAll, expect, test } from "vitest"
import { type NearPair, startNearPair } from "../../support/near-pair.ts"
import { answerCases } from "./answer-cases.ts"
import { playAnswer } from "./play-answer.ts"
import { Witness } from "./witness.ts"

const witness = new Witness()
let pair: NearPair
beforeAll(async () => {
  pair = await startNearPair({ upstreamPort: await witness.start() })
})
afterAll(async () => {
  await pair[Symbol.asyncDispose]()
  await witness[Symbol.asyncDispose]()
})

test.each(answerCases.map((one) => [one.verdict.kind, one.name, one] as const))(
  "%s: %s",
  async (_kind, _name, one) => {
    expect(await playAnswer(pair.port, witness, one)).toBe("nothing is wrong")
  },
)
