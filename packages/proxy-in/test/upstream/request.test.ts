// What the upstream gets to see of a request: byte for byte, in one piece, and nothing that is not one valid request.
import net from "node:net"
import { expect, test, vi } from "vitest"
import { answering, get, ok, poolFor, post, rawServer, requestHead, Run, until } from "./support.ts"
import type { RawServer, RunOptions } from "./support.ts"

/** Runs one request against a server that answers 200, and gives what the server received. */
async function seenBy(
  head: string,
  options: RunOptions & { basePath?: string; maxIdle?: number } = {},
): Promise<string> {
  await using server = await answering(ok)
  const pool = poolFor(
    { ...server.address, basePath: options.basePath ?? "" },
    { maxIdle: options.maxIdle ?? 1 },
  )
  const run = new Run(pool, head, options)
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  await pool.close()
  return server.received.join("")
}

test("target, field names, order, duplicates and obs-text reach the upstream as they came", async () => {
  const head = requestHead(
    "GET //a/../b/%2e%2F?q=%zz&x=[1]",
    "x-UPPER-lower:  two spaces \t",
    "Cookie: a=1",
    "Cookie: b=2",
    "X-Latin: caf\xe9\xff",
    "X-Empty:",
  )
  expect(await seenBy(head)).toBe(head)
})

test("an unknown method and OPTIONS * pass", async () => {
  expect(await seenBy(requestHead("PROPFIND /dav"))).toMatch(/^PROPFIND \/dav HTTP\/1\.1\r\n/)
  expect(await seenBy(requestHead("OPTIONS *"), { basePath: "/app" })).toMatch(/^OPTIONS \* HTTP\/1\.1\r\n/)
})

test("the base path goes before the target without any normalisation", async () => {
  const seen = await seenBy(requestHead("GET //x/../y?z"), { basePath: "/app/v%31" })
  expect(seen.split("\r\n")[0]).toBe("GET /app/v%31//x/../y?z HTTP/1.1")
})

test("fields about the client's connection do not reach the upstream, nor what Connection nominates", async () => {
  const head = requestHead(
    "GET /",
    "Connection: close, X-Secret",
    "X-Secret: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Authorization: Basic eA==",
    "Upgrade: h2c",
    "X-Kept: 1",
  )
  expect(await seenBy(head)).toBe(requestHead("GET /", "X-Kept: 1"))
})

test("TE: trailers is said anew for the upstream's connection, other codings are not", async () => {
  const seen = await seenBy(requestHead("GET /", "TE: gzip, trailers", "Connection: TE"))
  expect(seen).toBe(requestHead("GET /", "TE: trailers", "Connection: TE"))
  expect(await seenBy(requestHead("GET /", "TE: gzip"))).toBe(requestHead("GET /"))
})

test("Host is the client's by default, the upstream's or a fixed one when asked for, and never twice", async () => {
  const head = requestHead("GET /", "X-A: 1")
  expect(hosts(await seenBy(head))).toEqual(["Host: public.example"])
  expect(hosts(await seenBy(head, { hostHeader: { kind: "value", value: "inside:81" } }))).toEqual([
    "Host: inside:81",
  ])
  expect(hosts(await seenBy(head, { hostHeader: { kind: "upstream" } }))).toEqual([
    expect.stringMatching(/^Host: 127\.0\.0\.1:\d+$/),
  ])
})

test("a request of an HTTP/1.0 client without Host gets the upstream's", async () => {
  expect(await seenBy("GET / HTTP/1.0\r\n\r\n")).toMatch(
    /^GET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n\r\n$/,
  )
})

test("the upstream is told to close only when no connection is kept", async () => {
  expect(await seenBy(get)).not.toMatch(/connection/i)
  expect(await seenBy(get, { maxIdle: 0 })).toMatch(/\r\nConnection: close\r\n\r\n$/)
})

test("head and inline body leave in one write", async () => {
  const body = "b".repeat(60_000)
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.end(ok))
  })
  const pool = poolFor(server.address)
  const write = vi.spyOn(net.Socket.prototype, "write")
  const run = new Run(pool, post(body.length), { body })
  await until(() => write.mock.calls.length > 0)
  const sizes = write.mock.calls.map(([bytes]) => bytes.length)
  write.mockRestore()
  await run.settled
  expect(sizes).toEqual([post(body.length).length + body.length])
  await pool.close()
})

test("an inline body without Content-Length goes as one chunk", async () => {
  const seen = await seenBy(requestHead("POST /"), { body: "hello" })
  expect(seen).toBe(`${requestHead("POST /", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`)
})

test("a body that follows keeps its Content-Length and its bytes", async () => {
  await using server = await answerAfter("0123456789")
  const pool = poolFor(server.address)
  const run = new Run(pool, post(10), { bodyFollows: true })
  run.replay.onData(Buffer.from("01234"))
  run.replay.onData(Buffer.from("56789"))
  run.replay.onEnd("")
  await run.settled
  expect(server.received[0]).toBe(`${post(10)}0123456789`)
  await pool.close()
})

test("a body of unknown length is chunked, and its trailers follow without those that frame or route", async () => {
  await using server = await answerAfter("\r\n\r\n0\r\nX-Sum: 1\r\n\r\n".slice(4))
  const pool = poolFor(server.address)
  const run = new Run(pool, requestHead("PUT /", "Trailer: X-Sum"), { bodyFollows: true })
  run.replay.onData(Buffer.from("hello"))
  run.replay.onEnd("X-Sum: 1\r\nContent-Length: 9\r\nHost: evil\r\n")
  await run.settled
  expect(server.received[0]).toBe(
    `${requestHead("PUT /", "Trailer: X-Sum", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
  )
  await pool.close()
})

test("a request that is not idempotent is TAKEN before the upstream can see it, one that is idempotent never", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address)
  const posted = new Run(pool, post(0))
  await posted.settled
  expect(posted.told.map((frame) => frame.kind)).toEqual(["taken", "head"])
  const got = new Run(pool, get)
  await got.settled
  expect(got.told.map((frame) => frame.kind)).toEqual(["head"])
  await pool.close()
})

test.each([
  ["no HTTP at all", "hello\r\n\r\n"],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  ["a bare LF", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"],
  ["a second request behind the first", `${get}GET /admin HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["two lengths", requestHead("GET /", "Content-Length: 0", "Content-Length: 0")],
  ["a whole URL as target", requestHead("GET http://other.example/")],
  ["CONNECT", "CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n"],
  ["a length that its inline body does not have", post(3)],
])("%s is rejected before the upstream is even connected to", async (_, head) => {
  await using server = await answering(ok)
  const pool = poolFor(server.address)
  const run = new Run(pool, head)
  expect(run.outcomes).toEqual([{ kind: "failed", code: "request_rejected", detail: expect.any(String) }])
  expect(run.told).toEqual([{ kind: "reset", code: "request_rejected" }])
  expect(pool.stats.dialled).toBe(0)
})

test("a kind of stream that is not http is refused", () => {
  const run = new Run(poolFor({ kind: "unix", path: "/nowhere", basePath: "" }), get, { kind: 3 })
  expect(run.told).toEqual([{ kind: "reset", code: "kind_unsupported" }])
})

test.each([
  ["more", "0123456789+"],
  ["less", "012345678"],
])(
  "a body that turns out %s than its Content-Length breaks the exchange and the connection",
  async (_, body) => {
    await using server = await rawServer(() => undefined)
    const pool = poolFor(server.address)
    const run = new Run(pool, post(10), { bodyFollows: true })
    await until(() => server.sockets.length === 1)
    run.replay.onData(Buffer.from(body))
    run.replay.onEnd("")
    expect(await run.settled).toMatchObject({ kind: "failed", code: "internal" })
    await until(() => server.sockets[0]?.destroyed === true)
    expect(run.outcomes).toHaveLength(1)
  },
)

const hosts = (seen: string): string[] => seen.split("\r\n").filter((line) => /^host:/i.test(line))

/** Answers 200 once a connection has sent what ends with `last`. */
async function answerAfter(last: string): Promise<RawServer> {
  const server = await rawServer((socket, index) => {
    socket.on("data", (bytes) => {
      server.received[index] += bytes.toString("latin1")
      if (server.received[index]?.endsWith(last)) socket.write(ok)
    })
  })
  return server
}
