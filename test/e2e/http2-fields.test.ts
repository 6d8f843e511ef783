// Fields that HTTP/1.1 carries and HTTP/2 has no place for, or that node:http2 would not take: one of them in a message never costs
// more than that message.
import { createServer } from "node:http2"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { Http2TestClient } from "../support/http2-client.ts"
import { startPair } from "../support/pair.ts"
import { rawUpstream } from "../support/upstream.ts"

const odd = [
  "HTTP2-Settings: AAMAAABk",
  "TE: gzip",
  "Keep-Alive: timeout=3",
  "Proxy-Connection: close",
  "Connection: X-Secret\r\nX-Secret: 1",
]

test.each(odd)("an answer with %s has the rest of its fields for an HTTP/2 client", async (line) => {
  await using upstream = await rawUpstream((socket) =>
    socket.write(
      `HTTP/1.1 103 Early Hints\r\nLink: a\r\n${line}\r\n\r\n` +
        `HTTP/1.1 200 OK\r\nX-A: 1\r\n${line}\r\nETag: a\r\nETag: b\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `2\r\nok\r\n0\r\nX-Sum: 7\r\nHTTP2-Settings: x\r\nX-Sum: 8\r\n\r\n`,
    ),
  )
  await using pair = await startPair({ server: upstream.url, edgeArgs: ["--h2c"] })
  await using client = await Http2TestClient.to(pair.url)
  const { text, raw, trailers, informational } = await client.ask("GET", "/")
  expect([text, raw.slice(0, 8)]).toEqual(["ok", [":status", "200", "x-a", "1", "etag", "a", "etag", "b"]])
  expect(raw.slice(8).filter((_, at) => at % 2 === 0)).toEqual(["date", "via"])
  expect(trailers).toMatchObject({ "x-sum": "7, 8" })
  expect(informational).toMatchObject([{ ":status": 103, link: "a" }])
})

test.each(odd)("a request with %s has the rest of its fields for an HTTP/2 server", async (line) => {
  const seen: (readonly string[])[] = []
  const server = createServer()
  server.on("stream", (stream, _fields, _flags, raw) => {
    seen.push(raw)
    stream.respond({ ":status": 200 })
    stream.end("ok")
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  await using stack = new AsyncDisposableStack()
  stack.defer(() => void server.close())
  const url = `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pair = stack.use(await startPair({ server: url }))
  const [name = "", value = ""] = line.split(/: /, 2)
  const headers = { [name]: value.replace(/\r.*/s, ""), "X-Secret": "1", "X-A": "1" }
  expect((await fetchWhole(pair.url, { headers })).text).toBe("ok")
  const names = (seen[0] ?? []).filter((_, at) => at % 2 === 0)
  expect(names).toContain("x-a")
  expect(names).not.toContain(name.toLowerCase())
})
