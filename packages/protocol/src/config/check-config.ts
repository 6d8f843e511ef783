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
    problems: problems.map(({ message }) => message).toSorted((a, b) => lineIn(a, path) - lineIn(b, path)),
    notes,
    exitCode: Math.max(0, ...problems.map(({ exitCode }) => exitCode)),
  }
}

/** The line that a message begins with, as in `FILE:3:7: …`; 0 without one. */
function lineIn(message: string, path: string): number {
  return message.startsWith(`${path}:`) ? Number.parseInt(message.slice(path.length + 1), 10) || 0 : 0
}
