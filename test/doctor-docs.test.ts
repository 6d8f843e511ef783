// docs/doctor.md shows what the doctors may find as the code has it.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import type { FindingTable } from "@restante/protocol"
import { agentFindings } from "../packages/proxy-in/src/doctor/findings.ts"
import { edgeFindings } from "../packages/proxy-out/src/doctor/findings.ts"

const page = readFileSync(new URL("../docs/doctor.md", import.meta.url), "utf8")

/** The lines of the page's table under that heading, without the blanks that align them. */
function shownUnder(heading: string): readonly string[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? ""
  const lines = section.split("\n").filter((line) => line.startsWith("| "))
  return lines.slice(2).map((line) => line.replace(/\s*\|\s*/g, " | ").trim())
}

function rowsOf(table: FindingTable): readonly string[] {
  return Object.values(table).map(({ step, verdict, says, remedy = "" }) =>
    `| ${step} | ${verdict} | ${says} | ${remedy} |`.replace(/\s*\|\s*/g, " | ").trim(),
  )
}

test.for([
  ["proxy-in doctor", agentFindings],
  ["proxy-out doctor", edgeFindings],
] as const)("%s: the page has every finding, and no other", ([heading, table]) => {
  expect(shownUnder(heading)).toEqual(rowsOf(table))
})
