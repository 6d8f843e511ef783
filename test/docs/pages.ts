// The README and every page of docs/, read by a real Markdown parser: what links, headings and fenced blocks they have.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import GithubSlugger from "github-slugger"
import { lexer, type Token, type Tokens } from "marked"

export interface Page {
  /** From the repository's root, as in docs/tls.md. */
  readonly path: string
  readonly text: string
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>
  /** Targets of its links and pictures. */
  readonly links: readonly string[]
  readonly blocks: readonly Block[]
  /** What stands between backquotes in the text, fenced blocks not included. */
  readonly codeSpans: readonly string[]
  readonly tables: readonly Table[]
}

/** A fenced block. ```sh keeps needs=docker: language `sh`, labels `keeps` (empty) and `needs` (`docker`). */
export interface Block {
  readonly language: string
  readonly labels: ReadonlyMap<string, string>
  readonly text: string
  /** Line of the page on which its text begins, from 1. */
  readonly line: number
}

/** Cells as they are written, blanks around them removed. */
export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export const root = fileURLToPath(new URL("../..", import.meta.url))

export function readPages(): readonly Page[] {
  const names = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  const docs = names.filter((name) => name.endsWith(".md")).map((name) => join("docs", name))
  return ["README.md", ...docs.toSorted()].map(readPage)
}

function readPage(path: string): Page {
  const text = readFileSync(join(root, path), "utf8")
  const tokens = lexer(text)
  const slugger = new GithubSlugger()
  const anchors = new Set<string>()
  const links: string[] = []
  const blocks: Block[] = []
  const codeSpans: string[] = []
  const tables: Table[] = []
  let searchedTo = 0
  for (const token of everyToken(tokens)) {
    if (isKind(token, "heading")) anchors.add(slugger.slug(plain(token.tokens)))
    else if (isKind(token, "link")) links.push(token.href)
    else if (isKind(token, "image")) links.push(token.href)
    else if (isKind(token, "codespan")) codeSpans.push(token.text)
    else if (isKind(token, "table")) tables.push(tableOf(token))
    else if (isKind(token, "code") && token.codeBlockStyle !== "indented") {
      searchedTo = Math.max(searchedTo, text.indexOf(token.raw.trimEnd(), searchedTo)) + 1
      blocks.push(blockOf(token, text.slice(0, searchedTo).split("\n").length + 1))
    }
  }
  return { path, text, anchors, links, blocks, codeSpans, tables }
}

function blockOf(token: Tokens.Code, line: number): Block {
  const [language = "", ...words] = (token.lang ?? "").split(/\s+/)
  const labels = new Map(
    words.map((word) => {
      const [name = "", ...value] = word.split("=")
      return [name, value.join("=")] as const
    }),
  )
  return { language, labels, text: token.text, line }
}

function tableOf(token: Tokens.Table): Table {
  const cells = (row: readonly Tokens.TableCell[]): readonly string[] => row.map((cell) => cell.text.trim())
  return { header: cells(token.header), rows: token.rows.map(cells) }
}

function* everyToken(tokens: readonly Token[]): Generator<Token> {
  for (const token of tokens) {
    yield token
    if (isKind(token, "table")) {
      for (const cell of [...token.header, ...token.rows.flat()]) yield* everyToken(cell.tokens)
    } else if (isKind(token, "list")) yield* everyToken(token.items)
    else if ("tokens" in token && token.tokens !== undefined) yield* everyToken(token.tokens)
  }
}

function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      "tokens" in token && token.tokens ? plain(token.tokens) : "text" in token ? token.text : "",
    )
    .join("")
}

interface Kinds {
  readonly heading: Tokens.Heading
  readonly link: Tokens.Link
  readonly image: Tokens.Image
  readonly codespan: Tokens.Codespan
  readonly code: Tokens.Code
  readonly table: Tokens.Table
  readonly list: Tokens.List
}

function isKind<Kind extends keyof Kinds>(token: Token, kind: Kind): token is Kinds[Kind] {
  return token.type === kind
}
