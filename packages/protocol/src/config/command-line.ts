// From the words after a program's name to its checked options, or to the help text.
// The parser (yargs) is handed in, so that this package stays free of it.
import { CommandError } from "./command-error.ts"
import { helpText, type Program } from "./help.ts"
import { readOptions, type OptionTable, type OptionValues } from "./options.ts"
import { refuseTokenArguments } from "./token.ts"

/** What came of a command line: a text to print, or options to run with. */
export type CommandLine<Table extends OptionTable> =
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "run"; readonly values: OptionValues<Table> }

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

/** Raises `CommandError("usage")` for anything that is not right, without ever showing a value that may be a secret. */
export async function readCommandLine<const Table extends OptionTable>(
  parser: ArgumentParser,
  program: Program<Table>,
  argv: readonly string[],
  columns: number,
): Promise<CommandLine<Table>> {
  refuseTokenArguments(argv, Object.keys(program.options))
  const {
    _: words,
    $0: _name,
    h: _h,
    V: _V,
    help,
    version,
    ...named
  } = await split(parser, program.options, argv)
  if (help === true) return { kind: "print", text: helpText(program, columns) }
  if (version === true) return { kind: "print", text: `${program.version}\n` }
  return {
    kind: "run",
    values: readOptions(program.options, { named, positionals: Array.isArray(words) ? words.length : 0 }),
  }
}

async function split(
  parser: ArgumentParser,
  options: OptionTable,
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
    throw new CommandError(
      "usage",
      `--${name} has no value. Write --${name} ${options[name]?.placeholder ?? "VALUE"}.`,
    )
  })
  const described: Record<string, ParserOption> = {
    help: { type: "boolean", alias: "h" },
    version: { type: "boolean", alias: "V" },
  }
  for (const name of Object.keys(options)) described[name] = { type: "string", requiresArg: true }
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
