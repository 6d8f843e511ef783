// The JSON Schemas of the configuration files: up to date, and of one mind with the programs about right and wrong files.
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, test } from "vitest"
import { parse } from "yaml"
import { agentTable } from "../../packages/proxy-in/src/cli-options.ts"
import { proxyIn } from "../../packages/proxy-in/test/cli/stand-ins.ts"
import { edgeTable } from "../../packages/proxy-out/src/cli-options.ts"
import { proxyOut, temporaryDirectory } from "../../packages/proxy-out/test/cli/stand-ins.ts"
import { fileSchemas } from "../../scripts/file-schemas.ts"
import { authority } from "../support/certificates.ts"
import { agentCases } from "./agent-cases.ts"
import { edgeCases } from "./edge-cases.ts"
import type { OptionCase } from "./option-case.ts"

const docs = fileURLToPath(new URL("../../docs/", import.meta.url))

interface Tested {
  readonly name: "proxy-in" | "proxy-out"
  readonly cases: Readonly<Record<string, OptionCase>>
  readonly good: readonly string[]
  readonly bad: readonly string[]
  run(this: void, argv: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>
}

const programs: readonly Tested[] = [
  {
    name: "proxy-out",
    cases: edgeCases,
    good: [
      "{}",
      "port: 0",
      "hold: 0",
      "hold: 1.5s",
      "max-body-size: unlimited",
      "max-body-size: 1024",
      "trusted-proxies: [10.0.0.0/8, '2001:db8::/32']",
    ],
    bad: [
      "- port",
      "prot: 1",
      "port: [1]",
      "port: 65536",
      "port:",
      "hold: 30",
      "hold: 30 s",
      "max-queue: {a: 1}",
      "config: other.yaml",
      "tunnels: {a: {}}",
    ],
    run: proxyOut,
  },
  {
    name: "proxy-in",
    cases: agentCases,
    good: [
      "port: off",
      "tunnel: 2026",
      "strip-prefix: true\nroute: /a",
      "tunnels: {a: {server: 'http://a'}, b: {server: 'http://b', route: [/b, /c]}}",
      "server: http://a\ntunnels:\n  a:\n  b:\n    concurrency: 2",
    ],
    bad: [
      "tunnels: {}",
      "tunnels: [a]",
      "tunnels: {Shop: {server: 'http://a'}}",
      "tunnels: {a: {external: 'http://b'}}",
      "tunnels: {a: {sever: 'http://b'}}",
      "tunnel: a\ntunnels: {a: {server: 'http://a'}}",
      "strip-prefix: yes please\nroute: /a",
      "concurrency: 1.5",
    ],
    run: proxyIn,
  },
]

describe.each(programs)("$name", ({ name, cases, good, bad, run }) => {
  const accepts = new Ajv2020({ allowUnionTypes: true }).compile(fileSchemas[name])
  const complaints = (file: unknown): readonly unknown[] => (accepts(file) ? [] : (accepts.errors ?? []))
  const check = async (text: string): ReturnType<Tested["run"]> => {
    const path = join(await temporaryDirectory(), "config.yaml")
    await writeFile(path, text, { mode: 0o600 })
    return run(["config", "check", path])
  }

  test("the schema in docs/schemas is up to date; npm run schemas writes it anew", async () => {
    const written: unknown = JSON.parse(await readFile(join(docs, `schemas/${name}.schema.json`), "utf8"))
    expect(written).toEqual(fileSchemas[name])
  })

  test("every option says what its value is", () => {
    const table = name === "proxy-in" ? agentTable : edgeTable
    const without = Object.entries(table).filter(([, option]) => !("schema" in option))
    expect(without.map(([option]) => option)).toEqual([])
  })

  const values = Object.entries(cases).filter(([option]) => option !== "config")

  test.each(values)("the schema takes a right value of %s", (option, { good: value }) => {
    expect(complaints(parse(`${option}: ${value}`))).toEqual([])
  })

  test.each(values.filter(([, { atStart }]) => atStart !== true))(
    "the schema refuses a wrong value of %s",
    (option, { bad: value }) => {
      expect(complaints(parse(`${option}: ${value}`))).not.toEqual([])
    },
  )

  test.each(good)("schema and config check take %j", async (text) => {
    expect(complaints(parse(text))).toEqual([])
    expect(await check(text)).toMatchObject({ exitCode: 0, stderr: "" })
  })

  test.each(bad)("schema and config check refuse %j", async (text) => {
    expect(complaints(parse(text))).not.toEqual([])
    expect((await check(text)).exitCode).toBe(2)
  })

  test("the example is fine for the schema, and for config check where its files are", async () => {
    const example = await readFile(join(docs, `examples/${name}.yaml`), "utf8")
    expect(example.split("\n")[0]).toBe(`# yaml-language-server: $schema=../schemas/${name}.schema.json`)
    expect(complaints(parse(example))).toEqual([])
    const folder = await temporaryDirectory()
    await Promise.all(
      ["token", "admin-token"].map((file) => writeFile(join(folder, file), "a-token-for-these-tests\n")),
    )
    await writeFile(join(folder, "intranet-ca.pem"), authority)
    const path = join(folder, `${name}.yaml`)
    await writeFile(path, example.replaceAll("/etc/restante/", `${folder}/`))
    expect(await run(["config", "check", path])).toMatchObject({
      exitCode: 0,
      stdout: `${path} is fine\n`,
      stderr: "",
    })
  })
})
