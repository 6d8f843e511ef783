// Makes streams of HTTP/1 messages: mostly valid, some with one known trick in the place where it hurts, some with bytes changed at random.

import type { Random } from "./random.ts"
import type { Stream } from "./transcript.ts"
import * as bodies from "./vocabulary-bodies.ts"
import * as words from "./vocabulary-heads.ts"

/** One stream of one to three messages. */
export function generateStream(random: Random): Stream {
  const kind = random.oneIn(2) ? "request" : "response"
  const tricky = random.oneIn(3)
  const methods: string[] = []
  let text = ""
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const method = random.oneIn(16) ? "CONNECT" : random.pick(words.responseMethods)
    methods.push(method)
    text += kind === "request" ? request(random, tricky) : response(random, tricky, method)
  }
  if (random.oneIn(12)) text = text.slice(0, random.below(text.length + 1))
  if (random.oneIn(4)) text = mutate(random, text)
  return { kind, methods, bytes: Buffer.from(text, "latin1") }
}

/** The same bytes in pieces: whole, cut in a few places, or one by one. */
export function splitAnywhere(random: Random, bytes: Buffer): Buffer[] {
  if (bytes.length < 400 && random.oneIn(16)) return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
  const pieces: Buffer[] = []
  const longest = random.pick([9, 50, 200, 800])
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(longest)
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

function request(random: Random, tricky: boolean): string {
  const trick = tricky && random.oneIn(2)
  const method = pickTricky(random, trick && random.oneIn(6), words.methods, words.trickyMethods)
  const target =
    method === "CONNECT" && !random.oneIn(6)
      ? random.pick(words.authorities)
      : pickTricky(random, trick && random.oneIn(4), words.targets, words.trickyTargets)
  const version = pickTricky(random, trick && random.oneIn(8), words.versions, words.trickyVersions)
  const fields = plainFields(random, trick)
  if (!(trick && random.oneIn(12)))
    fields.push(pickTricky(random, trick && random.oneIn(4), words.hosts, words.trickyHosts))
  const { lines, body } = framed(random, tricky && random.oneIn(2), bodies.requestFramings)
  const blank = random.oneIn(30) ? random.pick(words.emptyLines) : ""
  return `${blank}${method} ${target} ${version}\r\n${shuffled(random, [...fields, ...lines]).join("\r\n")}\r\n\r\n${body}`
}

function response(random: Random, tricky: boolean, method: string): string {
  const trick = tricky && random.oneIn(2)
  const interim = random.oneIn(6) ? `${random.pick(words.interimHeads)}\r\n` : ""
  const start = pickTricky(random, trick && random.oneIn(4), words.statusLines, words.trickyStatusLines)
  const { lines, body } = framed(
    random,
    tricky && random.oneIn(2),
    random.oneIn(6) ? bodies.closeFraming : bodies.responseFramings,
  )
  const all = shuffled(random, [...plainFields(random, trick), ...lines])
  const bodiless = method === "HEAD" || / (?:1..|204|304)/.test(start)
  return `${interim}${[start, ...all].join("\r\n")}\r\n\r\n${bodiless && !random.oneIn(20) ? "" : body}`
}

function plainFields(random: Random, trick: boolean): string[] {
  const lines: string[] = []
  for (let count = random.oneIn(40) ? 40 : random.below(6); count > 0; count -= 1)
    lines.push(random.pick(words.fields))
  if (random.oneIn(3)) lines.push(random.pick(words.connections))
  if (trick && random.oneIn(2)) lines.push(random.pick(words.trickyFields))
  return lines
}

/** Framing fields and the body that they promise, or nearly. */
function framed(
  random: Random,
  trick: boolean,
  framings: readonly string[],
): { lines: string[]; body: string } {
  const tricked = trick && random.oneIn(2)
  const framing = random.pick(framings)
  if (framing === "none") return { lines: [], body: "" }
  const content = random.pick(bodies.contents)
  if (framing === "chunked") {
    const line = pickTricky(random, tricked, bodies.chunkedFields, bodies.trickyChunkedFields)
    return { lines: line.split("\r\n"), body: chunked(random, trick && !tricked, content) }
  }
  if (framing === "close") return { lines: [], body: content }
  const line = random.pick(tricked ? bodies.trickyLengthFields : bodies.lengthFields)
  return { lines: line.replaceAll("{}", String(content.length)).split("\r\n"), body: content }
}

function chunked(random: Random, trick: boolean, content: string): string {
  let out = ""
  for (let at = 0; at < content.length;) {
    const data = content.slice(at, at + 1 + random.below(30))
    at += data.length
    const digits = random.oneIn(2) ? data.length.toString(16) : data.length.toString(16).toUpperCase()
    const size = random.oneIn(8) ? digits.padStart(1 + random.below(18), "0") : digits
    const extension = random.oneIn(4) ? random.pick(bodies.extensions) : ""
    const line =
      trick && random.oneIn(4)
        ? random.pick(bodies.trickyChunkLines).replace("{}", digits)
        : `${size}${extension}\r\n`
    out += `${line}${data}${trick && random.oneIn(8) ? random.pick(bodies.trickyChunkEnds) : "\r\n"}`
  }
  let trailers = ""
  while (random.oneIn(3)) trailers += `${random.pick(bodies.trailers)}\r\n`
  if (trick && random.oneIn(4)) trailers += `${random.pick(words.trickyFields)}\r\n`
  if (trick && random.oneIn(4)) trailers += `${random.pick(bodies.trickyTrailers)}\r\n`
  return `${out}${random.pick(bodies.lastChunks)}${trailers}\r\n`
}

/** Bytes changed, doubled, taken away or moved, mostly with those that mean something in HTTP/1. */
function mutate(random: Random, text: string): string {
  let out = text
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(out.length + 1)
    const byte = random.oneIn(4) ? String.fromCharCode(random.below(256)) : random.pick(bodies.bytes)
    const end = at + 1 + random.below(8)
    switch (random.below(6)) {
      case 0:
        out = out.slice(0, at) + byte + out.slice(at)
        break
      case 1:
        out = out.slice(0, at) + byte + out.slice(at + 1)
        break
      case 2:
        out = out.slice(0, at) + out.slice(at + 1)
        break
      case 3:
        out = out.slice(0, at) + out.slice(at, end) + out.slice(at)
        break
      case 4:
        out = out.slice(0, at) + out.slice(end)
        break
      default:
        out = out.slice(0, at) + random.pick(bodies.snippets) + out.slice(at)
    }
  }
  return out
}

const pickTricky = (
  random: Random,
  trick: boolean,
  plain: readonly string[],
  tricky: readonly string[],
): string => random.pick(trick ? tricky : plain)

function shuffled(random: Random, lines: string[]): string[] {
  for (let at = lines.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1)
    const [a = "", b = ""] = [lines[at], lines[other]]
    lines[at] = b
    lines[other] = a
  }
  return lines
}
