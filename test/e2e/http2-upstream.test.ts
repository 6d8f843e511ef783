// A private server that speaks HTTP/2: what crosses to it from HTTP/1.1 clients, what is sent again, and WebSockets on HTTP/2.
import { once } from "node:events"
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2"
import type { AddressInfo } from "node:net"
import { describe, expect, test } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { fetchWhole, RawClient } from "../support/client.ts"
import { Http2TestClient } from "../support/http2-client.ts"
import { edgeStatus, startPair, transports } from "../support/pair.ts"
import { httpUpstream, rawUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"

type OnStream = (stream: ServerHttp2Stream, raw: readonly string[], session: ServerHttp2Session) => void

interface Http2Server extends AsyncDisposable {
  readonly url: string
  readonly sessions: ServerHttp2Session[]
}

async function http2Upstream(onStream: OnStream): Promise<Http2Server> {
  const sessions: ServerHttp2Session[] = []
  const server = createServer({ settings: { enableConnectProtocol: true } })
  server.on("session", (session) => {
    sessions.push(session)
    session.on("stream", (stream, _fields, _flags, raw) => {
      stream.on("error", () => undefined)
      onStream(stream, raw, session)
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      for (const session of sessions) session.destroy()
      await closed
    },
  }
}

test("a request of an HTTP/1.1 client arrives as fields of HTTP/2, and its answer comes back with trailers", async () => {
  const seen: (readonly string[])[] = []
  await using upstream = await http2Upstream((stream, raw) => {
    seen.push(raw)
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }))
    stream.respond({ ":status": 200, "set-cookie": ["a=1", "b=2"] }, { waitForTrailers: true })
    stream.pipe(stream)
  })
  await using pair = await startPair({ server: `${upstream.url}/base` })
  const answer = await fetchWhole(`${pair.url}/p?q`, {
    method: "POST",
    headers: { host: "shop.test", "X-Case": "Kept", te: "trailers" },
    body: "hello",
  })
  expect(answer).toMatchObject({ status: 200, reason: "OK", text: "hello", trailers: { "x-sum": "7" } })
  expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"])
  expect(answer.headers.via).toMatch(/^2\.0 restante-/)
  const [raw = []] = seen
  expect(raw.slice(0, 8)).toEqual([
    ":method",
    "POST",
    ":scheme",
    "http",
    ":authority",
    "shop.test",
    ":path",
    "/base/p?q",
  ])
  expect(raw.join("\n")).toMatch(/\nx-case\nKept\n/)
  expect(raw.join("\n")).not.toMatch(/\n(?:host|connection|transfer-encoding|upgrade)\n/)
})

test.each(["GET", "POST"])(
  "a %s that the server refuses unprocessed is sent again on a new connection",
  async (method) => {
    await using upstream = await http2Upstream((stream, _raw, session) => {
      if (session === upstream.sessions[0]) return stream.close(constants.NGHTTP2_REFUSED_STREAM)
      stream.respond({ ":status": 200 })
      stream.end("done")
    })
    await using pair = await startPair({ server: upstream.url })
    expect((await fetchWhole(pair.url, { method })).text).toBe("done")
  },
)

test("a server that sends GOAWAY finishes what it has, and gets the next request on a new connection", async () => {
  await using upstream = await http2Upstream((stream, _raw, session) => {
    session.close()
    stream.respond({ ":status": 200 })
    stream.end(String(upstream.sessions.length))
  })
  await using pair = await startPair({ server: upstream.url })
  const texts = [await fetchWhole(pair.url), await fetchWhole(pair.url), await fetchWhole(pair.url)].map(
    ({ text }) => text,
  )
  expect(texts).toEqual(["1", "2", "3"])
})

test.each([
  ["before its head is 502", false, "502"],
  ["in the middle of its body breaks the client's connection", true, "broken"],
])("a response that the server resets %s", async (_what, begun, outcome) => {
  await using upstream = await http2Upstream((stream) => {
    if (begun) {
      // Without trailers to wait for, Node would end the stream first.
      stream.respond({ ":status": 200 }, { waitForTrailers: true })
      stream.write("half")
      setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 50)
    } else stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  })
  await using pair = await startPair({ server: upstream.url })
  const said = await fetchWhole(pair.url).then(
    ({ status }) => String(status),
    () => "broken",
  )
  expect(said).toBe(outcome)
})

test("a request body that breaks off is a reset at the server, never a clean end", async () => {
  let begun = false
  let ending = ""
  await using upstream = await http2Upstream((stream) => {
    stream.on("data", () => (begun = true))
    stream.on("end", () => (ending ||= stream.aborted ? "aborted" : "whole"))
    stream.on("aborted", () => (ending ||= "aborted"))
  })
  await using pair = await startPair({ server: upstream.url })
  using client = new RawClient(pair.port)
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
  await until("the body to arrive", () => begun)
  client.socket.destroy()
  await until("the server to hear of it", () => ending !== "")
  expect(ending).toBe("aborted")
})

test("a server that speaks no HTTP/2 is 502", async () => {
  await using upstream = await httpUpstream((_incoming, response) => response.end("no"))
  await using pair = await startPair({ server: upstream.url.replace("http", "h2c") })
  const { status, headers } = await fetchWhole(pair.url)
  expect([status, headers["restante-error"]]).toEqual([502, "upstream_protocol"])
})

test("a server that hangs up on the greeting of HTTP/2 is told from one that is not there", async () => {
  await using upstream = await rawUpstream((socket) => socket.end())
  await using pair = await startPair({ server: upstream.url.replace("http", "h2c") })
  const { status, headers } = await fetchWhole(pair.url)
  expect([status, headers["restante-error"]]).toEqual([502, "upstream_protocol"])
})

describe.each(transports)("WebSockets on HTTP/2 (RFC 8441) over %s", (transport) => {
  test("reach a server that takes them by HTTP/1.1", async () => {
    await using upstream = await websocketEcho()
    await using pair = await startPair({ server: upstream.url, transport, edgeArgs: ["--h2c"] })
    await using client = await Http2TestClient.to(pair.url)
    const stream = client.begin("CONNECT", "/chat", [":protocol", "websocket", "sec-websocket-version", "13"])
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>]
    expect(headers[":status"]).toBe(200)
    expect(headers).not.toHaveProperty("sec-websocket-accept")
    // "hi", masked with zeros (RFC 6455 section 5.2); the echo is not masked.
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    expect(await firstBytes(stream, 4)).toEqual(Buffer.from([0x81, 0x02, 0x68, 0x69]))
    stream.close(constants.NGHTTP2_CANCEL)
  })

  test("end with a Close and the end of the client's side at once, and others are served on", async () => {
    await using upstream = await websocketEcho()
    await using pair = await startPair({ server: upstream.url, transport, edgeArgs: ["--h2c"] })
    await using client = await Http2TestClient.to(pair.url)
    const stream = client.begin("CONNECT", "/", [":protocol", "websocket", "sec-websocket-version", "13"])
    await once(stream, "response")
    const closed = once(stream, "close")
    const said: Buffer[] = []
    stream.on("data", (bytes: Buffer) => said.push(bytes))
    // Close with code 4001, masked with zeros.
    stream.end(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa1]))
    await closed
    expect(Buffer.concat(said)).toEqual(Buffer.from([0x88, 0x02, 0x0f, 0xa1]))
    expect((await client.ask("GET", "/.restante/healthz")).status).toBe(200)
    await until("nothing to be left of it", async () => (await edgeStatus(pair)).exchanges.live === 0)
  })

  test("of an HTTP/1.1 client reach a server that takes them by HTTP/2", async () => {
    await using upstream = await http2Upstream((stream, raw) => {
      if (!raw.includes(":protocol")) return stream.respond({ ":status": 400 }, { endStream: true })
      stream.respond({ ":status": 200 })
      // The client's frames back without their mask: its length byte, and the text behind four bytes of mask.
      stream.on("data", (bytes: Buffer) => {
        const text = Buffer.from(bytes.subarray(6).map((byte, at) => byte ^ bytes[2 + (at % 4)]!))
        stream.write(Buffer.concat([Buffer.from([0x81, text.length]), text]))
      })
    })
    await using pair = await startPair({ server: upstream.url, transport })
    const socket = new WebSocket(pair.url.replace("http", "ws"), { perMessageDeflate: false })
    await once(socket, "open")
    socket.send("hello")
    const [message] = (await once(socket, "message")) as [Buffer]
    expect(message.toString()).toBe("hello")
    socket.terminate()
  })

  test("that the server does not take are told so, and never 200", async () => {
    await using upstream = await httpUpstream((_incoming, response) => response.end("a page"))
    await using pair = await startPair({ server: upstream.url, transport, edgeArgs: ["--h2c"] })
    await using client = await Http2TestClient.to(pair.url)
    const stream = client.begin("CONNECT", "/", [":protocol", "websocket"])
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>]
    expect(headers[":status"]).toBe(502)
    stream.resume()
  })
})

async function firstBytes(stream: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  let read = Buffer.alloc(0)
  for await (const bytes of stream) {
    read = Buffer.concat([read, bytes])
    if (read.length >= length) break
  }
  return read
}

async function websocketEcho(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  server.on("connection", (socket) =>
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary })),
  )
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
