// Writes --help of a program and of its commands from their tables of options.
import { positionalUsage, type AnyCommand, type Example } from "./commands.ts"
import type { Option, OptionTable } from "./options.ts"
import { placeholderOf, usageOf } from "./settings.ts"

/** A program as its person sees it. `Around` is what its commands get from the process. */
export interface Program<Table extends OptionTable, Around> {
  readonly name: string
  /** Begins the names of its environment variables, e.g. "PROXY_OUT". */
  readonly prefix: string
  readonly version: string
  /** A short paragraph: what the program is for. */
  readonly summary: string
  readonly options: Table
  readonly commands: readonly AnyCommand<Around>[]
  readonly examples: readonly Example[]
  /** Paragraphs after the examples. */
  readonly notes: readonly string[]
}

/** The help as lines of at most `columns` characters (but never narrower than 60), grouped in the order of the table. */
export function helpText<Table extends OptionTable, Around>(
  { name, summary, options, commands, examples, notes }: Program<Table, Around>,
  columns: number,
): string {
  const width = widthOf(columns)
  const sections = [...wrapped(summary, "", width), "", `Usage: ${name} [options]`]
  if (commands.length > 0) {
    sections.push(`       ${name} COMMAND [options]   (${name} COMMAND --help tells more)`, "", "Commands:")
    const rows = commands.map((one) => ({ term: usageOfCommand(one), meaning: one.summary }))
    sections.push(...rows.flatMap((row) => optionLines(row, width)))
  }
  sections.push(...optionSections(options, programRows, width), ...closing(examples, notes, width))
  return `${sections.join("\n")}\n`
}

/** The same for one command. */
export function commandHelpText<Around>(
  program: { readonly name: string },
  { words, positionals, summary, options, examples, notes }: AnyCommand<Around>,
  columns: number,
): string {
  const width = widthOf(columns)
  const usage = usageOfCommand({ words, ...(positionals && { positionals }) })
  const sections = [...wrapped(`${summary}.`, "", width), "", `Usage: ${program.name} ${usage} [options]`]
  sections.push(...optionSections(options, [helpRow], width), ...closing(examples, notes ?? [], width))
  return `${sections.join("\n")}\n`
}

interface Row {
  readonly term: string
  readonly meaning: string
}

const helpRow: Row = { term: "-h, --help", meaning: "this text" }
const programRows: readonly Row[] = [helpRow, { term: "-V, --version", meaning: "the version" }]

function widthOf(columns: number): number {
  return Math.max(60, Math.min(columns, 100))
}

function usageOfCommand({
  words,
  positionals = [],
}: Pick<AnyCommand<unknown>, "words" | "positionals">): string {
  return [...words, ...positionals.map(positionalUsage)].join(" ")
}

function optionSections(options: OptionTable, others: readonly Row[], width: number): string[] {
  const sections: string[] = []
  for (const [group, rows] of groupedRows(options, others)) {
    sections.push("", `${group}:`, ...rows.flatMap((row) => optionLines(row, width)))
  }
  return sections
}

function closing(examples: readonly Example[], notes: readonly string[], width: number): string[] {
  const sections = examples.length > 0 ? ["", "Examples:"] : []
  for (const { command, meaning } of examples) {
    sections.push(`  ${command}`, ...wrapped(meaning, "      ", width))
  }
  for (const note of notes) sections.push("", ...wrapped(note, "", width))
  return sections
}

function unless({ instead = [] }: Option<unknown>): string {
  return instead.length === 0 ? "" : ` without ${instead.map((name) => `--${name}`).join(" or ")}`
}

function groupedRows(options: OptionTable, others: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const [name, option] of Object.entries(options)) {
    const rows = groups.get(option.group) ?? []
    const facts = [
      ...(option.required === true ? [`required${unless(option)}`] : []),
      ...(option.secret === true ? ["environment or file only"] : []),
      ...(option.list === true ? ["may be repeated"] : []),
      ...(option.default === undefined || option.flag === true ? [] : [`default ${option.default}`]),
    ]
    rows.push({
      // Without dashes: it is refused on the command line.
      term: option.secret === true ? `${name} ${placeholderOf(option)}` : usageOf(name, option),
      meaning: option.help + (facts.length > 0 ? ` (${facts.join(", ")})` : ""),
    })
    groups.set(option.group, rows)
  }
  groups.set("Other", [...(groups.get("Other") ?? []), ...others])
  return groups
}

const meaningColumn = 28

function optionLines({ term, meaning }: Row, width: number): string[] {
  const lines = wrapped(meaning, " ".repeat(meaningColumn), width)
  const head = `  ${term}`
  if (head.length > meaningColumn - 2) return [head, ...lines]
  return [head.padEnd(meaningColumn) + (lines[0] ?? "").trimStart(), ...lines.slice(1)]
}

function wrapped(text: string, indent: string, width: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line)
      line = word
    } else {
      line = line === "" ? word : `${line} ${word}`
    }
  }
  return [...lines, indent + line]
}
