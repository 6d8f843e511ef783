// A YAML file as nested values with their places. The parser (yaml) is handed in, so that this package stays free of it.
import { CommandError } from "./command-error.ts"

/** Line and column, counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export type Node =
  /** `text` is what was written, without quotes; undefined where nothing or `null` stands. */
  | { readonly kind: "scalar"; readonly at: Place; readonly text: string | undefined }
  | { readonly kind: "list"; readonly at: Place; readonly items: readonly Node[] }
  | { readonly kind: "map"; readonly at: Place; readonly entries: readonly Entry[] }

export interface Entry {
  readonly key: string
  readonly at: Place
  readonly value: Node
}

/** The part of the package `yaml` that is used. */
export interface YamlParser {
  parseDocument(text: string, options: YamlOptions): YamlDocument
  isMap(node: unknown): boolean
  isSeq(node: unknown): boolean
  isScalar(node: unknown): boolean
  isPair(node: unknown): boolean
}

interface YamlOptions {
  readonly prettyErrors: false
  readonly uniqueKeys: false
  readonly version: "1.2"
  readonly schema: "core"
  readonly logLevel: "error"
}

interface YamlDocument {
  readonly contents: unknown
  readonly errors: readonly { readonly code: string; readonly pos: readonly [number, number] }[]
}

/**
 * The file's one document; undefined when it is empty. Raises `CommandError("usage")` when it is not YAML, or uses what a configuration has
 * no need of: several documents, aliases, keys that are no plain words. Never shows what stands in the file. `file` begins the message.
 */
export function parseYaml(yaml: YamlParser, text: string, file: string): Node | undefined {
  const document = yaml.parseDocument(text, {
    prettyErrors: false,
    uniqueKeys: false,
    version: "1.2",
    schema: "core",
    logLevel: "error",
  })
  const places = new Places(text, file)
  const [error] = document.errors
  if (error !== undefined) {
    const reason = reasons[error.code] ?? "something does not fit here"
    throw places.problem(places.at(error.pos[0]), `This is not YAML: ${reason}.`)
  }
  if (document.contents === null) return undefined
  return nodeOf(yaml, document.contents, places, 0)
}

const deepest = 8

function nodeOf(yaml: YamlParser, input: unknown, places: Places, depth: number): Node {
  const at = places.at(startOf(input))
  if (depth > deepest) throw places.problem(at, "This is nested too deeply.")
  if (input === null) return { kind: "scalar", at, text: undefined }
  if (yaml.isScalar(input)) return { kind: "scalar", at, text: scalarText(input) }
  if (yaml.isSeq(input)) {
    return { kind: "list", at, items: itemsOf(input).map((item) => nodeOf(yaml, item, places, depth + 1)) }
  }
  if (yaml.isMap(input)) {
    return { kind: "map", at, entries: itemsOf(input).map((pair) => entryOf(yaml, pair, places, depth)) }
  }
  throw places.problem(at, "Aliases (*name) are not possible here. Write the value itself.")
}

function entryOf(yaml: YamlParser, pair: unknown, places: Places, depth: number): Entry {
  const key = fieldOf(pair, "key")
  const at = places.at(startOf(key))
  const text = yaml.isScalar(key) ? scalarText(key) : undefined
  if (text === undefined) throw places.problem(at, "A name and a colon belong here, as in  port: 8080.")
  const value = fieldOf(pair, "value") ?? null
  // An empty value has no place of its own.
  const node = value === null ? ({ kind: "scalar", at, text: undefined } as const) : undefined
  return { key: text, at, value: node ?? nodeOf(yaml, value, places, depth + 1) }
}

/** The text of a scalar; undefined for null. */
function scalarText(scalar: unknown): string | undefined {
  if (fieldOf(scalar, "value") === null) return undefined
  const source = fieldOf(scalar, "source")
  return typeof source === "string" ? source : String(fieldOf(scalar, "value"))
}

function itemsOf(collection: unknown): readonly unknown[] {
  const items = fieldOf(collection, "items")
  return Array.isArray(items) ? items : []
}

function startOf(node: unknown): number {
  const range = fieldOf(node, "range")
  const start: unknown = Array.isArray(range) ? range[0] : undefined
  return typeof start === "number" ? start : 0
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

/** Offsets of a text as lines and columns. */
class Places {
  readonly #text: string
  readonly #file: string

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  at(offset: number): Place {
    const before = this.#text.slice(0, offset)
    const lineStart = before.lastIndexOf("\n") + 1
    return { line: before.split("\n").length, column: offset - lineStart + 1 }
  }

  problem({ line, column }: Place, message: string): CommandError {
    return new CommandError("usage", `${this.#file}:${line}:${column}: ${message}`)
  }
}

/** The parser's own messages may quote the file, which may hold secrets. */
const reasons: Readonly<Record<string, string>> = {
  BAD_ALIAS: "an alias needs a name",
  BAD_COLLECTION_TYPE: "a tag does not fit what follows it",
  BAD_DIRECTIVE: "a line that begins with % is a directive, and this one is none",
  BAD_DQ_ESCAPE: "after a backslash in double quotes stands something that is no escape; use single quotes",
  BAD_INDENT: "the indentation does not fit the lines above",
  BAD_SCALAR_START: "a value cannot begin with this sign; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a value with a colon in it, or a second colon on the line; put the value in quotes",
  BLOCK_IN_FLOW: "inside of { } and [ ] everything is written with commas",
  KEY_OVER_1024_CHARS: "a name is too long",
  MISSING_CHAR:
    "a sign is missing, a colon after a name, a space after the colon, or a closing quote or bracket",
  MULTILINE_IMPLICIT_KEY: "a name without a colon, or a text of several lines that needs quotes",
  MULTIPLE_DOCS: "there is more than one document (a line with ---)",
  TAB_AS_INDENT: "it is indented by a tab; use spaces",
  UNEXPECTED_TOKEN: "something stands here that does not belong",
}
