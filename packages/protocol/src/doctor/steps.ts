// A doctor's examination: steps that depend on each other, and a closed table of what each of them may find.

export type Verdict = "ok" | "warning" | "failed" | "skipped"

/** What a doctor may find, by code. */
export type FindingTable = Readonly<
  Record<
    string,
    {
      /** Its name; where several steps share a line a pattern of theirs, for which each step's name stands in its remedy. */
      readonly step: string
      readonly verdict: Verdict
      /** What was found, in a few words without a full stop. */
      readonly says: string
      /** One sentence: what to do. With a warning or a failure. */
      readonly remedy?: string
    }
  >
>

export interface Finding {
  readonly step: string
  readonly verdict: Verdict
  /** Of the table; "skipped" where a step that this one needs has failed, "interrupted" where something broke it off. */
  readonly code: string
  readonly message: string
  readonly remedy: string | undefined
}

/** What a step says: a code of the table, and a detail (an address, a duration, a system's error code) for its message. */
export interface Report<Code extends string> {
  readonly code: Code
  readonly detail?: string | undefined
}

export interface Step<Code extends string> {
  readonly name: string
  /** Names of steps before this one without which it cannot be done. */
  readonly needs: readonly string[]
  /** What it raises becomes a finding too: the others go on, and their findings may be what explains it. */
  run(): Promise<Report<Code>>
}

/** All steps begin as soon as what they need is done; what they find comes in their order. */
export async function* runSteps<Code extends string>(
  table: Readonly<Record<Code, FindingTable[string]>>,
  steps: readonly Step<Code>[],
): AsyncGenerator<Finding> {
  const findings = new Map<string, Promise<Finding>>()
  for (const step of steps) findings.set(step.name, examine(table, step, findings))
  for (const finding of findings.values()) yield await finding
}

async function examine<Code extends string>(
  table: Readonly<Record<Code, FindingTable[string]>>,
  step: Step<Code>,
  before: ReadonlyMap<string, Promise<Finding>>,
): Promise<Finding> {
  for (const need of step.needs) {
    // oxlint-disable-next-line no-await-in-loop -- the first that failed is the one to tell
    const finding = await before.get(need)
    if (finding?.verdict === "failed" || finding?.code === "skipped") {
      const message = `not done, because ${need} ${finding.code === "skipped" ? "was not done" : "failed"}`
      return { step: step.name, verdict: "skipped", code: "skipped", message, remedy: undefined }
    }
  }
  const report = await step.run().catch((reason: unknown) => textOf(reason))
  if (typeof report === "string") return interrupted(step.name, report)
  const { code, detail } = report
  const { step: pattern, verdict, says, remedy } = table[code]
  return {
    step: step.name,
    verdict,
    code,
    message: detail === undefined || detail === "" ? says : `${says} (${detail})`,
    remedy: remedy?.replace(pattern, () => step.name),
  }
}

function interrupted(step: string, why: string): Finding {
  return { step, verdict: "failed", code: "interrupted", message: `broken off: ${why}`, remedy: undefined }
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
