// docs/conformance.md says what the cases say, and the cases cover the checklist.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { allCases } from "./cases/index.ts"
import { http2Cases } from "./h2/cases.ts"
import { rows } from "./rows.ts"
import { conformanceTable } from "./table.ts"

test("docs/conformance.md is up to date; npm run conformance-table writes it anew", () => {
  const page = readFileSync(new URL("../../docs/conformance.md", import.meta.url), "utf8")
  expect(page).toBe(conformanceTable())
})

test("every row of the checklist is there, in order", () => {
  expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 47 }, (_, index) => index + 1))
})

test.each(rows.map(({ row, semantic }) => [row, semantic]))("row %i, %s, has a case", (row) => {
  const cases = row === 40 ? http2Cases : allCases.filter((one) => one.row === row)
  expect(cases.length).toBeGreaterThan(0)
})

test("no two cases of a row have the same title", () => {
  const titles = [...allCases.map(titleOf), ...http2Cases.map((one) => `HTTP/2 ${titleOf(one)}`)]
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
})

test("a verdict that is not met says why", () => {
  expect(rows.filter(({ verdict, note }) => verdict !== "met" && note === undefined)).toEqual([])
})

function titleOf({ row, title }: { readonly row: number; readonly title: string }): string {
  return `${row} ${title}`
}
