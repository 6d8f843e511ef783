// Our reader against Node's own parser, over generated, mutated and arbitrarily split streams.
// RESTANTE_SEED and RESTANTE_CASES choose another run; a failure prints what to set.

import { expect, test as plain } from "vitest"
import type { Http1Limits } from "../../src/http1/index.ts"
import { differences } from "./compare.ts"
import { knownBad } from "./corpus.ts"
import { allowedBy, allowedDifferences, evidenceAt } from "./differences.ts"
import { generateStream, splitAnywhere } from "./generate.ts"
import { readNode } from "./oracle.ts"
import { seededRandom } from "./random.ts"
import { type OurTranscript, readOurs, type Stream } from "./transcript.ts"

const seed = Number(process.env["RESTANTE_SEED"] ?? 20_261_121)
const cases = Number(process.env["RESTANTE_CASES"] ?? 200_000)

interface Report {
  cases: number
  accepted: number
  refused: number
  /** What contradicts the promise, with the seed; the first few. */
  readonly failures: string[]
  /** How often each allowed difference was met. */
  readonly met: Map<string, number>
}

const test = plain.extend("report", { scope: "file" }, (): Report => {
  const report: Report = { cases: 0, accepted: 0, refused: 0, failures: [], met: new Map() }
  const random = seededRandom(seed)
  for (let number = 1; number <= cases && report.failures.length < 5; number += 1) {
    const stream = generateStream(random)
    const pieces = splitAnywhere(random, stream.bytes)
    const failure = check(stream, pieces, report)
    if (failure !== undefined)
      report.failures.push(`case ${number} of RESTANTE_SEED=${seed}: ${failure}\n${show(stream, pieces)}`)
  }
  return report
})

test(
  "whatever we accept Node's parser reads the same way, and what only we refuse is in the table",
  { timeout: 60_000 + cases },
  ({ report }) => {
    expect(report.failures).toEqual([])
    expect(report.cases).toBe(cases)
  },
)

test("the generated streams try both sides: a third at least is accepted, a fifth at least refused", ({
  report,
}) => {
  expect(report.accepted + report.refused).toBe(cases)
  expect(report.accepted).toBeGreaterThan(cases / 3)
  expect(report.refused).toBeGreaterThan(cases / 5)
})

test.skipIf(cases < 200_000)("every difference in the table is met, so none is left over", ({ report }) => {
  expect(allowedDifferences.map(({ id }) => id).filter((id) => !report.met.has(id))).toEqual([])
})

test("the known bad messages differ from Node's reading only where the table says so", () => {
  const report: Report = { cases: 0, accepted: 0, refused: 0, failures: [], met: new Map() }
  const failures = knownBad.map(({ kind, bytes, method }) => {
    const stream: Stream = { kind, methods: [method], bytes }
    return check(stream, [bytes], report)
  })
  expect(failures.filter((failure) => failure !== undefined)).toEqual([])
  expect(report.accepted).toBe(0)
})

test("however small the limits are, any split reads the same", () => {
  const random = seededRandom(seed)
  const failures: string[] = []
  let limited = 0
  for (let number = 1; number <= 30_000; number += 1) {
    const stream = generateStream(random)
    const pieces = splitAnywhere(random, stream.bytes)
    const limits: Http1Limits = {
      maxHeadBytes: 30 + random.below(300),
      maxTargetBytes: 1 + random.below(60),
      maxFieldLines: 1 + random.below(12),
      maxTrailerBytes: 2 + random.below(40),
      maxChunkLineBytes: 12 + random.below(20),
      maxChunkExtensionBytes: random.below(40),
      maxInformational: random.below(2),
    }
    const whole = readOurs(stream, [stream.bytes], limits)
    if (/large|long|many/.test(whole.error ?? "")) limited += 1
    if (JSON.stringify(whole) !== JSON.stringify(readOurs(stream, pieces, limits)))
      failures.push(
        `case ${number} of RESTANTE_SEED=${seed}: ${JSON.stringify(limits)}\n${show(stream, pieces)}`,
      )
  }
  expect(failures.slice(0, 5)).toEqual([])
  expect(limited).toBeGreaterThan(5000)
})

/** What is wrong with this case, or undefined. */
function check(stream: Stream, pieces: readonly Buffer[], report: Report): string | undefined {
  report.cases += 1
  const ours = readOurs(stream, [stream.bytes])
  if (ours.error === undefined) report.accepted += 1
  else report.refused += 1
  if (JSON.stringify(ours) !== JSON.stringify(readOurs(stream, pieces))) return "read differently in pieces"
  for (const difference of differences(ours, readNode(stream))) {
    const { index } = difference
    const allowed = allowedBy(
      difference,
      evidenceAt(stream, ours.starts[index] ?? 0, finalsBefore(ours, index)),
    )
    if (allowed === undefined) return `not in the table: ${JSON.stringify(difference)}`
    report.met.set(allowed.id, (report.met.get(allowed.id) ?? 0) + 1)
  }
  return undefined
}

/** How many final messages come before this one; interim ones begin where their final one does. */
const finalsBefore = (ours: OurTranscript, index: number): number =>
  new Set(ours.starts.slice(0, index + 1)).size - 1

const show = (stream: Stream, pieces: readonly Buffer[]): string =>
  JSON.stringify({
    kind: stream.kind,
    methods: stream.methods,
    text: stream.bytes.toString("latin1"),
    pieces: pieces.map((piece) => piece.length),
  })
