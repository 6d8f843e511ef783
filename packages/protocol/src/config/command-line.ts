// From a program's command line to what it asks for: a text to print, a command to run, or the program itself with its options.
import { readArguments, type ArgumentParser, type Arguments } from "./arguments.ts"
import { checkPositionals, findCommand, strayWords, type AnyCommand } from "./commands.ts"
import { commandHelpText, helpText, type Program } from "./help.ts"
import type { OptionTable, OptionValues } from "./options.ts"
import { readSettings, settingValues } from "./settings.ts"

/** What came of a command line. */
export type CommandLine<Table extends OptionTable, Around> =
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "command"; run(around: Around): Promise<number> }
  | { readonly kind: "run"; readonly values: OptionValues<Table> }

/** What it is read with. */
export interface Reading {
  readonly parser: ArgumentParser
  readonly argv: readonly string[]
  /** Width of the help. */
  readonly columns: number
}

/** Raises `CommandError("usage")` for anything that is not right, without ever showing a value that may be a secret. */
export async function readCommandLine<const Table extends OptionTable, Around>(
  program: Program<Table, Around>,
  reading: Reading,
): Promise<CommandLine<Table, Around>> {
  const { parser, argv, columns } = reading
  const found = findCommand(program.commands, argv)
  if (found !== undefined) return readCommand(program, found.command, { ...reading, argv: found.rest })
  const given = await readArguments(parser, program.options, argv)
  if (given.help) return { kind: "print", text: helpText(program, columns) }
  if (given.version) return { kind: "print", text: `${program.version}\n` }
  if (given.words.length > 0) throw strayWords(program.commands, given.words)
  return { kind: "run", values: valuesOf(program, program.options, given) }
}

async function readCommand<Table extends OptionTable, Around>(
  program: Program<Table, Around>,
  command: AnyCommand<Around>,
  { parser, argv, columns }: Reading,
): Promise<CommandLine<Table, Around>> {
  const given = await readArguments(parser, command.options, argv)
  if (given.help) return { kind: "print", text: commandHelpText(program, command, columns) }
  if (given.version) return { kind: "print", text: `${program.version}\n` }
  const positionals = checkPositionals(command, given.words)
  const values = valuesOf(program, command.options, given)
  return {
    kind: "command",
    run: (around) => command.run({ values, typed: given.given, positionals, tunnels: [values] }, around),
  }
}

function valuesOf<Table extends OptionTable>(
  { prefix }: { readonly prefix: string },
  table: Table,
  { given }: Arguments,
): OptionValues<Table> {
  return settingValues(table, readSettings(table, [given], prefix))
}
