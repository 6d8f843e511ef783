// Every conformance case of HTTP/2 clients, over both transports.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { startPair, transports, type Pair } from "../../support/pair.ts"
import { forwarded, gets, says } from "../case.ts"
import { ScriptedUpstream } from "../upstream.ts"
import { answer, fields, type Http2Case, okAnswer, okSaid } from "./case.ts"
import { http2Cases } from "./cases.ts"
import { playHttp2 } from "./runner.ts"

const refusal = { kind: "refusal", status: 502, error: "x", code: "x" } as const

describe.each(transports)("HTTP/2 over %s", (transport) => {
  const stack = new AsyncDisposableStack()
  const upstream = stack.use(new ScriptedUpstream())
  let pair: Pair
  beforeAll(async () => {
    const server = `http://127.0.0.1:${await upstream.start()}`
    pair = stack.use(await startPair({ server, transport, edgeArgs: ["--h2c"] }))
  }, 60_000)
  afterAll(() => stack.disposeAsync())

  test.each(http2Cases.map((one) => [`row ${one.row}: ${one.title}`, one] as const))(
    "%s",
    async (_title, one) => {
      expect(await playHttp2(pair, upstream, one)).toBe("everything as it should be")
    },
  )

  const right: Http2Case = {
    row: 40,
    title: "",
    rfc: "",
    asks: { fields: fields("GET", "/") },
    upstream: [gets(forwarded(["GET / HTTP/1.1", "Host: a"], "a", "2.0")), says(okSaid)],
    gets: okAnswer,
  }
  const wrong: readonly (readonly [what: string, one: Http2Case])[] = [
    ["another byte reaches the upstream", { ...right, asks: { fields: fields("GET", "/other") } }],
    ["another field reaches the client", { ...right, gets: answer([":status: 200"], { body: "ok" }) }],
    ["another byte of the body reaches the client", { ...right, gets: { ...okAnswer, body: "OK" } }],
    ["the stream ends in another way", { ...right, gets: { kind: "reset", code: "CANCEL" } }],
    ["the edge answers with no error of its own", { ...right, gets: refusal }],
  ]
  test.each(wrong)("a case in which %s fails", async (_what, one) => {
    await expect(playHttp2(pair, upstream, one)).rejects.toThrow(/wanted/)
    expect(await playHttp2(pair, upstream, right)).toBe("everything as it should be")
  })
})
