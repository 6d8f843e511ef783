// Puts the sources of a program's options together: for each option the first source that gives it counts, and its text is read.
import { CommandError, shown } from "./command-error.ts"
import type { Option, OptionTable, OptionValues } from "./options.ts"

/** Where a value came from. Lines and columns count from 1. */
export type Origin =
  | { readonly kind: "flag" }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "default" }

/** What one source says about one option: several texts only for a list. */
export interface Given {
  readonly texts: readonly string[]
  readonly origin: Origin
}

/** What one source gives, by the option's name. */
export type Source = ReadonlyMap<string, Given>

export interface Setting extends Given {
  /** What the texts read to. */
  readonly value: unknown
}

export interface Settings {
  /** Those options that have a value. */
  readonly found: ReadonlyMap<string, Setting>
  /** Names of required options that no source gives. */
  readonly missing: readonly string[]
  /** What is wrong with the texts, in the order of the table; none of these options is among `found`. */
  readonly problems: readonly CommandError[]
}

/** `sources`: the one that counts most first; defaults come after all of them. `prefix` begins the names of variables, e.g. "PROXY_OUT". */
export function readSettings(table: OptionTable, sources: readonly Source[], prefix: string): Settings {
  const found = new Map<string, Setting>()
  const missing: string[] = []
  const problems: CommandError[] = []
  for (const [name, option] of Object.entries(table)) {
    const given = sources.find((source) => source.has(name))?.get(name) ?? defaultOf(option)
    if (given === undefined) {
      const instead = option.instead?.some((other) => sources.some((source) => source.has(other))) === true
      if (option.required === true && !instead) missing.push(name)
      continue
    }
    try {
      found.set(name, { ...given, value: readGiven(name, option, given, prefix) })
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      problems.push(error)
    }
  }
  return { found, missing, problems }
}

/** The values of settings without problems and missing ones. */
export function settingValues<Table extends OptionTable>(
  table: Table,
  settings: Settings,
): OptionValues<Table> {
  const problem = settings.problems[0] ?? missingProblems(table, settings)[0]
  if (problem !== undefined) throw problem
  const values: Record<string, unknown> = {}
  for (const name of Object.keys(table)) values[name] = settings.found.get(name)?.value
  if (!isComplete(table, values)) throw new TypeError("an option was not read")
  return values
}

/** What to say about required options that nobody gave. */
export function missingProblems(table: OptionTable, { missing }: Pick<Settings, "missing">): CommandError[] {
  return missing.map((name) => {
    const { help } = table[name]!
    return new CommandError("usage", `--${name} is missing. Add ${usageOf(name, table[name]!)}: ${help}.`)
  })
}

/** How the option is written on a command line. */
export function usageOf(name: string, option: Option<unknown>): string {
  return option.flag === true ? `--${name}` : `--${name} ${placeholderOf(option)}`
}

export function placeholderOf({ placeholder, flag }: Option<unknown>): string {
  return placeholder ?? (flag === true ? "true|false" : "VALUE")
}

/** Whether this text of the option must not be shown. */
export function isSecret({ secret }: Option<unknown>, text: string): boolean {
  return typeof secret === "function" ? secret(text) : secret === true
}

/** How a message names the place: `--port`, `PROXY_OUT_PORT` or `proxy-out.yaml:3:7: port`. */
function placeOf(name: string, origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "default":
      return `--${name}`
    case "environment":
      return origin.variable
    case "file":
      return `${origin.file}:${origin.line}:${origin.column}: ${name}`
  }
}

/** The environment variable of an option: "max-queue" gives "PROXY_OUT_MAX_QUEUE". */
export function variableOf(name: string, prefix: string): string {
  return `${prefix}_${name.toUpperCase().replaceAll("-", "_")}`
}

/** The items of a list that is written as one text. */
export function listItems(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
}

function isComplete<Table extends OptionTable>(table: Table, values: object): values is OptionValues<Table> {
  return Object.keys(table).every((name) => Object.hasOwn(values, name))
}

function defaultOf({ default: text, list, flag }: Option<unknown>): Given | undefined {
  const origin: Origin = { kind: "default" }
  if (list === true) return { texts: listItems(text ?? ""), origin }
  if (text !== undefined) return { texts: [text], origin }
  return flag === true ? { texts: ["false"], origin } : undefined
}

function readGiven(name: string, option: Option<unknown>, given: Given, prefix: string): unknown {
  const values = given.texts.map((text) => readText(name, option, { text, origin: given.origin, prefix }))
  return option.list === true ? values : values[0]
}

interface GivenText {
  readonly text: string
  readonly origin: Origin
  readonly prefix: string
}

function readText(name: string, option: Option<unknown>, { text, origin, prefix }: GivenText): unknown {
  const place = placeOf(name, origin)
  if (origin.kind === "flag" && isSecret(option, text)) {
    throw new CommandError(
      "usage",
      `${place}: A password does not belong on the command line, where every user of this machine can read it. ` +
        `Set ${variableOf(name, prefix)} instead, or write it into the file of --config.`,
    )
  }
  try {
    return option.read(text)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    // A reader may quote what it was given; of a secret nothing is shown.
    const reason =
      option.secret === true && error.message.includes(shown(text)) ? "This is not possible." : error.message
    throw new CommandError(error.code, `${place}: ${reason}`, { cause: error })
  }
}
