// How an upstream's response reaches the session: which frames, which bytes, and what is refused.
import { headFlags } from "@restante/protocol"
import { expect, test } from "vitest"
import { answering, get, ok, okHead, poolFor, rawServer, requestHead, Run, until } from "./support.ts"

/** One exchange with a server that sends `response`, and with `ending` ends or cuts the connection after it. */
async function relayed(
  response: string,
  options: { head?: string; ending?: "end" | "cut" } = {},
): Promise<Run> {
  await using server = await rawServer((socket) => {
    socket.once("data", () => {
      socket.write(response, "latin1", () => {
        if (options.ending === "end") socket.end()
        if (options.ending === "cut") socket.resetAndDestroy()
      })
    })
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, options.head ?? get)
  await run.settled
  await pool.close()
  expect(run.outcomes).toHaveLength(1)
  return run
}

const failedWith = (code: string): object => ({ kind: "failed", code, detail: expect.any(String) })

test("a response that comes whole goes as exactly one frame, fields untouched", async () => {
  const head =
    "HTTP/1.1 299 Weird Reason\r\nset-cookie: a\r\nSet-Cookie: b\r\nX-Latin: \xe9\xff\r\nContent-Length: 5\r\n\r\n"
  const run = await relayed(`${head}hello`)
  expect(run.told).toEqual([{ kind: "head", flags: headFlags.final, head, body: "hello" }])
})

test("a small chunked response goes as one frame too, without Transfer-Encoding", async () => {
  const run = await relayed(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
  )
  expect(run.told).toEqual([
    { kind: "head", flags: headFlags.final, head: "HTTP/1.1 200 OK\r\n\r\n", body: "hello" },
  ])
})

test.each([
  ["HEAD", requestHead("HEAD /"), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"],
  ["304", get, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: "x"\r\n\r\n'],
  ["204", get, "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"],
  ["length 0", get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
])("a response without a body (%s) goes as one frame without bytes", async (_, head, response) => {
  const run = await relayed(response, { head })
  expect(run.told).toEqual([{ kind: "head", flags: headFlags.final, head: response, body: undefined }])
})

test("Content-Length is taken out of a 204, where it may not be", async () => {
  const run = await relayed("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n")
  expect(run.responseHead).toBe("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n")
})

test("fields about the upstream's connection stay behind, with what Connection nominates", async () => {
  const run = await relayed(
    "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n",
  )
  expect(run.responseHead).toBe("HTTP/1.1 200 OK\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n")
})

test("interim responses are passed on in order before the final one", async () => {
  const run = await relayed(
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n${ok}`,
  )
  expect(run.told).toEqual([
    { kind: "head", flags: headFlags.informational, head: "HTTP/1.1 100 Continue\r\n\r\n", body: undefined },
    {
      kind: "head",
      flags: headFlags.informational,
      head: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
      body: undefined,
    },
    { kind: "head", flags: headFlags.final, head: okHead, body: "ok" },
  ])
})

test("an interim response is passed on while the upstream still thinks", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"))
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, get)
  await until(() => run.told.length === 1)
  server.sockets[0]?.write(ok)
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
})

test("trailers of a chunked response go with its end, without those that may not be trailers", async () => {
  const run = await relayed(
    "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n",
  )
  expect(run.told).toEqual([
    {
      kind: "head",
      flags: headFlags.body,
      head: "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n\r\n",
      body: undefined,
    },
    { kind: "data", bytes: 5 },
    { kind: "end", trailers: "X-Sum: 1\r\n" },
  ])
})

test("the many small chunks of one read go as one DATA", async () => {
  const run = await relayed(
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(1000)}0\r\nX-T: 1\r\n\r\n`,
  )
  expect(run.body.toString()).toBe("x".repeat(1000))
  expect(run.told.filter((frame) => frame.kind === "data").length).toBeLessThan(4)
})

test("a body that the upstream sends piece by piece is passed on piece by piece", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"))
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, get)
  await until(() => run.told.length === 1)
  for (const [index, piece] of ["on", "e ", "!\n"].entries()) {
    server.sockets[0]?.write(piece)
    await until(() => run.told.filter((frame) => frame.kind === "data").length === index + 1)
  }
  await run.settled
  expect(run.body.toString()).toBe("one !\n")
  expect(run.told.at(-1)).toEqual({ kind: "end", trailers: "" })
})

test("a head and a body that come in single bytes are understood", async () => {
  const response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"
  await using server = await rawServer((socket) => {
    socket.once("data", () => {
      const next = (at: number): void => {
        if (at < response.length) socket.write(response.charAt(at), () => setImmediate(next, at + 1))
      }
      next(0)
    })
  })
  const run = new Run(poolFor(server.address), get)
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  expect(run.body.toString()).toBe("hello")
  expect(run.told.at(-1)).toEqual({ kind: "end", trailers: "X-T: 1\r\n" })
})

test("a body that ends with the connection is complete when the connection ends cleanly", async () => {
  const run = await relayed("HTTP/1.1 200 OK\r\n\r\nuntil the end", { ending: "end" })
  expect(run.outcomes).toEqual([{ kind: "answered", status: 200 }])
  expect(run.body.toString()).toBe("until the end")
  expect(run.told.at(-1)).toEqual({ kind: "end", trailers: "" })
})

test("a response of an HTTP/1.0 server is passed on, as one of HTTP/1.0", async () => {
  const run = await relayed("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nbody", { ending: "end" })
  expect(run.responseHead).toBe("HTTP/1.0 200 OK\r\nServer: old\r\n\r\n")
  expect(run.body.toString()).toBe("body")
})

test.each([
  [
    "a switch of protocols that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "upstream_protocol",
  ],
  ["something that is not HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n", "upstream_protocol"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "upstream_protocol"],
  [
    "a length and chunked",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "upstream_protocol",
  ],
  [
    "an unknown transfer coding",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "upstream_transfer_coding",
  ],
  ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`, "upstream_header_size"],
  ["interim responses without end", "HTTP/1.1 102 Processing\r\n\r\n".repeat(50), "upstream_protocol"],
])("%s resets the stream", async (_, response, code) => {
  const run = await relayed(response)
  expect(run.outcomes).toEqual([failedWith(code)])
  expect(run.told.at(-1)).toEqual({ kind: "reset", code })
})

test("a broken chunk after the body has begun resets the stream", async () => {
  const run = await relayed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n")
  expect(run.outcomes).toEqual([failedWith("upstream_protocol")])
  expect(run.told.some((frame) => frame.kind === "end")).toBe(false)
})

test.each([
  ["before a byte of the response", "", "end", "upstream_terminated"],
  ["before a byte of the response, by force", "", "cut", "upstream_terminated"],
  ["in the middle of the head", "HTTP/1.1 200 OK\r\nCont", "end", "upstream_incomplete"],
  [
    "in the middle of a body with a length",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "end",
    "upstream_incomplete",
  ],
  [
    "in the middle of a body, by force",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "cut",
    "upstream_incomplete",
  ],
  [
    "in the middle of a chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
    "end",
    "upstream_incomplete",
  ],
  [
    "before the last chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    "end",
    "upstream_incomplete",
  ],
] as const)("a connection that ends %s never looks like an end", async (_, response, ending, code) => {
  const run = await relayed(response, { ending })
  expect(run.outcomes).toEqual([failedWith(code)])
  expect(run.told.some((frame) => frame.kind === "end")).toBe(false)
  expect(run.told.at(-1)).toEqual({ kind: "reset", code })
})

test("nothing is said on a stream after it is over", async () => {
  await using server = await answering(ok)
  const run = new Run(poolFor(server.address), get)
  await run.settled
  const told = run.told.length
  run.replay.onReset()
  run.replay.onWindow(1000)
  run.replay.onData(Buffer.from("x"))
  run.replay.onEnd("")
  run.replay.resume()
  run.replay.abort("internal")
  expect(run.told).toHaveLength(told)
  expect(run.outcomes).toHaveLength(1)
})
