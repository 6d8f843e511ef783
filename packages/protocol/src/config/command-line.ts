// From a program's command line to what it asks for: a text to print, a command to run, or the program itself with its options.
import { readArguments, type ArgumentParser } from "./arguments.ts"
import { checkPositionals, findCommand, strayWords, type AnyCommand } from "./commands.ts"
import { configuredValues, gatherConfiguration, type Configuration, type Sources } from "./configuration.ts"
import { commandHelpText, helpText, type Program } from "./help.ts"
import type { OptionTable, OptionValues } from "./options.ts"
import { printedConfiguration } from "./print-config.ts"

/** What came of a command line. */
export type CommandLine<Table extends OptionTable, Around> =
  /** `problems`: what else is wrong, for the log; when there is any, the program could not have run. */
  | { readonly kind: "print"; readonly text: string; readonly problems: readonly string[] }
  | { readonly kind: "command"; run(around: Around): Promise<number> }
  | RunLine<Table>

export interface RunLine<Table extends OptionTable> {
  readonly kind: "run"
  /** What is the same for all tunnels; the others are the first tunnel's. */
  readonly values: OptionValues<Table>
  /** The values of each entry of `tunnels:`; just `values` where there is none. */
  readonly tunnels: readonly [OptionValues<Table>, ...OptionValues<Table>[]]
  readonly configuration: Configuration
}

/** What it is read with. */
export interface Reading extends Sources {
  readonly parser: ArgumentParser
  readonly argv: readonly string[]
  /** Width of the help. */
  readonly columns: number
}

/** Raises `CommandError` for anything that is not right, without ever showing a value that may be a secret. */
export async function readCommandLine<const Table extends OptionTable, Around>(
  program: Program<Table, Around>,
  reading: Reading,
): Promise<CommandLine<Table, Around>> {
  const { parser, argv, columns } = reading
  const found = findCommand(program.commands, argv)
  if (found !== undefined) return readCommand(program, found.command, { ...reading, argv: found.rest })
  const given = await readArguments(parser, program.options, argv)
  if (given.help) return printed(helpText(program, columns))
  if (given.version) return printed(`${program.version}\n`)
  if (given.words.length > 0) throw strayWords(program.commands, given.words)
  const configuration = await gatherConfiguration(program, program.options, given.given, reading)
  if (given.printConfig) return printedConfiguration(program, configuration)
  const tunnels = configuredValues(program.options, configuration)
  return { kind: "run", values: tunnels[0], tunnels, configuration }
}

async function readCommand<Table extends OptionTable, Around>(
  program: Program<Table, Around>,
  command: AnyCommand<Around>,
  reading: Reading,
): Promise<CommandLine<Table, Around>> {
  const given = await readArguments(reading.parser, command.options, reading.argv)
  if (given.help) return printed(commandHelpText(program, command, reading.columns))
  if (given.version) return printed(`${program.version}\n`)
  const positionals = checkPositionals(command, given.words)
  const configuration = await gatherConfiguration(program, command.options, given.given, reading)
  const tunnels = configuredValues(command.options, configuration)
  return {
    kind: "command",
    run: (around) => command.run({ values: tunnels[0], typed: given.given, positionals, tunnels }, around),
  }
}

function printed(text: string): { kind: "print"; text: string; problems: [] } {
  return { kind: "print", text, problems: [] }
}
