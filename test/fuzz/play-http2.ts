// Plays a connection of a scene over HTTP/2: each exchange is a stream, all of them at once where the scene says pipelined. What has no
// place in HTTP/2 is said otherwise; the upstream sees HTTP/1.1 as ever.
import { once } from "node:events"
import { type ClientHttp2Session, connect, constants } from "node:http2"
import { BodyCheck } from "./message-reader.ts"
import type { Answer, Body, ClientConnection, Exchange, Field } from "./scene.ts"
import { contentOf, targetOf } from "./text.ts"
import type { Expected } from "./upstream.ts"

/** Rejects with the first thing that is not as planned. */
export async function playHttp2(
  port: number,
  { pipelined, exchanges }: ClientConnection,
  prepare: (exchange: Exchange) => Expected,
): Promise<void> {
  const all = exchanges.map((exchange) => prepare(overHttp2(exchange)))
  const session = connect(`http://127.0.0.1:${port}`)
  session.on("error", (error) => all[0]?.fail(error))
  try {
    if (pipelined) await Promise.all(all.map((one) => playStream(session, one)))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    else for (const one of all) await playStream(session, one)
  } finally {
    session.destroy()
  }
}

/** The nearest exchange that HTTP/2 can carry. */
function overHttp2(exchange: Exchange): Exchange {
  const { answer, fields, body } = exchange
  return {
    ...exchange,
    ...{ http2: true, minorVersion: 1, nominates: false, keepAlive: true, expectsContinue: false },
    fields: lowered(fields),
    body: body.framing === "chunked" ? { ...body, trailers: lowered(body.trailers) } : body,
    client: { does: "waits" },
    answer: { ...answer, at: "the end of the request", status: statusOf(answer) },
  }
}

/** A 205 of unknown length loses its content on the way, which it must not have (RFC 9110 section 15.3.6). */
const statusOf = ({ status, body }: Answer): number =>
  status === 205 && body.framing !== "length" ? 206 : status

/** What the edge answers itself, because it cannot be said. */
const cannotBeSaid = ({ method, answer: { status, body } }: Exchange): boolean =>
  status > 599 || (status === 205 && method !== "HEAD" && body.framing === "length" && body.bytes > 0)

/** RFC 9113 section 8.2: names are in lower case, values have no white space at their ends. */
const lowered = (fields: readonly Field[]): Field[] =>
  fields.map(([name, value]) => [name.toLowerCase(), trimmed(value)])
const trimmed = (value: string): string => value.replaceAll(/^[ \t]+|[ \t]+$/g, "")

async function playStream(session: ClientHttp2Session, expected: Expected): Promise<void> {
  const { exchange, id } = expected
  const { method, body, answer, fields } = exchange
  const wrong = (what: string): Error => new Error(`exchange ${id} (${method}, HTTP/2): ${what}`)
  const head = [
    ...[":method", method, ":scheme", "http", ":authority", "a.example", ":path", targetOf(exchange, id)],
    ...fields.flat(),
    ...(body.framing === "length" ? ["content-length", String(body.bytes)] : []),
  ]
  const trailers = trailersOf(body)
  const stream = session.request(head, {
    endStream: body.framing === "none",
    waitForTrailers: trailers.length > 0,
  })
  stream.on("wantTrailers", () => stream.sendTrailers(asObject(trailers)))
  if (body.framing !== "none") stream.end(contentOf(body))
  const check = new BodyCheck(exchange.method === "HEAD" ? Buffer.alloc(0) : contentOf(answer.body))
  let hints = 0
  let gotTrailers: readonly string[] = []
  let got: readonly string[] = []
  stream.on("headers", () => hints++)
  stream.on("response", (_fields, _flags, raw: readonly string[]) => (got = raw))
  stream.on("trailers", (_fields, _flags, raw: readonly string[]) => (gotTrailers = raw))
  stream.on("data", (bytes: Buffer) => {
    if (got.includes("restante-error")) return
    try {
      check.take(bytes)
    } catch (error) {
      expected.fail(wrong(String(error)))
    }
  })
  stream.on("error", () => undefined)
  if (!stream.closed) await once(stream, "close").catch(() => undefined)
  const refused = got.includes("restante-error")
  const whole = stream.rstCode === constants.NGHTTP2_NO_ERROR && got.length > 0 && !refused
  if (expected.heads > (answer.breaks === undefined ? 1 : 2))
    throw wrong(`reached the upstream ${expected.heads} times`)
  if (answer.breaks !== undefined) {
    if (whole) throw wrong("looks whole to the client")
    if (refused && got[1] !== "502") throw wrong(`status ${got[1]}`)
    return
  }
  if (cannotBeSaid(exchange)) {
    if (!refused || got[1] !== "502") throw wrong(`status ${got[1]} for what HTTP/2 cannot say`)
    return
  }
  if (!whole) throw wrong(`code ${stream.rstCode}, ${JSON.stringify(got)}`)
  check.end()
  if (hints !== answer.hints) throw wrong(`${hints} hints`)
  if (expected.wholes !== 1) throw wrong(`reached the upstream ${expected.wholes} times, and was answered`)
  same(wrong, got.slice(0, got.indexOf("date")), answeredFields(exchange))
  same(wrong, gotTrailers, method === "HEAD" ? [] : trailersOf(answer.body).flat())
}

function same(wrong: (what: string) => Error, got: readonly string[], want: readonly string[]): void {
  if (JSON.stringify(got) !== JSON.stringify(want))
    throw wrong(`got ${JSON.stringify(got)}, not ${JSON.stringify(want)}`)
}

/** What stands before Date and Via, which are ours. */
const answeredFields = ({ answer }: Exchange): string[] => [
  ...[":status", String(answer.status)],
  ...lowered(answer.fields).flat(),
  ...(answer.body.framing === "length" ? ["content-length", String(answer.body.bytes)] : []),
]

const trailersOf = (body: Body): Field[] => (body.framing === "chunked" ? lowered(body.trailers) : [])

/** Names that are there twice have a list. */
function asObject(fields: readonly Field[]): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {}
  for (const [name, value] of fields) {
    const before = object[name]
    object[name] = before === undefined ? value : [before, value].flat()
  }
  return object
}
