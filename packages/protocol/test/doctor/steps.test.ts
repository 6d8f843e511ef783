// What an examination promises whatever its steps do.
import { setImmediate as nextTurn } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { runSteps, type Finding, type FindingTable, type Report, type Step } from "../../src/doctor/index.ts"

const table = {
  fine: { step: "any", verdict: "ok", says: "it is fine" },
  bad: { step: "any", verdict: "failed", says: "it is bad", remedy: "Mend any." },
} as const satisfies FindingTable

describe("an examination", () => {
  test("tells findings in the order of the steps, whichever is done first", async () => {
    const slow = Promise.withResolvers<Report<"fine">>()
    const told = examined([step("first", () => slow.promise), step("second", report("bad"))])
    await nextTurn()
    slow.resolve({ code: "fine", detail: "3 ms" })
    expect((await told).map(({ step: name, message }) => `${name}: ${message}`)).toEqual([
      "first: it is fine (3 ms)",
      "second: it is bad",
    ])
  })

  test("names the step in its remedy where several share a finding", async () => {
    expect(await examined([step("--tcp 22", report("bad"))])).toMatchObject([{ remedy: "Mend --tcp 22." }])
  })

  test("goes on when a step is broken off while an earlier one is still at work", async () => {
    const slow = Promise.withResolvers<Report<"fine">>()
    const told = examined([
      step("slow", () => slow.promise),
      step("broken", () => Promise.reject(new Error("no answer"))),
      step("after", report("fine"), ["broken"]),
    ])
    // Nobody waits for the second one yet: its end must not be an unhandled one.
    await nextTurn()
    slow.resolve({ code: "fine" })
    expect(await told).toMatchObject([
      { step: "slow", verdict: "ok" },
      { step: "broken", verdict: "failed", code: "interrupted", message: "broken off: no answer" },
      { step: "after", verdict: "skipped", message: "not done, because broken failed" },
    ])
  })
})

async function examined(steps: readonly Step<keyof typeof table>[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for await (const finding of runSteps(table, steps)) findings.push(finding)
  return findings
}

function step(
  name: string,
  run: () => Promise<Report<keyof typeof table>>,
  needs: readonly string[] = [],
): Step<keyof typeof table> {
  return { name, needs, run }
}

function report(code: keyof typeof table): () => Promise<Report<keyof typeof table>> {
  return () => Promise.resolve({ code })
}
