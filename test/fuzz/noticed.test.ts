// The fuzzer notices what is wrong: one that cannot fail would prove nothing.
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { startNearPair } from "../support/near-pair.ts"
import type { Outcome } from "./fuzz-client.ts"
import { fuzz } from "./fuzz.ts"
import { judgeLossy } from "./judge-lossy.ts"
import { type Sabotage, startSaboteur } from "./saboteur.ts"
import type { Answer, Exchange } from "./scene.ts"
import { scenes } from "./scenes.ts"
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

test.each<[what: string, method: string, heads: number, got: Outcome]>([
  ["a POST that reached the server twice", "POST", 2, { kind: "whole", hints: 0 }],
  ["a PUT that reached it again and again", "PUT", 7, { kind: "broken" }],
  ["an answer to what never reached it", "GET", 0, { kind: "whole", hints: 0 }],
  [
    "an error that says it was not forwarded, when it was",
    "POST",
    1,
    { kind: "refused", status: 503, code: "not_delivered", forwarded: false },
  ],
  [
    "an error that no lost agent explains",
    "GET",
    1,
    { kind: "refused", status: 502, code: "upstream_protocol", forwarded: true },
  ],
  ["a request behind the last one that was begun all the same", "GET", 1, { kind: "unanswered" }],
])("where agents are killed: %s", (_what, method, heads, got) => {
  const [scene] = fc.sample(scenes, { numRuns: 1, seed: 1 })
  const [some] = scene!.connections[0]!.exchanges
  const exchange = { ...some!, method, client: { does: "waits" }, answer: calm(some!) } as const
  const expected = { exchange, id: 1, heads, wholes: heads, fail: () => undefined }
  expect(() => judgeLossy(expected, got)).toThrow(/^exchange 1/)
})

const calm = ({ answer }: Exchange): Answer => ({
  ...answer,
  hints: 0,
  at: "the end of the request",
  breaks: undefined,
})

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes)
  other[other.length - 1]! ^= 1
  return other
}
