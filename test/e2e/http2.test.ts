// HTTP/2 clients through the programs: what crosses, what breaks off, and what is refused.
import { once } from "node:events"
import { connect, constants } from "node:http2"
import net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { answerOf, Http2TestClient, resetName } from "../support/http2-client.ts"
import { startSecurePair, type SecurePair } from "../support/http2-pair.ts"
import { frame, preface } from "../support/http2-frames.ts"
import { edgeStatus, startPair, transports } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { bodyOf, closedPort, httpUpstream, rawUpstream, type HttpUpstream } from "../support/upstream.ts"
import { slowness } from "../support/slowness.ts"
import { until } from "../support/until.ts"

/** How this machine may see the pages about the inside. */
const local = [":authority", "localhost"]

describe.each(transports)("over %s", (transport) => {
  const stack = new AsyncDisposableStack()
  let upstream: HttpUpstream
  let pair: SecurePair
  let written = 0
  let left = 0

  beforeAll(async () => {
    upstream = stack.use(
      await httpUpstream(async (incoming, response) => {
        switch (String(incoming.url).replace(/\?.*/, "")) {
          case "/hints":
            response.writeEarlyHints({ link: "</style.css>; rel=preload" })
            return response.end("hinted")
          case "/cut":
            response.write("half")
            await sleep(50)
            return void response.destroy()
          case "/endless":
            response.on("close", () => left++)
            response.setMaxListeners(0)
            while (!response.destroyed) {
              written += 65_536
              if (!response.write(Buffer.alloc(65_536)))
                await Promise.race([once(response, "drain"), once(response, "close")])
            }
            return undefined
          case "/never":
            response.on("close", () => left++)
            return undefined
          case "/empty":
            return response.writeHead(204).end()
        }
        const body = await bodyOf(incoming)
        response.setHeader("Set-Cookie", ["a=1", "b=2"])
        response.setHeader("Trailer", "X-Sum")
        response.write(
          JSON.stringify({
            method: incoming.method,
            url: incoming.url,
            raw: incoming.rawHeaders,
            length: body.length,
            trailers: incoming.rawTrailers,
          }),
        )
        response.addTrailers({ "X-Sum": "7" })
        return response.end()
      }),
    )
    pair = stack.use(await startSecurePair({ server: upstream.url, transport }))
  })
  afterAll(() => stack.disposeAsync())

  test("a request arrives as the HTTP/1.1 request that it stands for", async () => {
    await using client = await Http2TestClient.to(pair.url)
    const fields = [
      "x-b",
      "1",
      "cookie",
      "a=1",
      "x-a",
      "caf\xe9",
      "cookie",
      "b=2",
      "x-b",
      "2",
      "te",
      "trailers",
    ]
    const { text } = await client.ask("GET", "/a/..//%2F?q=%20&", { fields })
    const { method, url, raw } = JSON.parse(text) as { method: string; url: string; raw: string[] }
    expect([method, url]).toEqual(["GET", "/a/..//%2F?q=%20&"])
    expect(raw.slice(0, 10)).toEqual([
      "Host",
      "edge.test",
      "x-b",
      "1",
      "cookie",
      "a=1; b=2",
      "x-a",
      "caf\xe9",
      "x-b",
      "2",
    ])
    expect(raw.join("\n")).toMatch(/\nX-Forwarded-Proto\nhttps\n[^]*\nVia\n2\.0 restante-/)
    expect(raw.join("\n")).toMatch(/\nTE\ntrailers\n/)
    expect(raw.some((name) => name.startsWith(":"))).toBe(false)
  })

  test("a response has its fields in order, each as often as it came, and its trailers", async () => {
    await using client = await Http2TestClient.to(pair.url)
    const { status, raw, trailers } = await client.ask("GET", "/")
    expect(status).toBe(200)
    expect(raw.slice(0, 8)).toEqual([
      ":status",
      "200",
      "set-cookie",
      "a=1",
      "set-cookie",
      "b=2",
      "trailer",
      "X-Sum",
    ])
    expect(raw).not.toContain("transfer-encoding")
    expect(trailers).toMatchObject({ "x-sum": "7" })
  })

  test("bodies of every length, and trailers of the request, arrive", async () => {
    await using client = await Http2TestClient.to(pair.url)
    for (const length of [0, 1, 65_536, 3_000_000]) {
      const { text } = await client.ask("POST", "/", { body: Buffer.alloc(length) })
      expect(JSON.parse(text)).toMatchObject({ length })
    }
    const stream = client.session.request(
      { ":method": "POST", ":path": "/", ":authority": "edge.test" },
      { waitForTrailers: true },
    )
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "all" }))
    const answer = answerOf(stream)
    stream.end("abc")
    expect(JSON.parse((await answer).text)).toMatchObject({ length: 3, trailers: ["x-end", "all"] })
  })

  test("1xx, HEAD and 204 are what they are", async () => {
    await using client = await Http2TestClient.to(pair.url)
    expect((await client.ask("GET", "/hints")).informational).toMatchObject([
      { ":status": 103, link: "</style.css>; rel=preload" },
    ])
    expect((await client.ask("HEAD", "/")).body).toHaveLength(0)
    expect((await client.ask("GET", "/empty")).status).toBe(204)
    const waits = await client.ask("POST", "/", { fields: ["expect", "100-continue"], body: "x" })
    expect(waits.informational).toMatchObject([{ ":status": 100 }])
  })

  test("a response that breaks off is a reset, never a clean end", async () => {
    await using client = await Http2TestClient.to(pair.url)
    await expect(client.ask("GET", "/cut")).rejects.toThrow("INTERNAL_ERROR")
    expect((await client.ask("GET", "/hints")).text).toBe("hinted")
  })

  test("a request that the client resets is aborted at the upstream within a second", async () => {
    await using client = await Http2TestClient.to(pair.url)
    const before = { seen: upstream.seen.length, left }
    const stream = client.begin("GET", "/never", [], true)
    await until("the request to arrive", () => upstream.seen.length > before.seen)
    stream.close(constants.NGHTTP2_CANCEL)
    await until("the upstream's connection to close", () => left > before.left, 1000 * slowness())
    expect(left).toBe(before.left + 1)
  })

  test("a client that does not read slows the upstream down, and the others go on", async () => {
    await using client = await Http2TestClient.to(pair.url)
    const stream = client.begin("GET", "/endless", [], true)
    await once(stream, "response")
    stream.pause()
    let before = -1
    await until("the upstream to stand still", async () => {
      const still = before === written
      before = written
      await sleep(200)
      return still
    })
    expect(written).toBeLessThan(48 * 1024 * 1024)
    expect((await client.ask("GET", "/hints")).text).toBe("hinted")
    stream.close(constants.NGHTTP2_CANCEL)
  })

  test("pages for people are served, agents are asked for HTTP/1.1", async () => {
    await using client = await Http2TestClient.to(pair.url)
    expect(JSON.parse((await client.ask("GET", "/.restante/healthz")).text)).toEqual({ status: "ok" })
    expect((await client.ask("GET", "/.restante/metrics", { fields: local })).text).toContain("# TYPE")
    expect((await client.ask("GET", "/.restante/nothing")).status).toBe(404)
    await expect(client.ask("POST", "/.restante/v1/attach", { body: "{}" })).rejects.toThrow(
      "HTTP_1_1_REQUIRED",
    )
  })

  test("a WebSocket to a page of the edge is refused as a whole answer", async () => {
    await using client = await Http2TestClient.to(pair.url)
    const stream = client.begin("CONNECT", "/.restante/healthz", [":protocol", "websocket"])
    const answer = await answerOf(stream)
    expect(answer).toMatchObject({ status: 405, headers: { "restante-error": "method_not_allowed" } })
    expect(JSON.parse(answer.text)).toMatchObject({ exchange: answer.headers["restante-exchange"] })
  })

  test.each([
    ["CONNECT", ["CONNECT", "/", []], 405],
    ["TRACE", ["TRACE", "/", []], 405],
    ["a Host that is not the authority", ["GET", "/", ["host", "other.test"]], 400],
    ["a head that is too large", ["GET", "/", ["x", "y".repeat(70_000)]], 431],
  ] as const)("%s is refused", async (_what, [method, path, fields], status) => {
    await using client = await Http2TestClient.to(pair.url)
    const before = upstream.seen.length
    const refused =
      method === "CONNECT"
        ? answerOf(client.session.request({ ":method": "CONNECT", ":authority": "evil.example:80" }))
        : client.ask(method, path, { fields })
    expect(await refused).toMatchObject({ status, headers: { "content-type": "application/problem+json" } })
    expect(upstream.seen).toHaveLength(before)
  })

  test.each([
    ["a target with a space", ["GET", "/a b", []]],
    ["a content-length that lies", ["POST", "/", ["content-length", "5"]]],
  ] as const)("%s is malformed: the stream is reset", async (_what, [method, path, fields]) => {
    await using client = await Http2TestClient.to(pair.url)
    const asked = client.ask(method, path, { fields, body: "123" })
    await expect(asked).rejects.toThrow("PROTOCOL_ERROR")
  })

  test("hundreds of requests at a time on one connection get their own answers", async () => {
    await using client = await Http2TestClient.to(pair.url)
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, index) => client.ask("GET", `/?n=${index}`)),
    )
    expect(answers.map(({ text }) => (JSON.parse(text) as { url: string }).url)).toEqual(
      answers.map((_, index) => `/?n=${index}`),
    )
  })
})

test("a client that resets again and again is sent away, and others are served", async () => {
  await using upstream = await httpUpstream((incoming, response) =>
    incoming.url === "/ok" ? response.end("ok") : undefined,
  )
  await using pair = await startSecurePair({ server: upstream.url })
  await using attacker = await Http2TestClient.to(pair.url)
  const { session } = attacker
  for (let round = 0; round < 100 && !session.destroyed && !session.closed; round++) {
    const streams = Array.from({ length: 50 }, () => attacker.begin("GET", "/x", [], true))
    // When this is answered the edge has them all.
    await new Promise<void>((resolve) => void session.ping(() => resolve()))
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
  }
  await until("the connection to end", () => attacker.session.destroyed)
  expect(attacker.goaways.map(resetName)).toEqual(["ENHANCE_YOUR_CALM"])
  expect(upstream.seen.length).toBeLessThan(1000)
  await using client = await Http2TestClient.to(pair.url)
  expect((await client.ask("GET", "/ok")).text).toBe("ok")
  await until("nothing to be left of it", async () => {
    const answer = await client.ask("GET", "/.restante/v1/status", { fields: local })
    return (JSON.parse(answer.text) as { exchanges: { live: number } }).exchanges.live === 0
  })
})

test.each([
  ["CONTINUATION frames", [frame(1, 0, 1, Buffer.from([0x82]))], frame(9, 0, 1, Buffer.alloc(100, 0x82))],
  ["pings whose answers it does not read", [], frame(6, 0, 0, Buffer.alloc(8))],
  ["settings whose answers it does not read", [], frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]))],
] as const)("a flood of %s ends the connection", async (_what, first, flood) => {
  await using pair = await startPair({
    server: `http://127.0.0.1:${await closedPort()}`,
    edgeArgs: ["--h2c"],
  })
  const socket = net.connect({ port: pair.port, host: "127.0.0.1" })
  socket.on("error", () => undefined)
  socket.pause()
  socket.write(Buffer.concat([preface, ...first]))
  const burst = Buffer.concat(Array.from({ length: 1000 }, () => flood))
  let sentBytes = 0
  while (!socket.destroyed && sentBytes < 256 * 1024 * 1024) {
    sentBytes += burst.length
    if (!socket.write(burst))
      await Promise.race([once(socket, "drain"), once(socket, "close"), sleep(2000)]).catch(() => undefined)
  }
  await until("the edge to end the connection", () => socket.destroyed)
  expect((await edgeStatus(pair)).exchanges.live).toBe(0)
})

test("h2c is served only where it is asked for", async () => {
  await using upstream = await httpUpstream((incoming, response) =>
    response.end(String(incoming.headers["x-forwarded-proto"])),
  )
  await using open = await startPair({ server: upstream.url, edgeArgs: ["--h2c"] })
  await using closed = await startPair({ server: upstream.url })
  await using client = await Http2TestClient.to(open.url)
  expect((await client.ask("GET", "/")).text).toBe("http")
  expect(await (await fetch(open.url)).text()).toBe("http")
  const refused = connect(closed.url)
  const [error] = (await once(refused, "error")) as [Error]
  expect(error.message).toMatch(/Protocol error/)
})

test("a broken upstream answers HTTP/2 clients as it answers HTTP/1 clients", async () => {
  await using upstream = await rawUpstream((socket) => socket.destroy())
  await using pair = await startPair({ server: upstream.url, edgeArgs: ["--h2c"] })
  await using client = await Http2TestClient.to(pair.url)
  const answer = await client.ask("GET", "/")
  expect(answer).toMatchObject({
    status: 502,
    headers: { "proxy-status": expect.stringContaining("error=") },
  })
  const page = await client.ask("GET", "/", { fields: ["accept", "text/html"] })
  expect(page.text).toContain("<html")
})

test("SIGTERM tells an HTTP/2 client to go, and its request is finished", async () => {
  let answer = (): void => undefined
  await using upstream = await httpUpstream(
    (_incoming, response) => void (answer = () => response.end("late")),
  )
  await using pair = await startPair({ server: upstream.url, edgeArgs: ["--h2c"] })
  await using client = await Http2TestClient.to(pair.url)
  const asked = client.ask("GET", "/")
  await until("the request to arrive", () => upstream.seen.length === 1)
  pair.edge.program.signal("SIGTERM")
  await until("the GOAWAY", () => client.goaways.length > 0)
  answer()
  expect((await asked).text).toBe("late")
  expect((await pair.edge.program.ended).code).toBe(0)
})

test("HTTP/2 through the queue in Redis", async () => {
  await using redis = await startRedis()
  await using upstream = await httpUpstream(async (incoming, response) =>
    response.end(String((await bodyOf(incoming)).length)),
  )
  await using pair = await startPair({ server: upstream.url, edgeArgs: ["--h2c", "--redis", redis.url] })
  await using client = await Http2TestClient.to(pair.url)
  const answers = await Promise.all(
    [1, 70_000, 1_000_000].map((length) => client.ask("POST", "/", { body: Buffer.alloc(length) })),
  )
  expect(answers.map(({ text }) => text)).toEqual(["1", "70000", "1000000"])
})
