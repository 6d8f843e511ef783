// HTTP as clients and servers speak it, byte by byte through the pair: what crosses verbatim, what a proxy must change,
// and the parts that are easily lost (100, 103, trailers, HEAD, pipelining, HTTP/1.0).
import type { IncomingMessage, ServerResponse } from "node:http"
import { expect, test as base } from "vitest"
import { RawClient } from "../support/client.ts"
import { edgeStatus, type Pair, startEdge, startPair } from "../support/pair.ts"
import { passTime, until } from "../support/until.ts"
import { bodyOf, httpUpstream, rawUpstream, type RawUpstream } from "../support/upstream.ts"

interface World {
  /** Before a server that answers each request head with what `/say/NAME` names in `replies`. */
  readonly raw: Pair
  readonly rawServer: RawUpstream
  /** Heads of all requests that reached that server, latin-1. */
  readonly heads: readonly string[]
  /** Before a server of Node's. */
  readonly node: Pair
}

const replies: Readonly<Record<string, string>> = {
  "early-hints":
    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  odd: "HTTP/1.1 299 Very  Odd \xe9\r\nX-UPPER: a\r\nx-lower:b\r\nSet-Cookie: a=1\r\nX-UPPER: \xff\xfe\r\nSet-Cookie: b=2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
  "hop-by-hop":
    "HTTP/1.1 200 OK\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: x\r\nX-Public: 2\r\nContent-Length: 0\r\n\r\n",
  "close-delimited": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
  "content-length": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  head: 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: "x"\r\n\r\n',
  "no-content": 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\nETag: "x"\r\n\r\n',
  "not-modified": 'HTTP/1.1 304 Not Modified\r\nContent-Length: 12345\r\nETag: "x"\r\n\r\n',
  trailers:
    "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nX-Sum: 900150983cd24fb0\r\nSet-Cookie: a=1\r\n\r\n",
}

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, , delayMs = "0"] = (incoming.url ?? "").split("/")
  const body = await bodyOf(incoming)
  await passTime(Number(delayMs))
  response.end(JSON.stringify({ url: incoming.url, body: body.toString(), trailers: incoming.rawTrailers }))
}

const test = base.extend<{ world: World }>({
  world: [
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    async ({}, use) => {
      const heads: string[] = []
      await using rawServer = await rawUpstream((socket, head) => {
        heads.push(head)
        const name = / \/say\/([\w-]+)/.exec(head)?.[1] ?? "content-length"
        socket.write(replies[name] ?? "", "latin1")
        if (name === "close-delimited") socket.end()
      })
      await using upstream = await httpUpstream(answer)
      await using raw = await startPair({ server: rawServer.url })
      await using node = await startPair({ server: upstream.url, transport: "poll" })
      await use({ raw, rawServer, heads, node })
    },
    { scope: "file" },
  ],
})

/** One request on a connection of its own, and all that comes back until the last expected bytes. */
async function say({ raw }: World, request: string, last: RegExp): Promise<string> {
  using client = new RawClient(raw.port)
  return await client.send(request).receives(last)
}

const get = (name: string): string => `GET /say/${name} HTTP/1.1\r\nHost: public.example\r\n\r\n`

test("method, target, field names, order, duplicates and bytes of a request cross verbatim", async ({
  world,
}) => {
  const lines = [
    "PROPFIND /say/odd/../%2e%2F//x;y?q=%zz&&a[]=1|2 HTTP/1.1",
    "X-Verbatim: 1",
    "hOST: Public.Example:8080",
    "Cookie: a=1",
    "x-verbatim:no space, \xe9\xff",
    "Accept-Encoding: gzip, br, zstd",
    "Cookie: b=2",
  ]
  await say(world, `${lines.join("\r\n")}\r\n\r\n`, /\r\n\r\n/)
  const head = world.heads.find((text) => text.startsWith("PROPFIND "))
  expect(head?.split("\r\n").slice(0, lines.length)).toEqual(lines)
})

test("fields about the client's connection stop at the edge, also those that Connection names, but never framing or host", async ({
  world,
}) => {
  const fields = [
    "Host: public.example",
    "Connection: close, X-Mine, Host, Cookie",
    "X-Mine: hop-by-hop",
    "Keep-Alive: 5",
    "Proxy-Authorization: Basic c2VjcmV0",
    "Upgrade: h2c",
    "Cookie: kept=1",
    "Forwarded: for=10.0.0.1",
    "X-Forwarded-For: 10.0.0.1",
  ]
  await say(world, `GET /say/odd?hops HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`, /\r\n\r\n/)
  const head = world.heads.find((text) => text.startsWith("GET /say/odd?hops "))
  expect(head).toMatch(
    /^GET \/say\/odd\?hops HTTP\/1\.1\r\nHost: public\.example\r\nCookie: kept=1\r\nX-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: public\.example\r\nVia: 1\.1 restante-[\w-]+\r\n\r\n$/,
  )
})

test("status, reason, field names, order, duplicates and bytes of an answer cross verbatim", async ({
  world,
}) => {
  const received = await say(world, get("odd"), /\r\n\r\n/)
  const sent = String(replies["odd"]).trimEnd().split("\r\n")
  expect(received.split("\r\n").slice(0, sent.length)).toEqual(sent)
  expect(received.match(/^date:/gim)).toHaveLength(1)
})

test("fields about the upstream's connection do not reach the client", async ({ world }) => {
  const received = await say(world, get("hop-by-hop"), /\r\n\r\n/)
  expect(received).toMatch(/^X-Public: 2\r$/m)
  expect(received).not.toMatch(/^(?:connection|x-secret|keep-alive|proxy-authenticate|upgrade):/im)
})

test("early hints and other 1xx answers come before the final one, in order", async ({ world }) => {
  const received = await say(world, get("early-hints"), /ok$/)
  expect(received).toMatch(
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  )
})

test("an HTTP/1.0 client gets no 1xx, no chunks, and a clean close at the end", async ({ world }) => {
  using hints = new RawClient(world.raw.port)
  hints.send("GET /say/early-hints HTTP/1.0\r\nHost: public.example\r\n\r\n")
  expect(await hints.ended()).toBe("clean")
  expect(hints.received).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n\r\nok$/s)
  using chunked = new RawClient(world.raw.port)
  chunked.send("GET /say/trailers HTTP/1.0\r\nHost: public.example\r\n\r\n")
  expect(await chunked.ended()).toBe("clean")
  expect(chunked.received).toMatch(/\r\n\r\nabc$/)
  expect(chunked.received).not.toMatch(/transfer-encoding/i)
})

test("an HTTP/1.0 client without Host is served, and may keep its connection when it asks for that", async ({
  world,
}) => {
  using client = new RawClient(world.raw.port)
  const request = "GET /say/content-length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
  expect(await client.send(request).receives(/hello$/)).toMatch(/^Connection: keep-alive\r$/m)
  await client.send(request).receives(/hello.*hello$/s)
})

test("an answer to HEAD keeps its Content-Length, has no body, and leaves the connection usable", async ({
  world,
}) => {
  using client = new RawClient(world.raw.port)
  const head = await client
    .send("HEAD /say/head HTTP/1.1\r\nHost: public.example\r\n\r\n")
    .receives(/\r\n\r\n$/)
  expect(head).toMatch(/^Content-Length: 12345\r$/m)
  expect(await client.send(get("content-length")).receives(/hello$/)).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
})

test("204 loses its Content-Length, 304 keeps it, and neither has a body", async ({ world }) => {
  using client = new RawClient(world.raw.port)
  const noContent = await client.send(get("no-content")).receives(/\r\n\r\n$/)
  expect(noContent).toMatch(/^HTTP\/1\.1 204 No Content\r\nETag: "x"\r\n/)
  expect(noContent).not.toMatch(/content-length|transfer-encoding/i)
  const both = await client.send(get("not-modified")).receives(/304 .*\r\n\r\n$/s)
  expect(both).toMatch(/304 Not Modified\r\nContent-Length: 12345\r\nETag: "x"\r\n/)
  await client.send(get("content-length")).receives(/hello$/)
})

test("a body that ends with the upstream's connection reaches the client with an end of its own", async ({
  world,
}) => {
  using client = new RawClient(world.raw.port)
  const received = await client.send(get("close-delimited")).receives(/\r\n0\r\n\r\n$/)
  expect(received).toMatch(/\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n$/)
  await client.send(get("content-length")).receives(/hello$/)
})

test("trailers of an answer arrive, save those that may not be trailers", async ({ world }) => {
  const received = await say(world, get("trailers"), /\r\n0\r\n[^]*\r\n\r\n$/)
  expect(received).toMatch(/\r\n3\r\nabc\r\n0\r\nX-Sum: 900150983cd24fb0\r\n\r\n$/)
})

test("trailers of a request arrive, save those that may not be trailers", async ({ world }) => {
  using client = new RawClient(world.node.port)
  const body = "3\r\nabc\r\n0\r\nX-Sum: 900150983cd24fb0\r\nAuthorization: Basic eA==\r\n\r\n"
  const received = await client
    .send(`POST /trailers HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)
    .receives(/\}$/)
  expect(received).toContain('"body":"abc","trailers":["X-Sum","900150983cd24fb0"]')
})

test("pipelined requests are answered in order, however long the first one takes", async ({ world }) => {
  using client = new RawClient(world.node.port)
  const requests = ["/pipelined/300", "/pipelined/0", "/pipelined/50"].map(
    (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
  )
  const received = await client.send(requests.join("")).receives(/pipelined\/50.*\}$/s)
  expect([...received.matchAll(/"url":"([^"]+)"/g)].map(([, url]) => url)).toEqual([
    "/pipelined/300",
    "/pipelined/0",
    "/pipelined/50",
  ])
})

test("one connection serves many requests, with and without bodies", async ({ world }) => {
  using client = new RawClient(world.node.port)
  for (let count = 0; count < 20; count++) {
    const body = `${count}:${"b".repeat(count * 1000)}.`
    client.send(`POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    await until(`the answer to request ${count}`, () => client.received.endsWith(`"${body}","trailers":[]}`))
  }
  expect(client.ending).toBe("open")
  expect(client.received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(20)
})

test("a client that expects 100-continue is told to go on, and its body arrives", async ({ world }) => {
  using client = new RawClient(world.node.port)
  client.send("PUT /expects HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
  expect(await client.receives(/\r\n\r\n/)).toBe("HTTP/1.1 100 Continue\r\n\r\n")
  expect(await client.send("hello").receives(/\}$/)).toContain('"body":"hello"')
})

base(
  "a client that expects 100-continue and cannot be served hears that before it sends its body",
  async () => {
    await using edge = await startEdge({ args: ["--max-queue", "1"] })
    using waiting = new RawClient(edge.port)
    waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until("one to wait", async () => (await edgeStatus(edge)).queue.waiting === 1)
    using client = new RawClient(edge.port)
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    expect(await client.receives(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/)
  },
)
