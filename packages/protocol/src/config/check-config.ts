// Looks through a configuration file as a start would, for `config check FILE`: everything that is wrong, not only the first.
import { gatherConfiguration, type ConfiguredProgram, type Sources } from "./configuration.ts"

export interface CheckedFile {
  /** One line for each problem; none when the file is fine. */
  readonly problems: readonly string[]
  /** What else there is to say about it. */
  readonly notes: readonly string[]
  /** 0, 1 when the file cannot be read, 2 when something in it is wrong. */
  readonly exitCode: number
}

/** The file alone counts: what is required but not in it may come from the command line or the environment. */
export async function checkConfigFile(
  program: ConfiguredProgram,
  path: string,
  sources: Omit<Sources, "environment">,
): Promise<CheckedFile> {
  const flags = new Map([["config", { texts: [path], origin: { kind: "flag" } }]] as const)
  const configuration = await gatherConfiguration(program, program.options, flags, {
    ...sources,
    environment: {},
  })
  const problems = configuration.problems.filter((problem) => !configuration.missing.includes(problem))
  const elsewhere = new Set(configuration.tunnels.flatMap(({ missing }) => missing))
  const notes = [
    ...configuration.warnings,
    ...(elsewhere.size > 0
      ? [`Not in it, and needed by flag or environment: ${[...elsewhere].join(", ")}`]
      : []),
  ]
  return {
    problems: problems.map(({ message }) => message),
    notes,
    exitCode: Math.max(0, ...problems.map(({ exitCode }) => exitCode)),
  }
}
