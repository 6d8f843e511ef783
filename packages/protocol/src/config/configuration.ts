// All that a program was told, from the command line, the environment and the file: what it means, where it came from, and
// everything that is wrong with it.
import { holdsSecrets, readConfigFile, type FileReader, type FileSource } from "./config-file.ts"
import { CommandError } from "./command-error.ts"
import { readEnvironment, type Environment } from "./environment.ts"
import type { OptionTable, OptionValues } from "./options.ts"
import {
  missingProblems,
  placeholderOf,
  readSettings,
  settingValues,
  type Settings,
  type Source,
} from "./settings.ts"
import type { YamlParser } from "./yaml-document.ts"

export interface Configuration {
  readonly top: Settings
  /** The settings of each tunnel: what its entry says, else the top. One where the file has no `tunnels:`. */
  readonly tunnels: readonly TunnelSettings[]
  /** All that is wrong, in the order in which it is best put right. */
  readonly problems: readonly CommandError[]
  /** Those among the problems that only say that something required is nowhere. */
  readonly missing: readonly CommandError[]
  readonly warnings: readonly string[]
}

export interface TunnelSettings extends Settings {
  /** Its name, when it stands under `tunnels:`. */
  readonly entry: string | undefined
  /** What its entry itself says. */
  readonly own: ReadonlySet<string>
}

/** Where the configuration comes from besides the command line. */
export interface Sources {
  readonly environment: Environment
  /** Loads the parser. A program without a file starts sooner without it. */
  readonly yaml: () => Promise<YamlParser>
  readonly files: FileReader
}

export interface ConfiguredProgram {
  readonly prefix: string
  /** The program's own options: what may stand in the environment and the file. */
  readonly options: OptionTable
}

/**
 * What `table` (the program's own or a command's) is given by all sources: flag, environment, file, default, the first one counts.
 * Only options that the program has are looked for beyond the command line. Never raises `CommandError`: problems are collected.
 */
export async function gatherConfiguration(
  program: ConfiguredProgram,
  table: OptionTable,
  flags: Source,
  sources: Sources,
): Promise<Configuration> {
  const shares = Object.keys(table).some((name) => Object.hasOwn(program.options, name))
  const environment = readEnvironment(program.prefix, program.options, shares ? sources.environment : {})
  const path = (flags.get("config") ?? environment.given.get("config"))?.texts[0]
  const read = path === undefined ? undefined : await readFileSource(path, program.options, sources)
  const file = read instanceof CommandError ? undefined : read
  const top = readSettings(table, [flags, environment.given, file?.given ?? new Map()], program.prefix)
  const problems = [
    ...environment.problems,
    ...(read instanceof CommandError ? [read] : (file?.problems ?? [])),
    ...top.problems,
  ]
  const tunnels =
    file?.tunnels === undefined || table["tunnel"] === undefined
      ? [{ ...top, entry: undefined, own: new Set<string>() }]
      : tunnelSettings(table, top, file, path ?? "", problems)
  const missing =
    file?.tunnels === undefined
      ? missingProblems(table, top)
      : missingOfTunnels(table, tunnels, file, path ?? "")
  const warnings =
    file !== undefined && file.open && holdsSecrets(program.options, file)
      ? [`${path} holds a secret and others may read it: chmod 600 it`]
      : []
  return { top, tunnels, problems: [...problems, ...missing], missing, warnings }
}

/** The values of each tunnel, the first one's standing for the program's. Raises the first problem. */
export function configuredValues<Table extends OptionTable>(
  table: Table,
  { tunnels, problems }: Configuration,
): readonly [OptionValues<Table>, ...OptionValues<Table>[]] {
  if (problems[0] !== undefined) throw problems[0]
  const [first, ...rest] = tunnels.map((settings) => settingValues(table, settings))
  if (first === undefined) throw new TypeError("there is always one tunnel")
  return [first, ...rest]
}

async function readFileSource(
  path: string,
  table: OptionTable,
  sources: Sources,
): Promise<FileSource | CommandError> {
  try {
    return await readConfigFile(path, table, sources)
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
}

function tunnelSettings(
  table: OptionTable,
  top: Settings,
  { tunnels = [] }: FileSource,
  path: string,
  problems: CommandError[],
): TunnelSettings[] {
  const asked = top.found.get("tunnel")
  if (asked !== undefined && asked.origin.kind !== "default") {
    problems.push(
      new CommandError(
        "usage",
        `${path} has tunnels:, so the name of a single tunnel (--tunnel) is not possible. Leave one of them out.`,
      ),
    )
  }
  return tunnels.map(({ name, at, given }) => {
    const named = new Map([
      ...given,
      ["tunnel", { texts: [name], origin: { kind: "file", file: path, ...at } }] as const,
    ])
    const ownTable = Object.fromEntries(Object.entries(table).filter(([option]) => named.has(option)))
    const own = readSettings(ownTable, [named], "")
    problems.push(...own.problems)
    const found = new Map([...top.found, ...own.found])
    const missing = top.missing.filter(
      (option) => !named.has(option) && table[option]?.instead?.some((other) => named.has(other)) !== true,
    )
    return { found, missing, problems: [], entry: name, own: new Set(given.keys()) }
  })
}

/** What is required and neither at the top nor in the entry; said once per entry where the entry may hold it. */
function missingOfTunnels(
  table: OptionTable,
  tunnels: readonly TunnelSettings[],
  { tunnels: entries = [] }: FileSource,
  path: string,
): CommandError[] {
  const shared = tunnels[0]?.missing.filter((name) => table[name]?.perTunnel !== true) ?? []
  const ofEntries = tunnels.flatMap(({ missing, entry }, index) =>
    missing
      .filter((name) => table[name]?.perTunnel === true)
      .map((name) => {
        const { line, column } = entries[index]?.at ?? { line: 1, column: 1 }
        const usage = `${name}: ${placeholderOf(table[name]!)}`
        return new CommandError(
          "usage",
          `${path}:${line}:${column}: The tunnel ${entry} has no ${name}. Write  ${usage}  below its name.`,
        )
      }),
  )
  return [...missingProblems(table, { missing: shared }), ...ofEntries]
}
