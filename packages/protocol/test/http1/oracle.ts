// Node's own HTTP/1 parser (llhttp, strict) as the other opinion. It is reached through node:_http_common, which is not public API:
// only this file knows, and only tests use it.

import { createRequire } from "node:module"
import type { Message, Stream, Transcript } from "./transcript.ts"

/** Reads the pieces with Node's parser, to the end of input unless it fails or the connection becomes another protocol. */
export function readNode(stream: Stream, pieces: readonly Buffer[]): Transcript {
  const out: Transcript = { messages: [], error: undefined, rest: -1 }
  const parser = new HTTPParser()
  const type = stream.kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE
  // Strict, but it reads on after a message that ends the connection: where that is, is compared by keep-alive.
  parser.initialize(type, {}, maxHeadBytes, HTTPParser.kLenientKeepAlive)
  const isDone = listen(parser, stream, out.messages)
  for (const piece of pieces) {
    if (out.rest !== -1) {
      out.rest += piece.length
      continue
    }
    const result = parser.execute(piece)
    if (typeof result !== "number") {
      out.error = result.code
      return out
    }
    if (isDone()) out.rest = piece.length - result
  }
  if (out.rest === -1) out.error = parser.finish()?.code
  return out
}

/** Fills `messages` from the parser's callbacks; returns whether the connection has become another protocol. */
function listen(parser: NodeParser, stream: Stream, messages: Message[]): () => boolean {
  let current: Message | undefined
  let earlyFields: string[] = []
  let earlyUrl = ""
  let answered = 0
  let upgraded = false
  // Many fields, and trailers, come in advance by this one.
  parser[HTTPParser.kOnHeaders] = (fields: string[], url: string) => {
    earlyFields.push(...fields)
    earlyUrl += url
  }
  parser[HTTPParser.kOnHeadersComplete] = (...head: HeadArguments) => {
    const [, minorVersion, fields, method = -1, url, status = 0, reason = "", upgrade, keepAlive] = head
    const isRequest = stream.kind === "request"
    current = {
      start: isRequest ? [methodName(method), url ?? earlyUrl] : [String(status), reason],
      minorVersion,
      fields: fields === undefined ? earlyFields : [...earlyFields, ...fields],
      keepAlive,
      body: "",
      trailers: [],
      complete: false,
    }
    messages.push(current)
    earlyFields = []
    earlyUrl = ""
    if (isRequest) {
      upgraded = upgrade
      return 0
    }
    const answers = stream.methods[answered % stream.methods.length]
    if (status === 101 || (answers === "CONNECT" && status >= 200 && status < 300)) {
      upgraded = true
      return 2
    }
    if (status >= 200) answered += 1
    return status < 200 || answers === "HEAD" ? 1 : 0
  }
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    if (current !== undefined) current.body += bytes.toString("latin1")
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (current === undefined) return
    current.trailers = earlyFields
    current.complete = true
    earlyFields = []
    earlyUrl = ""
  }
  return () => upgraded && current?.complete === true
}

type HeadArguments = [
  majorVersion: number,
  minorVersion: number,
  fields: string[] | undefined,
  method: number | undefined,
  url: string | undefined,
  status: number | undefined,
  reason: string | undefined,
  upgrade: boolean,
  keepAlive: boolean,
]

interface NodeParser {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void
  execute(bytes: Buffer): number | (Error & { code: string })
  finish(): (Error & { code: string }) | undefined
  [callback: number]: (...received: never[]) => unknown
}

interface NodeParserClass {
  new (): NodeParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kLenientKeepAlive: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

/** No limit of Node's is to be met before ours. */
const maxHeadBytes = 1024 * 1024

const require = createRequire(import.meta.url)
const common: { HTTPParser: NodeParserClass; methods: readonly string[] } = require("node:_http_common")
const { HTTPParser, methods } = common

/** The list has no holes, the numbers have: QUERY is 46. */
const methodName = (number: number): string => (number === 46 ? "QUERY" : (methods[number] ?? ""))

/** The request methods that Node's parser knows; it refuses every other one. */
export const nodeMethods: ReadonlySet<string> = new Set(methods)
