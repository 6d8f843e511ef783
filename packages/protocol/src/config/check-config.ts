// Looks through a configuration file as a start would, for `config check FILE`: everything that is wrong, not only the first.
import { CommandError } from "./command-error.ts"
import {
  gatherConfiguration,
  type ConfiguredProgram,
  type Sources,
  type TunnelSettings,
} from "./configuration.ts"
import type { OptionTable, OptionValues } from "./options.ts"
import { settingValues } from "./settings.ts"

export interface CheckedFile {
  /** One line for each problem; none when the file is fine. */
  readonly problems: readonly string[]
  /** What else there is to say about it. */
  readonly notes: readonly string[]
  /** 0, 1 when the file cannot be read, 2 when something in it is wrong. */
  readonly exitCode: number
}

export interface FileCheck<Table extends OptionTable> extends Omit<Sources, "environment"> {
  /**
   * What a start looks at beyond single values, for one tunnel: options that do not fit together, files that they name. Each raises
   * `CommandError`, whose message begins with the option; called when the values themselves are right.
   */
  readonly startSteps: readonly ((values: OptionValues<Table>) => unknown)[]
}

/** The file alone counts: what is required but not in it may come from the command line or the environment. */
export async function checkConfigFile<Table extends OptionTable>(
  program: ConfiguredProgram & { readonly options: Table },
  path: string,
  { startSteps, ...sources }: FileCheck<Table>,
): Promise<CheckedFile> {
  const flags = new Map([["config", { texts: [path], origin: { kind: "flag" } }]] as const)
  const configuration = await gatherConfiguration(program, program.options, flags, {
    ...sources,
    environment: {},
  })
  const problems = configuration.problems.filter((problem) => !configuration.missing.includes(problem))
  if (problems.length === 0) {
    for (const tunnel of configuration.tunnels) {
      if (tunnel.missing.length > 0) continue
      const values = settingValues(program.options, tunnel)
      problems.push(...(await problemsOf(startSteps, values)).map((problem) => placed(problem, tunnel)))
    }
  }
  const elsewhere = new Set(configuration.tunnels.flatMap(({ missing }) => missing))
  const notes = [
    ...configuration.warnings,
    ...(elsewhere.size > 0
      ? [`Not in it, and needed by flag or environment: ${[...elsewhere].join(", ")}`]
      : []),
  ]
  return {
    // What stands at the top may be wrong for every tunnel, and is said once.
    problems: [...new Set(problems.map(({ message }) => message))].toSorted(
      (a, b) => lineIn(a, path) - lineIn(b, path),
    ),
    notes,
    exitCode: Math.max(0, ...problems.map(({ exitCode }) => exitCode)),
  }
}

async function problemsOf<Table extends OptionTable>(
  steps: readonly ((values: OptionValues<Table>) => unknown)[],
  values: OptionValues<Table>,
): Promise<CommandError[]> {
  const problems: CommandError[] = []
  for (const step of steps) {
    try {
      await step(values)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      problems.push(error)
    }
  }
  return problems
}

/** With the place in the file of the option that the message begins with. */
function placed(problem: CommandError, { found }: TunnelSettings): CommandError {
  const origin = found.get(/^--([a-z-]+)/.exec(problem.message)?.[1] ?? "")?.origin
  if (origin?.kind !== "file") return problem
  const { file, line, column } = origin
  return new CommandError(problem.code, `${file}:${line}:${column}: ${problem.message}`, { cause: problem })
}

/** The line that a message begins with, as in `FILE:3:7: …`; 0 without one. */
function lineIn(message: string, path: string): number {
  return message.startsWith(`${path}:`) ? Number.parseInt(message.slice(path.length + 1), 10) || 0 : 0
}
