// Plays a conformance case whose client speaks HTTP/2, and checks both ends of it.
import { constants } from "node:http2"
import { Http2TestClient, resetName } from "../../support/http2-client.ts"
import { edgeStatus, type Pair } from "../../support/pair.ts"
import { until, within } from "../../support/until.ts"
import type { Stage } from "../line.ts"
import { match } from "../template.ts"
import type { ScriptedUpstream } from "../upstream.ts"
import type { Http2Case, Http2Outcome, Http2Request } from "./case.ts"

/** Rejects with the first thing that is not as the case says; nothing of it is left for the next one to meet. */
export async function playHttp2(
  pair: Pair,
  upstream: ScriptedUpstream,
  one: Http2Case,
): Promise<"everything as it should be"> {
  try {
    return await playOnce(pair, upstream, one)
  } catch (error) {
    await until("the edge to be done with the case before", async () => {
      upstream.reset()
      return (await edgeStatus(pair)).exchanges.live === 0
    })
    throw error
  }
}

async function playOnce(
  pair: Pair,
  upstream: ScriptedUpstream,
  one: Http2Case,
): Promise<"everything as it should be"> {
  upstream.begin(onlyBytes)
  await using client = await Http2TestClient.to(pair.url)
  const played = upstream.plays(one.upstream === undefined ? [] : [one.upstream])
  const asked = ask(client, one.asks).then((seen) => check(seen, one.gets))
  const all = Promise.all([asked, played])
  await within(`the case to end; ${upstream.missing}`, 15_000, Promise.race([all, upstream.failed]))
  return "everything as it should be"
}

interface Seen {
  readonly informational: readonly string[]
  readonly lines: string
  readonly body: string
  readonly trailers: string
  readonly reset: string
}

async function ask(client: Http2TestClient, request: Http2Request): Promise<Seen> {
  const { body, trailers, cancels } = request
  const stream = client.session.request(request.fields, {
    endStream: body === undefined && trailers === undefined,
    waitForTrailers: trailers !== undefined,
  })
  const seen = { informational: [] as string[], lines: "", body: "", trailers: "" }
  stream.on("error", () => undefined)
  stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}))
  stream.on("headers", (_fields, _flags, raw: readonly string[]) => seen.informational.push(linesOf(raw)))
  stream.on("response", (_fields, _flags, raw: readonly string[]) => {
    seen.lines = linesOf(raw)
    if (cancels === true) stream.close(constants.NGHTTP2_CANCEL)
  })
  stream.on("trailers", (_fields, _flags, raw: readonly string[]) => (seen.trailers = linesOf(raw)))
  stream.on("data", (bytes: Buffer) => (seen.body += bytes.toString("latin1")))
  if (body !== undefined || trailers !== undefined) stream.end(Buffer.from(body ?? "", "latin1"))
  await until("the stream to end", () => stream.closed && stream.destroyed)
  return { ...seen, reset: resetName(stream.rstCode) }
}

function check(seen: Seen, wanted: Http2Outcome): void {
  const same = (what: string, have: string, want: string): void => {
    const found = match([want], have, 0)
    if (found.kind !== "match" || found.end !== have.length)
      throw new Error(`${what}: wanted ${JSON.stringify(want)}, have ${JSON.stringify(have)}`)
  }
  switch (wanted.kind) {
    case "reset":
      return same("the stream's end", seen.reset, wanted.code)
    case "refusal": {
      const { status, error, code } = wanted
      for (const line of [
        `:status: ${status}`,
        `proxy-status: restante; error=${error};`,
        `restante-error: ${code}\r\n`,
      ])
        if (!seen.lines.includes(line)) throw new Error(`wanted ${line}, have ${seen.lines}`)
      return same("the stream's end", seen.reset, "NO_ERROR")
    }
    case "answer": {
      const { lines, body = "", trailers = [], informational = [] } = wanted
      same("the stream's end", seen.reset, "NO_ERROR")
      same("1xx", seen.informational.join("|"), informational.map(crlf).join("|"))
      same("fields", seen.lines, crlf(lines))
      same("body", seen.body, body)
      same("trailers", seen.trailers, crlf(trailers))
    }
  }
}

function linesOf(raw: readonly string[]): string {
  let lines = ""
  for (let at = 0; at < raw.length; at += 2) lines += `${raw[at]}: ${raw[at + 1]}\r\n`
  return lines
}

const crlf = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join("")

function notHere(): Promise<never> {
  return Promise.reject(new Error("not for cases of HTTP/2"))
}

/** Its upstreams' scripts are bytes, and what becomes of their connections. */
const onlyBytes: Stage = {
  tell: () => undefined,
  told: notHere,
  fill: (bytes) => bytes,
  waitingExchanges: notHere,
  killAgent: notHere,
  startAgent: notHere,
}
