// docs/limits.md says the numbers that the code has, and leaves out none that is called a limit there.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { agentTable } from "../../packages/proxy-in/src/cli-options.ts"
import { edgeTable } from "../../packages/proxy-out/src/cli-options.ts"
import { readPages, root } from "./pages.ts"

const page = readPages().find(({ path }) => path === "docs/limits.md")
const tables = page?.tables ?? []

interface Row {
  readonly what: string
  readonly value: string
  /** As in `proxy-out/exchange/exchange.ts maxAttempts`. */
  readonly place: string
}

const rows = (lastColumn: string): readonly Row[] =>
  tables
    .filter(({ header }) => header.at(-1) === lastColumn)
    .flatMap((table) => table.rows.map(([what = "", value = "", , place = ""]) => ({ what, value, place })))

test.each(rows("in the code"))("$place: $what is $value", ({ value, place }) => {
  const [file = "", name = ""] = place.split(" ")
  expect(inCode(file, name)).toBe(numberOf(value))
})

test.each(rows("option"))("$place: $what is $value by default", ({ value, place }) => {
  const [program = "", flag = ""] = place.split(" --")
  const byDefault = defaults(program === "proxy-in" ? agentTable : edgeTable).get(flag) ?? "none"
  expect(byDefault === "unlimited" ? byDefault : numberOf(byDefault)).toBe(
    value === "unlimited" ? value : numberOf(value),
  )
})

test("every limit in the code stands on the page", () => {
  const listed = new Set(rows("in the code").map(({ place }) => place))
  const found = sources().flatMap((file) =>
    [...sourceOf(file).matchAll(/^(?:export )?const ((?:max|most)[A-Z]\w*) = [\d(]/gm)].map(
      ([, name = ""]) => `${file} ${name}`,
    ),
  )
  expect(found.filter((place) => !listed.has(place) && !inner.has(place))).toEqual([])
})

/** What nobody can run into: how our own work is cut into pieces, or the bounds of a data type. */
const inner = new Set([
  "protocol/upgrade/websocket-frames.ts maxHeaderBytes",
  "protocol/wire/bytes.ts maxSafeHigh",
  "proxy-in/upstream/body-buffers.ts maxKept",
  "proxy-in/upstream/h2/http2-link.ts mostUnreadBytes",
  "proxy-in/doctor/edge-steps.ts mostSeconds",
  "proxy-out/attach/agent-session.ts maxStreamId",
  "proxy-out/doctor/redis-steps.ts mostMedianMs",
  "proxy-out/exchange/live-exchanges.ts maxSweepMs",
  "proxy-out/queue/ticket-codec.ts maxPrefixChars",
  "proxy-out/queue/ticket-codec.ts maxTextChars",
])

test("nothing is called an inner limit that is not there", () => {
  const gone = [...inner].filter((place) => {
    const [file = "", name = ""] = place.split(" ")
    return !existsSync(pathOf(file)) || !sourceOf(file).includes(`const ${name} = `)
  })
  expect(gone).toEqual([])
})

function defaults(table: Readonly<Record<string, object>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).map(([name, option]) => [
      name,
      "default" in option ? String(option.default) : "none",
    ]),
  )
}

/** As in proxy-out/exchange/exchange.ts. */
function sources(): readonly string[] {
  return ["protocol", "proxy-in", "proxy-out"].flatMap((name) =>
    readdirSync(join(root, "packages", name, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => `${name}/${file}`),
  )
}

function pathOf(file: string): string {
  return join(root, "packages", file.replace("/", "/src/"))
}

function sourceOf(file: string): string {
  return readFileSync(pathOf(file), "utf8")
}

/** The number that a constant, member or default has in that file: bytes for bytes, milliseconds for …Ms and …Seconds. */
function inCode(file: string, name: string): number {
  const written = new RegExp(`\\b${name}(?: = |: )([\\d_ *.kmib]+)`).exec(sourceOf(file))?.[1]?.trim()
  if (written === undefined) return Number.NaN
  const factors = written.split("*").map((factor) => {
    const unit = factor.trim()
    return unit === "kib" ? 1024 : unit === "mib" ? 1024 ** 2 : Number(unit.replaceAll("_", ""))
  })
  const product = factors.reduce((left, right) => left * right, 1)
  return name.endsWith("Seconds") ? product * 1000 : product
}

/** `64 KiB` in bytes, `30 s` and `30s` in milliseconds, `1,024` as it is. */
function numberOf(text: string): number {
  const [, amount = "", unit = ""] = /^([\d,]+) ?([a-zA-Z]*)$/.exec(text) ?? []
  return Number(amount.replaceAll(",", "")) * (units[unit] ?? Number.NaN)
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
}
