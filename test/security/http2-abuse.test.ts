// Strangers who waste what the edge has, by HTTP/2: those who begin and do not go on, and those who ask and do not read. What
// they hold is bounded, they lose it after the same time as clients of HTTP/1, and others are served all the while.
import { once } from "node:events"
import { connect, constants, type ClientHttp2Session } from "node:http2"
import { describe, expect, test } from "vitest"
import { RawClient } from "../support/client.ts"
import { answerOf, Http2TestClient, resetName } from "../support/http2-client.ts"
import { frame, preface } from "../support/http2-frames.ts"
import { startSecurePair } from "../support/http2-pair.ts"
import { startNearPair, type NearPair } from "../support/near-pair.ts"
import { startPair } from "../support/pair.ts"
import { passTime, until } from "../support/until.ts"
import { httpUpstream } from "../support/upstream.ts"

const mebibyte = 1024 * 1024
const impatient = { headMs: 2000, bodyMs: 2000, idleMs: 2000, stalledReaderMs: 2000 }

function impatientPair(upstreamPort: number): Promise<NearPair> {
  return startNearPair({ upstreamPort, edge: { patience: impatient, h2c: true } })
}

/** Gives the edge no window to write answers in. */
function silentReader(url: string): ClientHttp2Session {
  const session = connect(url, { settings: { initialWindowSize: 0 } })
  return session.on("error", () => undefined)
}

describe("clients of HTTP/2 that do not go on", () => {
  test("a body that pauses is answered with 408 on its stream, and the connection goes on", async () => {
    let left = 0
    await using upstream = await httpUpstream((incoming, response) => {
      response.on("close", () => left++)
      if (incoming.method === "GET") response.end("hello")
    })
    await using pair = await impatientPair(upstream.port)
    await using client = await Http2TestClient.to(`http://127.0.0.1:${pair.port}`)
    const stream = client.begin("POST", "/", ["content-length", "100"])
    const answer = answerOf(stream)
    stream.write("half of it")
    expect(await answer).toMatchObject({ status: 408, headers: { "restante-error": "request_timeout" } })
    await until("the upstream to hear of it", () => left === upstream.seen.length, 2000)
    expect((await client.ask("GET", "/")).text).toBe("hello")
  })

  test("a body may pause once its answer has begun, as calls in both directions do", async () => {
    await using upstream = await httpUpstream((incoming, response) => {
      response.flushHeaders()
      incoming.pipe(response)
    })
    await using pair = await impatientPair(upstream.port)
    await using client = await Http2TestClient.to(`http://127.0.0.1:${pair.port}`)
    const stream = client.begin("POST", "/")
    const answer = answerOf(stream)
    await once(stream, "response")
    await passTime(impatient.bodyMs + 2000)
    stream.end("after all")
    expect((await answer).text).toBe("after all")
  })

  test("a connection without requests is told to go, and closed", async () => {
    await using upstream = await httpUpstream((_incoming, response) => response.end("hello"))
    await using pair = await impatientPair(upstream.port)
    await using client = await Http2TestClient.to(`http://127.0.0.1:${pair.port}`)
    expect((await client.ask("GET", "/")).text).toBe("hello")
    await until("the connection to end", () => client.session.destroyed)
    expect(new Set(client.goaways.map(resetName))).toEqual(new Set(["NO_ERROR"]))
  })

  test.each([
    ["nothing behind the preface", preface],
    ["half a head", Buffer.concat([preface, frame(1, 0, 1, Buffer.from([0x82]))])],
    ["half a preface", preface.subarray(0, 10)],
    ["half a frame", Buffer.concat([preface, frame(1, 4, 1, Buffer.alloc(100)).subarray(0, 50)])],
  ])("a connection that sends %s, and reads nothing, is closed", async (_what, bytes) => {
    await using upstream = await httpUpstream((_incoming, response) => response.end("hello"))
    await using pair = await impatientPair(upstream.port)
    using client = new RawClient(pair.port).send(bytes)
    await client.ended()
    expect(upstream.seen).toHaveLength(0)
  })
})

describe("clients of HTTP/2 that do not read", () => {
  test("their streams are reset, the upstream is told, and the connection goes on", async () => {
    await using upstream = await httpUpstream((incoming, response) =>
      response.end(incoming.url === "/large" ? Buffer.alloc(20 * mebibyte) : ""),
    )
    await using pair = await impatientPair(upstream.port)
    const session = silentReader(`http://127.0.0.1:${pair.port}`)
    const codes: number[] = []
    for (let count = 0; count < 20; count++) {
      const stream = session.request({ ":path": "/large" }).on("error", () => undefined)
      stream.on("close", () => codes.push(stream.rstCode))
    }
    await until("all to be asked for", () => upstream.seen.length === 20)
    await until("all to be reset", () => codes.length === 20)
    expect(codes).toEqual(Array.from({ length: 20 }, () => constants.NGHTTP2_INTERNAL_ERROR))
    await until("the agent to be told", () => pair.agent.status().requests.active === 0, 2000)
    const [headers] = (await once(session.request({ ":path": "/empty" }), "response")) as [object]
    expect(headers).toMatchObject({ ":status": 200 })
    session.destroy()
  })

  test("a small answer that nobody takes is given up as well", async () => {
    await using upstream = await httpUpstream((_incoming, response) => response.end("small"))
    await using pair = await impatientPair(upstream.port)
    const session = silentReader(`http://127.0.0.1:${pair.port}`)
    const stream = session.request({ ":path": "/" }).on("error", () => undefined)
    await until("the stream to end", () => stream.closed)
    expect(resetName(stream.rstCode)).toBe("INTERNAL_ERROR")
    session.destroy()
  })

  test.each([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL])(
    "a stream that its client resets with code %i before it has read it is over within a second",
    async (code) => {
      await using upstream = await httpUpstream((_incoming, response) =>
        response.end(Buffer.alloc(20 * mebibyte)),
      )
      await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { h2c: true } })
      const session = silentReader(`http://127.0.0.1:${pair.port}`)
      const stream = session.request({ ":path": "/" }).on("error", () => undefined)
      await once(stream, "response")
      expect(pair.agent.status().requests.active).toBe(1)
      stream.close(code)
      await until("the agent to be told", () => pair.agent.status().requests.active === 0, 1000)
      expect(session.destroyed).toBe(false)
      session.destroy()
    },
  )

  test("as many streams as one connection may have cost the edge no more than a window each", async () => {
    await using upstream = await httpUpstream(async (incoming, response) => {
      if (incoming.url === "/small") return response.end("small")
      response.setMaxListeners(0)
      while (!response.destroyed)
        if (!response.write(Buffer.alloc(65_536)))
          await Promise.race([once(response, "drain"), once(response, "close")])
      return undefined
    })
    await using pair = await startPair({ server: upstream.url, edgeArgs: ["--h2c"] })
    const before = pair.edge.program.peakMemoryBytes
    const session = silentReader(pair.url)
    let begun = 0
    for (let count = 0; count < 250; count++)
      session
        .request({ ":path": "/endless" })
        .on("error", () => undefined)
        .on("response", () => begun++)
    await until("all to be answered", () => begun === 250, 40_000)
    // What the agent had credit for has been sent when a request behind it is answered.
    await using client = await Http2TestClient.to(pair.url)
    expect((await client.ask("GET", "/small")).text).toBe("small")
    expect(pair.edge.program.peakMemoryBytes - before).toBeLessThan(140 * mebibyte)
    session.destroy()
  })

  test("others on the same connection get answers of any size", async () => {
    const large = Buffer.alloc(20 * mebibyte, "x")
    await using upstream = await httpUpstream((_incoming, response) => response.end(large))
    await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { h2c: true } })
    await using client = await Http2TestClient.to(`http://127.0.0.1:${pair.port}`)
    client.session.setLocalWindowSize(64 * mebibyte)
    const paused = Array.from({ length: 40 }, () => client.begin("GET", "/", [], true))
    await Promise.all(paused.map((stream) => once(stream, "response")))
    await until("all to be asked for", () => upstream.seen.length === 40)
    expect((await client.ask("GET", "/")).body.equals(large)).toBe(true)
  })

  test.each([
    ["TLS", (server: string) => startSecurePair({ server })],
    ["h2c", (server: string) => startPair({ server, edgeArgs: ["--h2c"] })],
  ] as const)("over %s, one that leaves takes its requests with it within a second", async (_way, start) => {
    let left = 0
    await using upstream = await httpUpstream((_incoming, response) => {
      response.on("close", () => left++)
      response.end(Buffer.alloc(20 * mebibyte))
    })
    await using pair = await start(upstream.url)
    const client = await Http2TestClient.to(pair.url)
    const unread = Array.from({ length: 5 }, () => client.begin("GET", "/", [], true))
    await Promise.all(unread.map((stream) => once(stream, "response")))
    // All that fits into the windows is with the client: the edge writes nothing that could fail.
    await passTime(500)
    await client[Symbol.asyncDispose]()
    await until("the upstream to be told", () => left === 5, 1000)
    expect(left).toBe(5)
  })
})
