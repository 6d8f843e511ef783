// The oracle: for an exchange the bytes that each end sends, and those that must arrive at the other one. It shares no code with
// what it judges.
import { type Body, type Exchange, type Field } from "./scene.ts"

/** What bodies are made of: bytes without any order, among them all that a reader could take for a line or a chunk. */
const stuff: Buffer = (() => {
  const made = Buffer.allocUnsafe(1_200_000)
  let state = 0x2545f491
  for (let at = 0; at < made.length; at++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    made[at] = state >>> 24
  }
  for (let at = 0; at < 8192; at += 97) made.write("\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n", at, "latin1")
  return made
})()

export function contentOf(body: Body): Buffer {
  return body.framing === "none" ? nothing : stuff.subarray(body.offset, body.offset + body.bytes)
}
const nothing = Buffer.alloc(0)

/** `id` finds the exchange at the upstream. */
export const targetOf = (exchange: Exchange, id: number): string => `/x${id}x${exchange.target}`

/** The bytes that the client sends. */
export function requestBytes(exchange: Exchange, id: number): Buffer {
  const { method, minorVersion, fields, nominates, keepAlive, body, expectsContinue } = exchange
  const connection = [
    ...(nominates ? ["X-Of-This-Hop"] : []),
    ...(minorVersion === 1 && !keepAlive ? ["close"] : []),
    ...(minorVersion === 0 && keepAlive ? ["keep-alive"] : []),
  ]
  const lines = [
    `${method} ${targetOf(exchange, id)} HTTP/1.${minorVersion}`,
    "Host: a.example",
    ...linesOf(fields),
    ...(nominates ? ["X-Of-This-Hop: must not cross"] : []),
    ...framingLines(body),
    ...(expectsContinue ? ["Expect: 100-continue"] : []),
    ...(connection.length > 0 ? [`Connection: ${connection.join(", ")}`] : []),
  ]
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), framed(body)])
}

/** The head that must reach the upstream. The edge's name is ‹edge›. */
export function forwardedHead(exchange: Exchange, id: number): string {
  const { method, minorVersion, fields, body, http2 = false } = exchange
  const length = framingLines(body).map((line) => (http2 ? line.toLowerCase() : line))
  const lines = [
    `${method} ${targetOf(exchange, id)} HTTP/1.1`,
    "Host: a.example",
    ...linesOf(fields),
    ...(body.framing === "length" ? length : []),
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Host: a.example",
    `Via: ${http2 ? "2.0" : `1.${minorVersion}`} ‹edge›`,
    ...(body.framing === "chunked" ? framingLines(body) : []),
  ]
  return `${lines.join("\r\n")}\r\n\r\n`
}

/** The bytes that the upstream answers with, without the hints. */
export function answerBytes({ method, answer }: Exchange): Buffer {
  const { status, reason, minorVersion, fields, body, keepAlive } = answer
  const lines = [
    `HTTP/1.${minorVersion} ${status} ${reason}`,
    ...linesOf(fields),
    ...framingLines(body),
    ...(minorVersion === 1 && !keepAlive ? ["Connection: close"] : []),
    ...(minorVersion === 0 && keepAlive ? ["Connection: keep-alive"] : []),
  ]
  return Buffer.concat([
    Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"),
    method === "HEAD" ? nothing : framed(body),
  ])
}

export const hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

/** How the answer is framed for the client. */
export function framingForClient({
  method,
  minorVersion,
  answer,
}: Exchange): "none" | "length" | "chunked" | "close" {
  const { framing } = answer.body
  if (method === "HEAD" || framing === "none") return "none"
  if (framing === "length") return "length"
  return minorVersion === 1 ? "chunked" : "close"
}

/** Whether the client's connection goes on behind the answer. */
export const connectionStays = (exchange: Exchange): boolean =>
  exchange.keepAlive && framingForClient(exchange) !== "close"

/** The final head that must reach the client. The time is ‹date›. */
export function answeredHead(exchange: Exchange): string {
  const { minorVersion, answer } = exchange
  const framing = framingForClient(exchange)
  const lines = [
    `HTTP/1.1 ${answer.status} ${answer.reason}`,
    ...linesOf(answer.fields),
    ...(answer.body.framing === "length" ? framingLines(answer.body) : []),
    "Date: ‹date›",
    `Via: 1.${answer.minorVersion} ‹edge›`,
    ...(framing === "chunked" ? ["Transfer-Encoding: chunked"] : []),
    ...(connectionStays(exchange)
      ? minorVersion === 0
        ? ["Connection: keep-alive"]
        : []
      : ["Connection: close"]),
  ]
  return `${lines.join("\r\n")}\r\n\r\n`
}

/** What differs from run to run is put back to its name. */
export const withoutChance = (head: string): string =>
  head
    .replace(/restante-[\w-]{10}(?=\r\n)/, "‹edge›")
    .replace(/(?<=\r\nDate: )[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT(?=\r\n)/, "‹date›")

const linesOf = (fields: readonly Field[]): string[] => fields.map(([name, value]) => `${name}: ${value}`)

/** Trailer lines as they must arrive. */
export const trailersOf = (body: Body): string =>
  body.framing === "chunked"
    ? linesOf(body.trailers)
        .map((line) => `${line}\r\n`)
        .join("")
    : ""

function framingLines(body: Body): string[] {
  switch (body.framing) {
    case "none":
    case "close":
      return []
    case "length":
      return [`Content-Length: ${body.bytes}`]
    case "chunked":
      return ["Transfer-Encoding: chunked"]
  }
}

function framed(body: Body): Buffer {
  const content = contentOf(body)
  if (body.framing !== "chunked") return content
  const pieces: Buffer[] = []
  for (let at = 0; at < content.length; at += body.chunkBytes) {
    const chunk = content.subarray(at, at + body.chunkBytes)
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"))
  }
  pieces.push(Buffer.from(`0\r\n${trailersOf(body)}\r\n`, "latin1"))
  return Buffer.concat(pieces)
}
