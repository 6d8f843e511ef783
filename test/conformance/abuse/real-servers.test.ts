// The abuse corpus through a pair to nginx and to HAProxy: they see the requests that everybody has to see, or refuse one; never another one.
import { expect, test } from "vitest"
import { startNearPair } from "../../support/near-pair.ts"
import { until } from "../../support/until.ts"
import { type AbuseCase, asked, type Asked, passes, post, smuggled } from "./abuse-case.ts"
import { chunkCases } from "./chunk-cases.ts"
import { clearCases } from "./clear-cases.ts"
import { framingCases } from "./framing-cases.ts"
import { headCases } from "./head-cases.ts"
import { AbuseClient } from "./play.ts"
import { readLines } from "./readers.ts"
import { RealServer, realServers } from "./real-server.ts"
import { sequenceCases } from "./sequence-cases.ts"
import { textOf, Witness } from "./witness.ts"

const corpus = [...framingCases, ...chunkCases, ...headCases, ...clearCases, ...sequenceCases]
/** Played side by side, so that what one leaves behind on a connection is another one's to find. */
const together = 64

test.each(realServers)(
  "%s sees nothing but what everybody has to see",
  { timeout: 120_000 },
  async (name) => {
    await using witness = new Witness()
    await using server = await RealServer.start(name, await witness.start())
    await using pair = await startNearPair({ upstreamPort: server.port })
    const { wrong, seen } = await playAll(pair.port, witness, corpus)
    expect(wrong).toEqual([])
    // It does not just refuse everything.
    expect(seen).toBeGreaterThan(corpus.filter(({ verdict }) => verdict.kind === "passes").length * 0.8)
  },
)

test.each(realServers)("a request too many at %s would be seen", async (name) => {
  await using witness = new Witness()
  await using server = await RealServer.start(name, await witness.start())
  const two = passes("two in one", `${post("Content-Length: 0")}${smuggled}`, asked("POST", "/abuse"))
  using client = new AbuseClient(server.port)
  await client.send(two.bytes, "in one piece")
  const got: string[] = []
  await until("both requests", () => got.push(...requestsAt(witness)) === 2)
  expect(beyond(got, [two])).toEqual(["GET /smuggled 0, from one of: two in one"])
})

async function playAll(
  port: number,
  witness: Witness,
  cases: readonly AbuseCase[],
): Promise<{ readonly wrong: readonly string[]; readonly seen: number }> {
  const wrong: string[] = []
  let seen = 0
  for (let at = 0; at < cases.length; at += together) {
    const some = cases.slice(at, at + together)
    // oxlint-disable-next-line no-await-in-loop -- so many at a time
    const answered = await Promise.all(some.map((one) => playOne(port, one)))
    const got = requestsAt(witness)
    seen += got.length
    wrong.push(...answered.filter((one) => one !== ""), ...beyond(got, some))
  }
  await until("what was begun to be broken off", () => witness.settled)
  return { wrong: [...wrong, ...beyond(requestsAt(witness), [])], seen }
}

/** What is wrong with its answers; "" for nothing. */
async function playOne(port: number, one: AbuseCase): Promise<string> {
  const { verdict } = one
  const requests = wanted(one)
  const refusals = verdict.kind === "refused" ? 1 : 0
  using client = new AbuseClient(port)
  await client.send(one.bytes, "in one piece")
  if (verdict.kind === "nothing") client.socket.end()
  await client.has(requests, requests.length + refusals)
  const answers = client.answers(requests)
  const wrong = answers.find(({ status, text }, index) => {
    const request = requests[index]
    if (status >= 400) return false
    return request === undefined || text !== (request.method === "HEAD" ? "" : textOf(request))
  })
  return wrong === undefined ? "" : `${one.name}: ${JSON.stringify(wrong)}`
}

const wanted = ({ verdict }: AbuseCase): readonly Asked[] =>
  verdict.kind === "passes" ? verdict.requests : verdict.kind === "refused" ? verdict.before : []

/** Requests that none of these cases may bring, or one more than they may. */
function beyond(got: readonly string[], some: readonly AbuseCase[]): string[] {
  const allowed = some.flatMap((one) => wanted(one).map(textOf))
  const names = (): string => some.map(({ name }) => name).join("; ")
  return got.flatMap((text) => {
    const at = allowed.indexOf(text)
    if (at === -1) return [`${text}, from one of: ${names()}`]
    allowed.splice(at, 1)
    return []
  })
}

const requestsAt = (witness: Witness): string[] =>
  witness.take().flatMap(({ bytes }) => readLines(bytes.toString("latin1")).whole.map(textOf))
