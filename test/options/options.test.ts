// Every option of both programs, with a right and a wrong value from each source: command line, environment and file.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { type OptionTable, variableOf } from "@restante/protocol"
import { agentTable } from "../../packages/proxy-in/src/cli-options.ts"
import { parseAgentArguments } from "../../packages/proxy-in/src/command-line.ts"
import { proxyIn } from "../../packages/proxy-in/test/cli/stand-ins.ts"
import { edgeTable } from "../../packages/proxy-out/src/cli-options.ts"
import { parseEdgeArguments } from "../../packages/proxy-out/src/command-line.ts"
import { proxyOut, temporaryDirectory } from "../../packages/proxy-out/test/cli/stand-ins.ts"
import { agentCases } from "./agent-cases.ts"
import { edgeCases } from "./edge-cases.ts"
import type { OptionCase } from "./option-case.ts"

type Environment = Readonly<Record<string, string>>

interface Tested {
  readonly name: string
  readonly prefix: string
  readonly table: OptionTable
  readonly cases: Readonly<Record<string, OptionCase>>
  /** What it cannot run without. */
  readonly needed: Readonly<Record<string, string>>
  read(argv: readonly string[], environment: Environment): Promise<object>
  run(
    argv: readonly string[],
    circumstances: { environment: Environment },
  ): Promise<{ exitCode: number; stderr: string }>
}

const output = { isTerminal: false, columns: 80, write: (): void => {} }

const programs: readonly Tested[] = [
  {
    name: "proxy-out",
    prefix: "PROXY_OUT",
    table: edgeTable,
    cases: edgeCases,
    needed: {},
    read: (argv, environment) => parseEdgeArguments(argv, { version: "1", environment, output }),
    run: proxyOut,
  },
  {
    name: "proxy-in",
    prefix: "PROXY_IN",
    table: agentTable,
    cases: agentCases,
    needed: { server: "https://app.internal", external: "https://edge.example", port: "off" },
    read: (argv, environment) => parseAgentArguments(argv, { version: "1", environment, output }),
    run: proxyIn,
  },
]

describe.each(programs)("$name", (program) => {
  test("every option has a case in test/options", () => {
    expect(Object.keys(program.table).filter((name) => !Object.hasOwn(program.cases, name))).toEqual([])
  })

  const rows = Object.entries(program.cases).flatMap(([name, one]) =>
    sourcesOf(program, name).map((source) => ({ name, source, one })),
  )

  test.each(rows)("$name is taken from the $source", async ({ name, source, one }) => {
    const { argv, environment } = await given(program, { name, text: one.good, source, one })
    expect(await program.read(argv, environment)).toMatchObject({
      kind: "run",
      values: { [name]: one.reads },
    })
  })

  test.each(rows)(
    "$name from the $source that is wrong is one line that says why",
    async ({ name, source, one }) => {
      const { argv, environment } = await given(program, { name, text: one.bad, source, one })
      const { exitCode, stderr } = await program.run(argv, { environment })
      expect(stderr).toMatch(one.says)
      expect(stderr).toMatch(new RegExp(`^${program.name}: [^\\n]+\\n$`))
      expect([1, 2]).toContain(exitCode)
    },
  )

  test.each(Object.keys(program.table).filter((name) => program.table[name]?.secret === true))(
    "%s is secret: on the command line it is refused and not shown",
    async (name) => {
      const { exitCode, stderr } = await program.run([`--${name}`, "pa55word"], { environment: {} })
      expect(exitCode).toBe(2)
      expect(stderr).toContain("does not belong on the command line")
      expect(stderr).not.toContain("pa55word")
    },
  )
})

type Source = "command line" | "environment" | "file"

/** What is secret cannot be given by flag, and a file cannot name another file. */
function sourcesOf({ table }: Tested, name: string): readonly Source[] {
  return [
    ...(table[name]?.secret === true ? [] : (["command line"] as const)),
    "environment",
    ...(name === "config" ? [] : (["file"] as const)),
  ]
}

interface Given {
  readonly name: string
  readonly text: string
  readonly source: Source
  readonly one: OptionCase
}

/** A call where this option comes from this source, and what goes with it from the command line. */
async function given(
  { needed, prefix, table }: Tested,
  { name, text, source, one }: Given,
): Promise<{ readonly argv: readonly string[]; readonly environment: Environment }> {
  const others = Object.entries({ ...needed, ...one.with }).filter(([other]) => other !== name)
  const argv = others.flatMap(([other, value]) => [`--${other}`, value])
  const environment = { RESTANTE_TOKEN: "a-token-for-these-tests" }
  switch (source) {
    case "command line":
      return {
        argv: [...argv, ...(table[name]?.flag && text === "true" ? [`--${name}`] : [`--${name}=${text}`])],
        environment,
      }
    case "environment":
      return { argv, environment: { ...environment, [variableOf(name, prefix)]: text } }
    case "file": {
      const path = join(await temporaryDirectory(), "config.yaml")
      await writeFile(path, `${name}: ${text}\n`, { mode: 0o600 })
      return { argv: [...argv, "--config", path], environment }
    }
  }
}
