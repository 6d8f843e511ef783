// Reads a program's configuration file: one YAML map whose keys are the options' names, and for proxy-in `tunnels:`.
import { CommandError, shown, systemReason } from "./command-error.ts"
import { nearestName } from "./nearest.ts"
import type { Option, OptionTable } from "./options.ts"
import { isSecret, placeholderOf, type Given, type Source } from "./settings.ts"
import { looksLikeToken } from "./token.ts"
import { parseYaml, type Entry, type Node, type Place, type YamlParser } from "./yaml-document.ts"

/** The part of `node:fs/promises` that is used. */
export interface FileReader {
  stat(path: string): Promise<{ readonly size: number; readonly mode: number }>
  readFile(path: string, encoding: "utf8"): Promise<string>
}

/** What a file says. Everything wrong in it is collected, so that one reading tells it all. */
export interface FileSource {
  readonly given: Source
  /** Entries of `tunnels:`; undefined when the file has no such key. */
  readonly tunnels: readonly TunnelEntry[] | undefined
  readonly problems: readonly CommandError[]
  /** Others than the owner may read it. */
  readonly open: boolean
}

export interface TunnelEntry {
  readonly name: string
  readonly at: Place
  readonly given: Source
}

/** Raises `CommandError` when there is nothing to look into: no file, too large, not YAML. */
export async function readConfigFile(
  path: string,
  table: OptionTable,
  { yaml, files }: { readonly yaml: () => Promise<YamlParser>; readonly files: FileReader },
): Promise<FileSource> {
  const { text, mode } = await readWhole(path, files)
  const reader = new FileMap(path, table)
  const root = parseYaml(await yaml(), text, path)
  reader.read(root)
  return {
    given: reader.given,
    tunnels: reader.tunnels,
    problems: reader.problems,
    open: (mode & 0o044) !== 0,
  }
}

const mostBytes = 1024 * 1024

async function readWhole(path: string, files: FileReader): Promise<{ text: string; mode: number }> {
  try {
    const { size, mode } = await files.stat(path)
    if (size > mostBytes) throw tooLarge(path)
    const text = await files.readFile(path, "utf8")
    if (text.length > mostBytes) throw tooLarge(path)
    return { text, mode }
  } catch (error) {
    if (error instanceof CommandError) throw error
    const name = looksLikeToken(path) ? "file" : shown(path)
    throw new CommandError(
      "startup",
      `Cannot read the configuration ${name}: ${systemReason(error)}. Check its name and who may read it.`,
      { cause: error },
    )
  }
}

function tooLarge(path: string): CommandError {
  return new CommandError("usage", `${shown(path)} is larger than 1 MiB: that is no configuration.`)
}

class FileMap {
  readonly given = new Map<string, Given>()
  readonly problems: CommandError[] = []
  readonly #file: string
  readonly #table: OptionTable
  #tunnels: TunnelEntry[] | undefined

  constructor(file: string, table: OptionTable) {
    this.#file = file
    this.#table = table
  }

  get tunnels(): readonly TunnelEntry[] | undefined {
    return this.#tunnels
  }

  read(root: Node | undefined): void {
    if (root === undefined) return
    if (root.kind !== "map") {
      this.#complain(root.at, "The file wants options, each on its line with a colon, as in  port: 8080.")
      return
    }
    const perTunnel = namesWhere(this.#table, ({ perTunnel: own }) => own === true)
    const names = Object.keys(this.#table).filter((name) => name !== "config")
    for (const entry of this.#once(root.entries)) {
      if (entry.key === "tunnels" && perTunnel.length > 0) this.#readTunnels(entry, perTunnel)
      else this.#readOption(entry, [...names, ...(perTunnel.length > 0 ? ["tunnels"] : [])], this.given)
    }
  }

  #readTunnels({ value, at }: Entry, names: readonly string[]): void {
    this.#tunnels = []
    if (value.kind !== "map" || value.entries.length === 0) {
      this.#complain(
        at,
        "tunnels: wants the tunnels' names, each with a colon and its options indented below it.",
      )
      return
    }
    for (const tunnel of this.#once(value.entries)) {
      const given = new Map<string, Given>()
      if (tunnel.value.kind === "map") {
        for (const entry of this.#once(tunnel.value.entries)) this.#readOption(entry, names, given)
      } else if (tunnel.value.kind === "list" || tunnel.value.text !== undefined) {
        this.#complain(
          tunnel.value.at,
          "A tunnel wants its options, each on its own line, as in  server: http://…",
        )
      }
      this.#tunnels.push({ name: tunnel.key, at: tunnel.at, given })
    }
  }

  #readOption({ key, at, value }: Entry, names: readonly string[], given: Map<string, Given>): void {
    const option = names.includes(key) ? this.#table[key] : undefined
    if (option === undefined) {
      this.#complain(at, this.#unknownKey(key, names))
      return
    }
    const nodes = option.list === true && value.kind === "list" ? value.items : [value]
    const texts: string[] = []
    for (const node of nodes) {
      if (node.kind === "scalar" && node.text !== undefined && node.text !== "") texts.push(node.text)
      else this.#complain(node.at, wrongShape(key, option, node))
    }
    if (texts.length === nodes.length) {
      given.set(key, { texts, origin: { kind: "file", file: this.#file, ...value.at } })
    }
  }

  #unknownKey(key: string, names: readonly string[]): string {
    const typed = /^[\w.-]{1,40}$/.test(key) && !looksLikeToken(key) ? ` ${key}` : ""
    if (Object.hasOwn(this.#table, key)) {
      return key === "config"
        ? "config cannot stand in the file itself."
        : `${key} is the same for all tunnels. Move it out of tunnels:, to the left edge.`
    }
    const nearest = nearestName(key, names)
    const remedy =
      nearest === undefined
        ? "The names are those of --help, without the dashes."
        : `Did you mean ${nearest}?`
    return `There is no option${typed}. ${remedy}`
  }

  /** The entries without those whose key stood there before. */
  #once(entries: readonly Entry[]): Entry[] {
    const firsts = new Map<string, Entry>()
    for (const entry of entries) {
      const first = firsts.get(entry.key)
      if (first === undefined) firsts.set(entry.key, entry)
      else this.#complain(entry.at, `This name stands there twice, first on line ${first.at.line}. Keep one.`)
    }
    return [...firsts.values()]
  }

  #complain({ line, column }: Place, message: string): void {
    this.problems.push(new CommandError("usage", `${this.#file}:${line}:${column}: ${message}`))
  }
}

/** Whether the file gives something that others must not see. */
export function holdsSecrets(table: OptionTable, { given, tunnels = [] }: FileSource): boolean {
  return [given, ...tunnels.map((tunnel) => tunnel.given)].some((source) =>
    source.entries().some(([name, { texts }]) => texts.some((text) => isSecret(table[name]!, text))),
  )
}

function namesWhere(table: OptionTable, wanted: (option: Option<unknown>) => boolean): string[] {
  return Object.keys(table).filter((name) => wanted(table[name]!))
}

function wrongShape(key: string, option: Option<unknown>, node: Node): string {
  const usage = `${key}: ${placeholderOf(option)}`
  switch (node.kind) {
    case "scalar":
      return `${key} has no value. Write  ${usage}  or leave the line out.`
    case "list":
      return `${key} wants one value, not a list. Write  ${usage}`
    case "map":
      return `${key} wants one value, not options of its own. Write  ${usage}`
  }
}
