// From the words after a program's name to what they say about each option.
// The parser (yargs) is handed in, so that this package stays free of it.
import { CommandError } from "./command-error.ts"
import { nearestName } from "./nearest.ts"
import type { OptionTable } from "./options.ts"
import { usageOf, type Given } from "./settings.ts"
import { refuseTokenArguments } from "./token.ts"

export interface Arguments {
  /** What was given, by the option's name. */
  readonly given: ReadonlyMap<string, Given>
  /** Words that follow no option. */
  readonly words: readonly string[]
  readonly help: boolean
  readonly version: boolean
  readonly printConfig: boolean
}

/** The part of yargs that is used: it splits words into names and texts, and knows which words are values. */
export interface ArgumentParser {
  exitProcess(enabled: boolean): unknown
  help(enable: boolean): unknown
  version(enable: boolean): unknown
  parserConfiguration(configuration: Readonly<Record<string, boolean>>): unknown
  fail(listener: (message: string, error: Error | undefined) => never): unknown
  options(options: Readonly<Record<string, ParserOption>>): unknown
  parseAsync(argv: readonly string[]): Promise<Readonly<Record<string, unknown>>>
}

export interface ParserOption {
  readonly type: "string" | "boolean"
  readonly requiresArg?: boolean
  readonly alias?: string
}

/**
 * Raises `CommandError("usage")` for the first of: a token, a name that the table does not have (with the nearest one it has), an option
 * given twice or without a value. Never shows a value, which may be a secret. `--help` and `--version` win over all but a token.
 */
export async function readArguments(
  parser: ArgumentParser,
  table: OptionTable,
  argv: readonly string[],
): Promise<Arguments> {
  const names = Object.keys(table)
  refuseTokenArguments(argv, names)
  const { _: words, $0: _name, h: _h, V: _V, ...rest } = await split(parser, table, argv)
  const { help, version, "print-config": printConfig, ...named } = rest
  const given = new Map<string, Given>()
  if (help !== true && version !== true) {
    refuseFlagValues(table, argv)
    for (const [name, value] of Object.entries(named)) {
      if (value !== undefined)
        given.set(name, { texts: textsOf(name, value, table), origin: { kind: "flag" } })
    }
  }
  return {
    given,
    words: Array.isArray(words) ? words.map(String) : [],
    help: help === true,
    version: version === true,
    printConfig: printConfig === true,
  }
}

/** Options that every program has besides its own. */
const builtIn = {
  help: { type: "boolean", alias: "h" },
  version: { type: "boolean", alias: "V" },
  "print-config": { type: "boolean" },
} as const satisfies Readonly<Record<string, ParserOption>>

async function split(
  parser: ArgumentParser,
  table: OptionTable,
  argv: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  parser.exitProcess(false)
  parser.help(false)
  parser.version(false)
  parser.parserConfiguration(parserConfiguration)
  parser.fail((message, error) => {
    // The only complaint that is left to the parser.
    const name = /^Not enough arguments following: ([\w-]+)/.exec(message)?.[1]
    if (name === undefined) throw error ?? new TypeError(message)
    throw noValue(name, table)
  })
  const described: Record<string, ParserOption> = { ...builtIn }
  for (const [name, { flag }] of Object.entries(table)) {
    described[name] = flag === true ? { type: "boolean" } : { type: "string", requiresArg: true }
  }
  parser.options(described)
  return parser.parseAsync(argv)
}

/** Names stay as they were typed, numbers stay texts, nothing is split or negated: checking is ours. */
const parserConfiguration = {
  "boolean-negation": false,
  "camel-case-expansion": false,
  "dot-notation": false,
  "parse-numbers": false,
  "parse-positional-numbers": false,
  "short-option-groups": false,
}

function textsOf(name: string, value: unknown, table: OptionTable): readonly string[] {
  const option = Object.hasOwn(table, name) ? table[name] : undefined
  if (option === undefined) throw new CommandError("usage", unknownOption(name, Object.keys(table)))
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length > 1 && option.list !== true) {
    throw new CommandError("usage", `--${name} is given more than once. Keep one.`)
  }
  return values.map((one) => {
    if (typeof one === "boolean") return String(one)
    if (typeof one === "string" && one !== "") return one
    throw noValue(name, table)
  })
}

/** The parser takes any text after `--flag=` for false. */
function refuseFlagValues(table: OptionTable, argv: readonly string[]): void {
  for (const argument of argv) {
    if (argument === "--") return
    const [, name, value] = /^--([\w-]+)=(.*)$/s.exec(argument) ?? []
    if (name === undefined || value === "true" || value === "false") continue
    if ((Object.hasOwn(table, name) && table[name]?.flag === true) || Object.hasOwn(builtIn, name)) {
      throw new CommandError("usage", `--${name} takes no value. Write --${name} alone, or leave it out.`)
    }
  }
}

function noValue(name: string, table: OptionTable): CommandError {
  const usage = table[name] === undefined ? `--${name} VALUE` : usageOf(name, table[name])
  return new CommandError("usage", `--${name} has no value. Write ${usage}.`)
}

function unknownOption(name: string, names: readonly string[]): string {
  const dashes = name.length === 1 ? "-" : "--"
  // Only names are shown, never what followed; a name that is no name is cut.
  const typed = /^[\w.-]{1,40}$/.test(name) ? ` ${dashes}${name}` : ""
  const nearest = nearestName(name, [...names, ...Object.keys(builtIn)])
  const remedy = nearest === undefined ? "See --help for the ones there are." : `Did you mean --${nearest}?`
  return `There is no option${typed}. ${remedy}`
}
