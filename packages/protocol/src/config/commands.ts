// A program's commands beside its main one: `proxy-out token create NAME`. What each takes, and which one was meant.
import { CommandError } from "./command-error.ts"
import { nearestName } from "./nearest.ts"
import type { OptionTable, OptionValues } from "./options.ts"
import type { Source } from "./settings.ts"

/** One command; `command()` makes it, so that `run` gets the types of its own options. `Around` is what the program gets from its process. */
export interface Command<Table extends OptionTable, Around> {
  /** What is typed after the program's name, e.g. ["token", "create"]. */
  readonly words: readonly string[]
  readonly positionals?: readonly Positional[]
  /** One sentence without a full stop: what it does. Its first line in the list of commands and in its own help. */
  readonly summary: string
  /**
   * An option that the program has too, under the same name, is also taken from the environment and the file of `--config`; the
   * others only from the command line.
   */
  readonly options: Table
  readonly examples: readonly Example[]
  /** Paragraphs after the examples. */
  readonly notes?: readonly string[]
  /** Gives the exit code, 0 when all is well. Raises `CommandError` for what the person has to put right. */
  run(call: CommandCall<Table>, around: Around): Promise<number>
}

export interface CommandCall<Table extends OptionTable> {
  readonly values: OptionValues<Table>
  /** The options that stand on the command line itself, as they were typed, in that order. */
  readonly typed: Source
  /** Words after the command, in the order of its positionals; as many as are required, at least. */
  readonly positionals: readonly string[]
  /** As `values`, for each tunnel of the file's `tunnels:`; one element where there is none. */
  readonly tunnels: readonly OptionValues<Table>[]
}

/** A word after the command that follows no option. */
export interface Positional {
  /** In capitals, e.g. "FILE". */
  readonly name: string
  /** Those that may be left out come last. */
  readonly optional?: true
  /** The last one may be given any number of times. */
  readonly repeated?: true
}

export interface Example {
  readonly command: string
  readonly meaning: string
}

export type AnyCommand<Around> = Command<OptionTable, Around>

/** Gives back what it gets: it is here so that `run` knows the types of the options. */
export function command<const Table extends OptionTable, Around>(
  made: Command<Table, Around>,
): Command<Table, Around> {
  return made
}

/** The command whose name `argv` begins with, and the words after that. */
export function findCommand<Around>(
  commands: readonly AnyCommand<Around>[],
  argv: readonly string[],
): { readonly command: AnyCommand<Around>; readonly rest: readonly string[] } | undefined {
  const found = commands.find(({ words }) => words.every((word, index) => argv[index] === word))
  return found && { command: found, rest: argv.slice(found.words.length) }
}

/** The words of a call, checked against the command's positionals. Raises `CommandError("usage")`. */
export function checkPositionals<Around>(
  { words, positionals = [] }: AnyCommand<Around>,
  given: readonly string[],
): readonly string[] {
  const missing = positionals.find(({ optional }, index) => optional !== true && index >= given.length)
  const usage = [...words, ...positionals.map(positionalUsage)].join(" ")
  if (missing !== undefined) {
    throw new CommandError("usage", `${missing.name} is missing. Write ${usage}.`)
  }
  if (given.length > positionals.length && positionals.at(-1)?.repeated !== true) {
    throw new CommandError(
      "usage",
      `There is a word too many. Write ${usage}, and every option with its value.`,
    )
  }
  return given
}

export function positionalUsage({ name, optional, repeated }: Positional): string {
  const usage = repeated === true ? `${name}...` : name
  return optional === true ? `[${usage}]` : usage
}

/** What is wrong with words that follow no option and begin no command. They are not shown: they may be a secret. */
export function strayWords<Around>(
  commands: readonly AnyCommand<Around>[],
  words: readonly string[],
): CommandError {
  return new CommandError("usage", strayWordsText(commands, words))
}

function strayWordsText<Around>(commands: readonly AnyCommand<Around>[], words: readonly string[]): string {
  const names = commands.map((one) => one.words.join(" "))
  const [first = "", second = ""] = words
  const typed = `${first} ${second}`.trim()
  const group = names.filter((name) => name.startsWith(`${first} `))
  if (names.includes(typed) || names.includes(first)) {
    return "A command comes first, before every option. See --help."
  }
  // Within a group only the second word is compared: the first would make everything look near.
  const inGroup = nearestName(second, new Set(group.map((name) => name.slice(first.length + 1))))
  const nearest =
    group.length > 0
      ? inGroup && `${first} ${inGroup}`
      : (nearestName(typed, names) ?? nearestName(first, names))
  if (nearest !== undefined) return `There is no such command. Did you mean ${nearest}?`
  if (group.length > 0) return `The command ${first} wants one more word: ${group.join(", ")}.`
  const groups = new Set(commands.map((one) => one.words[0] ?? ""))
  const near = nearestName(first, groups)
  const meant = near === undefined ? [] : names.filter((name) => name.startsWith(near))
  if (meant.length > 0) return `There is no such command. Did you mean ${meant.join(" or ")}?`
  return "There is a word without an option before it. Every value follows its option, as in --port 8080."
}
