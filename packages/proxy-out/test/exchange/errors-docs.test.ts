// docs/errors.md has every code, as it is.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { placeholders } from "../../src/exchange/error-page.ts"
import { failures } from "../../src/exchange/failures.ts"
import type { FailureTraits } from "../../src/exchange/failures.ts"

const document = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8")

test("the table of docs/errors.md is that of failures.ts, in its order, with something for the operator", () => {
  const rows = [...document.matchAll(/^\| `(\w+)` .*\|$/gm)].map(([row]) =>
    row.split("|").map((cell) => cell.trim()),
  )
  const expected = Object.entries<FailureTraits>(failures).map(([code, traits]) => [
    "",
    `\`${code}\``,
    String(traits.status),
    `\`${traits.proxyStatus}\``,
    traits.forwarded,
    traits.retryAfterSeconds === undefined ? "" : `${traits.retryAfterSeconds} s`,
    traits.title,
    traits.advice,
    expect.stringMatching(/\w{3}/),
    "",
  ])
  expect(rows).toEqual(expected)
})

test("docs/errors.md explains every placeholder of an own page", () => {
  expect(placeholders.filter((name) => !document.includes(`| \`{{${name}}}\``))).toEqual([])
})
