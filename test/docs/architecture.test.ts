// docs/architecture.md knows every room of the code, and speaks of none that is gone.
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readPages, root } from "./pages.ts"

const page = readPages().find(({ path }) => path === "docs/architecture.md")
const spans = new Set(page?.codeSpans)

test.each(["protocol", "proxy-out", "proxy-in"])("every room of %s has its line", (name) => {
  const table = page?.tables.find(({ header }) => header[0] === `room of \`${name}/src/\``)
  const named = (table?.rows ?? []).flatMap(([rooms = ""]) => rooms.match(/\w+(?=\/)/g) ?? [])
  const there = readdirSync(join(root, "packages", name, "src"), { withFileTypes: true })
  expect(named.toSorted()).toEqual(
    there
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted(),
  )
})

test("every file that it names is there", () => {
  const files = [...spans].filter((span) => /^[\w/-]+\.ts$/.test(span))
  const places = ["", "packages", ...packages("src"), ...packages("src/attach"), ...packages("src/exchange")]
  const gone = files.filter((file) => !places.some((place) => existsSync(join(root, place, file))))
  expect(gone).toEqual([])
})

function packages(folder: string): readonly string[] {
  return ["protocol", "proxy-out", "proxy-in"].map((name) => join("packages", name, folder))
}
