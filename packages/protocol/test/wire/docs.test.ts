// docs/protocol.md is normative, so its tables must be those of the code.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { frameType, resetCodes, wireErrorTable, wireLimits } from "../../src/wire/index.ts"

const text = readFileSync(new URL("../../../../docs/protocol.md", import.meta.url), "utf8")
const rows = [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row]) =>
  (row ?? "").split("|").map((cell) => cell.trim()),
)

test("docs/protocol.md has every limit with its value", () => {
  const shown = rows.filter(([name]) => /^`\w+(?:Bytes|Messages)`$/.test(name ?? ""))
  expect(Object.fromEntries(shown.map(([name, value]) => [name?.replaceAll("`", ""), value]))).toEqual(
    Object.fromEntries(Object.entries(wireLimits).map(([name, value]) => [name, inWords(name, value)])),
  )
})

test("docs/protocol.md has every frame type with its number", () => {
  const shown = rows.filter(([, name]) => /^[A-Z]{3,}$/.test(name ?? ""))
  expect(Object.fromEntries(shown.map(([number, name]) => [name?.toLowerCase(), Number(number)]))).toEqual(
    frameType,
  )
})

test("docs/protocol.md has every RESET code with its number", () => {
  const table = text.slice(text.indexOf("### RESET"), text.indexOf("### PING"))
  const shown = [...table.matchAll(/^\| *(\d+) *\| *`(\w+)`/gm)].map(([, number, name]) => [
    name,
    Number(number),
  ])
  expect(Object.fromEntries(shown)).toEqual(resetCodes)
})

test("docs/protocol.md names everything that breaks a session", () => {
  const list = /^What breaks a session, by name: (.*)$/m.exec(text)?.[1] ?? ""
  expect([...list.matchAll(/`(\w+)`/g)].map(([, code]) => code)).toEqual(Object.keys(wireErrorTable))
})

function inWords(name: string, value: number): string {
  if (!name.endsWith("Bytes")) return String(value)
  if (value % (1 << 20) === 0) return `${value >> 20} MiB`
  return value % 1024 === 0 ? `${value >> 10} KiB` : `${value} bytes`
}
