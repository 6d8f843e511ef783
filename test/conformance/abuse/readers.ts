// Readers of what reached the upstream: Node's parser, strict and with everything forgiven, and line readers that forgive what
// none should. Where all see the same requests, no server of the world can be made to see another one.
import { createRequire } from "node:module"
import { nodeMethods } from "../../../packages/protocol/test/http1/oracle.ts"
import type { Asked } from "./abuse-case.ts"

export interface Seen {
  readonly whole: readonly Asked[]
  /** Bytes behind the last whole request. */
  readonly rest: number
}

export interface NamedReader {
  readonly name: string
  /** Whether it can say anything about requests with this method. */
  knows(method: string): boolean
  read(bytes: Buffer): Seen
}

/** What a careless reader makes of what is doubtful. */
interface Taste {
  /** Of two lines with one name, the one that counts. */
  readonly counts: "first" | "last"
  /** Whether a CR alone ends a line. */
  readonly crEndsLine: boolean
  /** Which of the two counts when both are there. */
  readonly prefers: "coding" | "length"
}

const tastes: readonly Taste[] = (["first", "last"] as const).flatMap((counts) =>
  [true, false].flatMap((crEndsLine) =>
    (["coding", "length"] as const).map((prefers) => ({ counts, crEndsLine, prefers })),
  ),
)

/** Whole requests from the start of `text`, as somebody reads them who takes lines as they come. */
export function readLines(text: string, taste: Taste = tastes[0]!): Seen {
  const whole: Asked[] = []
  for (let from = 0; ;) {
    const request = readRequest(text, from, taste)
    if (request === undefined) return { whole, rest: text.length - from }
    whole.push(request.asked)
    from = request.end
  }
}

function readRequest(text: string, from: number, taste: Taste): { asked: Asked; end: number } | undefined {
  let at = from
  while (text[at] === "\r" || text[at] === "\n") at++
  const lines: string[] = []
  for (;;) {
    const line = nextLine(text, at, taste)
    if (line === undefined) return undefined
    at = line.end
    if (line.text === "") break
    if (/^[ \t]/.test(line.text) && lines.length > 0) lines.push(`${lines.pop()} ${line.text.trim()}`)
    else lines.push(line.text)
  }
  const [start = "", ...fields] = lines
  const [method = "", target = ""] = start.trim().split(/\s+/)
  const valueOf = (name: string): string | undefined => {
    const values = fields
      // oxlint-disable-next-line no-control-regex -- they are what some readers overlook
      .map((line) => line.replaceAll(/[\0-\x1f\x7f]/g, "").split(":"))
      .filter(([field = ""]) => field.trim().toLowerCase() === name)
      .map(([, ...value]) => value.join(":").trim())
    return taste.counts === "first" ? values[0] : values.at(-1)
  }
  const coding = valueOf("transfer-encoding")?.toLowerCase().includes("chunked") === true
  const length = valueOf("content-length")
  if (coding && !(length !== undefined && taste.prefers === "length")) {
    const body = readChunks(text, at, taste)
    return body && { asked: { method, target, body: body.content }, end: body.end }
  }
  const bytes = Math.max(0, Number.parseInt(length ?? "0") || 0)
  if (text.length < at + bytes) return undefined
  return { asked: { method, target, body: text.slice(at, at + bytes) }, end: at + bytes }
}

function readChunks(text: string, from: number, taste: Taste): { content: string; end: number } | undefined {
  let content = ""
  let at = from
  for (;;) {
    const line = nextLine(text, at, taste)
    if (line === undefined) return undefined
    const size = Number.parseInt(line.text.trim(), 16) || 0
    at = line.end
    if (size <= 0) break
    if (text.length < at + size) return undefined
    content += text.slice(at, at + size)
    at += size
    if (text[at] === "\r") at++
    if (text[at] === "\n") at++
  }
  for (;;) {
    const line = nextLine(text, at, taste)
    if (line === undefined) return undefined
    at = line.end
    if (line.text === "") return { content, end: at }
  }
}

function nextLine(
  text: string,
  from: number,
  { crEndsLine }: Taste,
): { text: string; end: number } | undefined {
  const found = crEndsLine ? /\r\n?|\n/g : /\r?\n/g
  found.lastIndex = from
  const end = found.exec(text)
  return end === null ? undefined : { text: text.slice(from, end.index), end: end.index + end[0].length }
}

interface NodeParser {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void
  execute(bytes: Buffer): number | Error
  [callback: number]: (...received: never[]) => unknown
}
interface NodeParserClass {
  new (): NodeParser
  readonly REQUEST: number
  readonly kLenientNone: number
  readonly kLenientAll: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}
const require = createRequire(import.meta.url)
const common: { HTTPParser: NodeParserClass; methods: readonly string[] } = require("node:_http_common")
const { HTTPParser } = common
const maxHeadBytes = 4 * 1024 * 1024

function readWithNode(bytes: Buffer, leniency: number): Seen {
  const parser = new HTTPParser()
  const whole: Asked[] = []
  let method = ""
  let target = ""
  let body = ""
  let early = ""
  let inside = false
  parser[HTTPParser.kOnHeaders] = (_fields: string[], url: string) => {
    early += url
  }
  parser[HTTPParser.kOnHeadersComplete] = (
    ...head: [number, number, unknown, number, string | undefined]
  ) => {
    method = head[3] === 46 ? "QUERY" : (common.methods[head[3]] ?? "")
    target = early + (head[4] ?? "")
    early = ""
    body = ""
    inside = true
    return 0
  }
  parser[HTTPParser.kOnBody] = (piece: Buffer) => {
    body += piece.toString("latin1")
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    early = "" // a trailer comes as fields without a target
    inside = false
    whole.push({ method, target, body })
  }
  parser.initialize(HTTPParser.REQUEST, {}, maxHeadBytes, leniency)
  const result = parser.execute(bytes)
  return { whole, rest: inside || typeof result !== "number" ? 1 : 0 }
}

export const readers: readonly NamedReader[] = [
  ...tastes.map((taste) => ({
    name: `a line reader (${taste.counts} line counts, ${taste.crEndsLine ? "CR ends lines" : "LF ends lines"}, ${taste.prefers} preferred)`,
    knows: () => true,
    read: (bytes: Buffer) => readLines(bytes.toString("latin1"), taste),
  })),
  {
    name: "Node's strict parser",
    knows: (method) => nodeMethods.has(method),
    read: (bytes) => readWithNode(bytes, HTTPParser.kLenientNone),
  },
  {
    name: "Node's parser with everything forgiven",
    knows: (method) => nodeMethods.has(method),
    read: (bytes) => readWithNode(bytes, HTTPParser.kLenientAll),
  },
]
