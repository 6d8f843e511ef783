// Configuration files and data in the documentation are what the programs take, and the options that it speaks of exist.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { parse } from "yaml"
import { agentTable } from "../../packages/proxy-in/src/cli-options.ts"
import { edgeTable } from "../../packages/proxy-out/src/cli-options.ts"
import { type Block, readPages } from "./pages.ts"
import { Shell } from "./shell.ts"
import { Stage } from "./stage.ts"

const pages = readPages()
const blocksIn = (language: string): readonly (readonly [string, Block])[] =>
  pages.flatMap(({ path, blocks }) =>
    blocks
      .filter((block) => block.language === language)
      .map((block) => [`${path}:${block.line}`, block] as const),
  )
const ofProgram = (block: Block): string => block.labels.get("program") ?? ""

test.each(blocksIn("yaml").filter(([, block]) => ofProgram(block) !== ""))(
  "%s is a configuration file without a fault",
  async (place, block) => {
    await using stage = await Stage.build({})
    await using shell = new Shell(stage)
    await writeFile(join(stage.folder, "page.yaml"), stage.fit(block.text))
    const { code, output } = await shell.run(`${ofProgram(block)} config check page.yaml`)
    expect([place, code, output]).toEqual([place, 0, output])
  },
)

test.each(blocksIn("yaml"))("%s is YAML", (_place, block) => {
  expect(parse(block.text)).toBeTypeOf("object")
})

test.each(blocksIn("json"))("%s is JSON", (_place, block) => {
  expect(JSON.parse(block.text)).toBeTypeOf("object")
})

// The benchmark has options of its own.
const aboutPrograms = pages.filter(({ path }) => path !== "docs/benchmarks.md")

test.each(aboutPrograms.map((page) => [page.path, page] as const))(
  "%s speaks only of options that exist",
  (_path, page) => {
    const named = page.codeSpans.flatMap((span) => span.match(/(?<![\w-])--[a-z][\w-]*/g) ?? [])
    expect(named.filter((flag) => !ours.has(flag) && !foreign.has(flag))).toEqual([])
  },
)

/** Those of commands that have no table of their own are in their help, which other tests read. */
const ours = new Set([
  ...Object.keys(edgeTable).map((name) => `--${name}`),
  ...Object.keys(agentTable).map((name) => `--${name}`),
  ...["--help", "--version", "--print-config", "--json", "--quick"],
  ...["--tunnels", "--routes", "--expires"],
  ...["--name", "--user", "--run-as", "--dry-run"],
])

/** Other programs': Docker's, npm's, systemctl's. */
const foreign = new Set([
  ...["--scale", "--read-only", "--stop-timeout", "--env-file", "--global", "--now"],
  ...["--minutes", "--seed"],
])

test("docs/options.md has a row for every option of both programs", () => {
  const tables = pages.find(({ path }) => path === "docs/options.md")?.tables ?? []
  const rowsOf = (program: string): ReadonlySet<string> => {
    const rows = tables.find(({ header }) => header[0] === program)?.rows ?? []
    return new Set(rows.flatMap(([options = ""]) => options.match(/[a-z][a-z0-9-]*/g) ?? []))
  }
  const missing = (program: string, table: object): readonly string[] =>
    Object.keys(table).filter((name) => !rowsOf(program).has(name))
  expect([missing("proxy-out", edgeTable), missing("proxy-in", agentTable)]).toEqual([[], []])
})
