// Writes a program's --help from its table of options.
import type { OptionTable } from "./options.ts"

export interface Program<Table extends OptionTable> {
  readonly name: string
  readonly version: string
  /** A short paragraph: what the program is for. */
  readonly summary: string
  readonly options: Table
  readonly examples: readonly Example[]
  /** Paragraphs after the examples. */
  readonly notes: readonly string[]
}

export interface Example {
  readonly command: string
  readonly meaning: string
}

/** The help as lines of at most `columns` characters (but never narrower than 60), grouped in the order of the table. */
export function helpText<Table extends OptionTable>(program: Program<Table>, columns: number): string {
  const width = Math.max(60, Math.min(columns, 100))
  const sections = [...wrapped(program.summary, "", width), "", `Usage: ${program.name} [options]`]
  for (const [group, rows] of groupedRows(program.options)) {
    sections.push("", `${group}:`, ...rows.flatMap((row) => optionLines(row, width)))
  }
  sections.push("", "Examples:")
  for (const { command, meaning } of program.examples) {
    sections.push(`  ${command}`, ...wrapped(meaning, "      ", width))
  }
  for (const note of program.notes) sections.push("", ...wrapped(note, "", width))
  return `${sections.join("\n")}\n`
}

interface Row {
  readonly term: string
  readonly meaning: string
}

const otherRows: readonly Row[] = [
  { term: "-h, --help", meaning: "this text" },
  { term: "-V, --version", meaning: "the version" },
]

function groupedRows(options: OptionTable): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const [name, option] of Object.entries(options)) {
    const rows = groups.get(option.group) ?? []
    const facts =
      option.required === true
        ? " (required)"
        : option.default === undefined
          ? ""
          : ` (default ${option.default})`
    rows.push({ term: `--${name} ${option.placeholder}`, meaning: option.help + facts })
    groups.set(option.group, rows)
  }
  groups.set("Other", [...(groups.get("Other") ?? []), ...otherRows])
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
