// How a doctor's findings are told: to people line by line as they come, to programs as JSON at the end.
import type { TextOutput } from "../config/index.ts"
import type { Finding } from "./steps.ts"

/** Writes them all; resolves with them once the last one has come. `json`: one object, after the last. */
export async function writeDiagnosis(
  findings: AsyncIterable<Finding>,
  { output, json }: { readonly output: TextOutput; readonly json: boolean },
): Promise<readonly Finding[]> {
  const all: Finding[] = []
  for await (const finding of findings) {
    all.push(finding)
    if (!json) output.write(`${findingText(finding)}\n`)
  }
  if (json) output.write(`${JSON.stringify({ ok: diagnosisCode(all) === 0, findings: all }, undefined, 2)}\n`)
  else output.write(`${summary(all)}\n`)
  return all
}

/** The exit code: 0 when nothing failed. */
export function diagnosisCode(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ verdict }) => verdict === "failed") ? 1 : 0
}

function findingText({ step, verdict, message, remedy }: Finding): string {
  const line = `${verdict.padEnd(8)} ${step.padEnd(10)} ${message}`
  return remedy === undefined ? line : `${line}. ${remedy}`
}

function summary(findings: readonly Finding[]): string {
  const count = (verdict: Finding["verdict"]): number =>
    findings.filter((finding) => finding.verdict === verdict).length
  const [failed, warned] = [count("failed"), count("warning")]
  if (failed > 0) return `${failed} failed: begin with the first.`
  return warned > 0 ? `It works, with ${warned} ${warned === 1 ? "warning" : "warnings"}.` : "All is well."
}
