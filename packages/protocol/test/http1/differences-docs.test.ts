// docs/http1-differences.md and the table that the differential test allows say the same.

import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { allowedDifferences } from "./differences.ts"

const kinds = {
  "We refuse, Node accepts": "we_refuse",
  "We accept, Node refuses": "we_accept",
  "Both accept, but read differently": "read_differently",
} as const

test("the page and the table list the same differences, of the same kind", () => {
  const written = sections().map(({ id, kind }) => `${kind} ${id}`)
  expect(written.toSorted()).toEqual(allowedDifferences.map(({ id, kind }) => `${kind} ${id}`).toSorted())
})

test.each(allowedDifferences.map(({ id, rfc }) => [id, rfc]))(
  "the page begins %s with %s and says why",
  (id, rfc) => {
    const text = sections().find((section) => section.id === id)?.text ?? ""
    expect(text.startsWith(`${rfc}:`)).toBe(true)
    expect(text.length).toBeGreaterThan(rfc.length + 40)
  },
)

function sections(): { id: string; kind: string | undefined; text: string }[] {
  const page = readFileSync(new URL("../../../../docs/http1-differences.md", import.meta.url), "utf8")
  return page
    .split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const [title = "", ...entries] = part.split(/^### /m)
      const kind = Object.entries(kinds).find(([words]) => words === title.trim())?.[1]
      return entries.map((entry) => {
        const [id = "", ...text] = entry.trim().split("\n")
        return { id, kind, text: text.join(" ").trim() }
      })
    })
}
