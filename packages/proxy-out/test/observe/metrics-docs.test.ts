// docs/observability.md must say of every metric what the code says.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { metricTable } from "../../src/observe/metric-table.ts"

test("docs/observability.md has every metric with its type, labels and meaning, and no others", () => {
  const text = readFileSync(new URL("../../../../docs/observability.md", import.meta.url), "utf8")
  const rows = [...text.matchAll(/^\| `(restante_\w+)` *\| (.*) \|$/gm)].map(([, name, rest]) => {
    const [type = "", labels = "", help = ""] = (rest ?? "").split("|").map((cell) => cell.trim())
    return [name, { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label), help }]
  })
  expect(Object.fromEntries(rows)).toEqual(metricTable)
})
