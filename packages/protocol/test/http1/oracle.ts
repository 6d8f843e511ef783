// Node's own HTTP/1 parser (llhttp, strict) as the other opinion. It is reached through node:_http_common, which is not public API:
// only this file knows, and only tests use it.

import { createRequire } from "node:module"
import type { Message, Stream, Transcript } from "./transcript.ts"

/**
 * Reads all with Node's parser, until it fails or the connection becomes another protocol. It refuses what follows a message that
 * ends the connection; that is read by a new one, as keep-alive is compared for itself.
 */
export function readNode(stream: Stream): Transcript {
  const out: Transcript = { messages: [], error: undefined, rest: -1 }
  const type = stream.kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE
  const progress: Progress = { answered: 0, upgraded: false }
  listen(stream, out.messages, progress)
  for (let at = 0; ;) {
    parser.initialize(type, {}, maxHeadBytes, HTTPParser.kLenientNone)
    const result = parser.execute(stream.bytes.subarray(at))
    if (typeof result !== "number" && result.code === "HPE_CLOSED_CONNECTION") {
      // The first byte of the next message is counted as parsed.
      at += result.bytesParsed - 1
      continue
    }
    const whole = out.messages.at(-1)?.complete !== false
    if (typeof result !== "number") out.error = result.code
    else if (progress.upgraded && whole) out.rest = stream.bytes.length - at - result
    // The binding hides errors in the body of a request that asks for an upgrade.
    else out.error = parser.finish()?.code ?? (whole ? undefined : "HIDDEN")
    return out
  }
}

interface Progress {
  /** Final responses so far. */
  answered: number
  /** The last message asks for another protocol. */
  upgraded: boolean
}

/** Fills `messages` from the parser's callbacks. */
function listen(stream: Stream, messages: Message[], progress: Progress): void {
  let current: Message | undefined
  let earlyFields: string[] = []
  let earlyUrl = ""
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
      progress.upgraded = upgrade
      return 0
    }
    const answers = stream.methods[progress.answered % stream.methods.length]
    if (status === 101 || (answers === "CONNECT" && status >= 200 && status < 300)) {
      progress.upgraded = true
      return 2
    }
    if (status >= 200) progress.answered += 1
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
  execute(bytes: Buffer): number | (Error & { code: string; bytesParsed: number })
  finish(): (Error & { code: string }) | undefined
  [callback: number]: (...received: never[]) => unknown
}

interface NodeParserClass {
  new (): NodeParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kLenientNone: number
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

/** One for all: a new one for every stream costs native memory, and initialize() begins anew. */
const parser = new HTTPParser()

/** The list has no holes, the numbers have: QUERY is 46. */
const methodName = (number: number): string => (number === 46 ? "QUERY" : (methods[number] ?? ""))

/** The request methods that Node's parser knows; it refuses every other one. */
export const nodeMethods: ReadonlySet<string> = new Set(methods)
