import { describe, expect, test } from "vitest"
import {
  anyText,
  choice,
  command,
  onOrOff,
  readCommandLine,
  wholeNumber,
  type OptionTable,
  type Program,
} from "../../src/index.ts"
import * as files from "node:fs/promises"
import yargs from "yargs"
import { commandError } from "./kit.ts"

const ran: unknown[] = []

const tokenCreate = command({
  words: ["token", "create"],
  positionals: [{ name: "NAME" }],
  summary: "makes a token",
  options: {
    tunnel: {
      group: "The token",
      placeholder: "NAME",
      help: "a tunnel it may serve",
      list: true,
      ...anyText,
    },
    json: { group: "Output", help: "write JSON", flag: true, ...onOrOff },
  },
  examples: [{ command: "tool token create laptop", meaning: "a token called laptop" }],
  run: ({ values, positionals }, around: { readonly mark: string }) => {
    ran.push({ tunnels: values.tunnel, json: values.json, positionals, mark: around.mark })
    return Promise.resolve(values.json ? 1 : 0)
  },
})

const tokenList = command({
  words: ["token", "list"],
  summary: "lists the tokens",
  options: {},
  examples: [],
  run: () => Promise.resolve(0),
})

const table = {
  port: { group: "Main", placeholder: "PORT", help: "a port", default: "80", ...wholeNumber(0, 65_535) },
  route: { group: "Main", placeholder: "ROUTE", help: "a route", list: true, ...anyText },
  quiet: { group: "Main", help: "say less", flag: true, ...onOrOff },
  pass: { group: "Main", placeholder: "WORD", help: "a secret", secret: true, ...anyText },
  mode: { group: "Main", placeholder: "a|b", help: "a choice", ...choice(["a", "b"]) },
} as const satisfies OptionTable

const program: Program<typeof table, { readonly mark: string }> = {
  name: "tool",
  prefix: "TOOL",
  version: "1.2.3",
  summary: "A tool.",
  options: table,
  commands: [tokenCreate, tokenList],
  examples: [],
  notes: [],
}

const read = (
  ...argv: readonly string[]
): ReturnType<typeof readCommandLine<typeof table, { mark: string }>> =>
  readCommandLine(program, {
    parser: yargs(),
    argv,
    columns: 80,
    environment: {},
    yaml: () => import("yaml"),
    files,
  })

describe("a command", () => {
  test("gets its options, its positionals and its surroundings, and its result is the exit code", async () => {
    const line = await read("token", "create", "laptop", "--tunnel", "a", "--tunnel", "b", "--json")
    expect(line.kind === "command" && (await line.run({ mark: "x" }))).toBe(1)
    expect(ran).toEqual([{ tunnels: ["a", "b"], json: true, positionals: ["laptop"], mark: "x" }])
  })

  test("tells its own help", async () => {
    const line = await read("token", "create", "--help")
    expect(line).toMatchObject({ kind: "print" })
    expect(line.kind === "print" && line.text).toMatchInlineSnapshot(`
      "makes a token.

      Usage: tool token create NAME [options]

      The token:
        --tunnel NAME             a tunnel it may serve (may be repeated)

      Output:
        --json                    write JSON

      Other:
        -h, --help                this text

      Examples:
        tool token create laptop
            a token called laptop
      "
    `)
  })

  test("is listed in the program's help", async () => {
    const line = await read("--help")
    expect(line.kind === "print" && line.text).toContain("  token create NAME         makes a token\n")
  })

  test.each([
    [["tokens", "create"], "There is no such command. Did you mean token create?"],
    [["token", "crate"], "There is no such command. Did you mean token create?"],
    [["tokn"], "There is no such command. Did you mean token create or token list?"],
    [["--port", "1", "token", "list"], "A command comes first, before every option."],
    [["token"], "The command token wants one more word: token create, token list."],
    [["token", "xyzzy"], "The command token wants one more word: token create, token list."],
    [["hunter2"], "There is a word without an option before it."],
    [["token", "create"], "NAME is missing. Write token create NAME."],
    [["token", "create", "a", "b"], "There is a word too many. Write token create NAME"],
    [["token", "create", "a", "--jsn"], "There is no option --jsn. Did you mean --json?"],
    [["token", "create", "a", "--port", "1"], "There is no option --port."],
  ])("%j is refused in one line that says what to do", async (argv, line) => {
    expect(await commandError(read(...argv))).toContain(line)
  })
})

describe("kinds of options", () => {
  test("a list takes every time it is given, a flag no value, and both have a value when they are not given", async () => {
    expect(await read("--route", "a", "--quiet", "--route", "b")).toMatchObject({
      values: { route: ["a", "b"], quiet: true, port: 80, mode: undefined },
    })
    expect(await read()).toMatchObject({ values: { route: [], quiet: false } })
  })

  test.each([
    [["--quiet=loud"], "--quiet takes no value. Write --quiet alone, or leave it out."],
    [["--pass", "hunter2"], "--pass: A password does not belong on the command line"],
    [["--pass", "hunter2"], "Set TOOL_PASS instead, or write it into the file of --config."],
    [["--mode", "c"], '--mode: "c" is not one of a, b.'],
  ])("%j is refused in one line that says what to do", async (argv, line) => {
    const refusal = await commandError(read(...argv))
    expect(refusal).toContain(line)
    expect(refusal).not.toContain("hunter2")
  })
})
