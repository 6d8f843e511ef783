// One table says everything about a program's options: name, help, default and how the text is read.
// The programs hand it to their command line parser and let readOptions check what came back.
import { CommandError, shown } from "./command-error.ts"
import { didYouMean, nearestName } from "./nearest.ts"

/** One option, `--name VALUE`. Its name is its key in the table. */
export interface Option<Value> {
  /** What stands for the value in the help, e.g. "FILE". */
  readonly placeholder: string
  /** Heading in the help. */
  readonly group: string
  /** One or two plain sentences without a full stop at the end: what it does, its range. */
  readonly help: string
  /** Given when the option is not; read like a typed value. */
  readonly default?: string
  /** The program cannot run without it. */
  readonly required?: boolean
  /** The value of a text, or `CommandError("usage")` with a sentence that says what to write instead. */
  read(this: void, text: string): Value
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>

/** What a table's options read to: undefined only for those that are neither required nor have a default. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends
    | { readonly default: string }
    | { readonly required: true }
    ? ReturnType<Table[Name]["read"]>
    : ReturnType<Table[Name]["read"]> | undefined
}

/** What a command line parser found: every name it met with its text, or several texts when it was given more than once. */
export interface ParsedArguments {
  readonly named: Readonly<Record<string, unknown>>
  /** How many words stood there without an option before them. */
  readonly positionals: number
}

/**
 * Checks everything and reads all values. Raises `CommandError("usage")` for the first of: a name that the table does not have (with the
 * nearest one it has), a word without a name, an option given twice, without a value or with a wrong one, a missing required one.
 */
export function readOptions<const Table extends OptionTable>(
  table: Table,
  found: ParsedArguments,
): OptionValues<Table> {
  const names = Object.keys(table)
  for (const name of Object.keys(found.named)) {
    if (!Object.hasOwn(table, name)) throw new CommandError("usage", unknownOption(name, names))
  }
  if (found.positionals > 0) {
    // Not echoed: the word may be a token or a password that lost its option.
    throw new CommandError(
      "usage",
      "There is a word without an option before it. Every value follows its option, as in --port 8080.",
    )
  }
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(table)) {
    values[name] = readOption(name, option, found.named[name])
  }
  if (!isComplete(table, values)) throw new TypeError("an option was not read")
  return values
}

function isComplete<Table extends OptionTable>(table: Table, values: object): values is OptionValues<Table> {
  return Object.keys(table).every((name) => Object.hasOwn(values, name))
}

function readOption(name: string, option: Option<unknown>, given: unknown): unknown {
  if (Array.isArray(given)) throw new CommandError("usage", `--${name} is given more than once. Keep one.`)
  if (given === undefined) {
    if (option.default !== undefined) return option.read(option.default)
    if (option.required !== true) return undefined
    throw new CommandError(
      "usage",
      `--${name} is missing. Add --${name} ${option.placeholder}: ${option.help}.`,
    )
  }
  if (typeof given !== "string" || given === "") {
    throw new CommandError("usage", `--${name} has no value. Write --${name} ${option.placeholder}.`)
  }
  try {
    return option.read(given)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandError(error.code, `--${name}: ${error.message}`, { cause: error })
  }
}

/** Reads one of a few words. */
export function readChoice<const Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === text)
  if (found !== undefined) return found
  const nearest = didYouMean(text, choices)
  throw new CommandError("usage", `${shown(text)} is not one of ${choices.join(", ")}.${nearest}`)
}

/** Reads a whole number in a range, both ends allowed. */
export function readCount(text: string, least: number, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= least && count <= most) return count
  throw new CommandError(
    "usage",
    `${shown(text)} is not possible. Give a whole number from ${least} to ${most}.`,
  )
}

function unknownOption(name: string, names: readonly string[]): string {
  const dashes = name.length === 1 ? "-" : "--"
  // Only names are shown, never what followed; a name that is no name is cut.
  const typed = /^[\w.-]{1,40}$/.test(name) ? ` ${dashes}${name}` : ""
  const nearest = nearestName(name, [...names, "help", "version"])
  const remedy = nearest === undefined ? "See --help for the ones there are." : `Did you mean --${nearest}?`
  return `There is no option${typed}. ${remedy}`
}

export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const
export type LogLevel = (typeof logLevels)[number]
