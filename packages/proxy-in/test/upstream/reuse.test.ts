// When a connection serves the next exchange, when it does not, and what happens when the upstream closes it just then.
import { expect, test } from "vitest"
import { answering, get, ok, okHead, poolFor, post, rawServer, requestHead, Run, until } from "./support.ts"
import type { RawServer } from "./support.ts"

test("exchanges one after another share one connection", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address)
  for (let count = 0; count < 20; count += 1) await new Run(pool, get).settled
  expect(server.sockets).toHaveLength(1)
  expect(pool.stats).toEqual({ connections: 1, idle: 1, dialled: 1, exchanges: 20 })
  await pool.close()
})

test("exchanges at the same time have a connection each", async () => {
  const waiting: (() => void)[] = []
  await using server = await rawServer((socket) => {
    socket.on("data", () => waiting.push(() => socket.write(ok)))
  })
  const pool = poolFor(server.address)
  const runs = Array.from({ length: 10 }, () => new Run(pool, get))
  await until(() => waiting.length === 10)
  for (const answer of waiting) answer()
  await Promise.all(runs.map((run) => run.settled))
  expect(server.sockets).toHaveLength(10)
  await pool.close()
})

test("the connection that was used last is used first", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address)
  await Promise.all([new Run(pool, get).settled, new Run(pool, get).settled])
  const before = server.received.map((text) => text.length)
  for (let count = 0; count < 5; count += 1) await new Run(pool, get).settled
  const used = server.received.filter((text, index) => text.length > (before[index] ?? 0))
  expect(used).toHaveLength(1)
  await pool.close()
})

test("no more than maxIdle connections are kept", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address, { maxIdle: 2 })
  await Promise.all(Array.from({ length: 5 }, () => new Run(pool, get).settled))
  expect(pool.stats).toMatchObject({ connections: 2, idle: 2 })
  await pool.close()
})

test.each([
  ["that says Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
  ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["with bytes after its end", `${ok}HTTP/1.1 200 OK\r\n`],
  [
    "that announces to close within a second",
    "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok",
  ],
])("after a response %s the connection serves no other", async (_, response) => {
  await using server = await answering(response)
  const pool = poolFor(server.address)
  for (let count = 0; count < 3; count += 1) {
    const run = new Run(pool, get)
    expect(await run.settled).toEqual({ kind: "answered", status: 200 })
    expect(run.body.toString()).toBe("ok")
  }
  expect(server.sockets).toHaveLength(3)
  await until(() => server.sockets.every((socket) => socket.destroyed))
})

test("after HEAD, 204 and 304 the connection serves the next", async () => {
  const responses = [
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
    ok,
  ]
  await using server = await answering((request) => responses[request] ?? "")
  const pool = poolFor(server.address)
  for (const head of [requestHead("HEAD /"), get, get, get]) await new Run(pool, head).settled
  expect(server.sockets).toHaveLength(1)
  await pool.close()
})

test("an idle connection that the upstream closes is forgotten at once", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  server.sockets[0]?.end()
  await until(() => pool.stats.connections === 0)
  expect(pool.stats.idle).toBe(0)
  await new Run(pool, get).settled
  expect(server.sockets).toHaveLength(2)
  await pool.close()
})

test("an idle connection on which the upstream speaks unasked is closed", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  server.sockets[0]?.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake")
  await until(() => pool.stats.connections === 0)
  const run = new Run(pool, get)
  await run.settled
  expect(run.body.toString()).toBe("ok")
  await pool.close()
})

test("an idle connection is closed after idleMs", async () => {
  await using server = await answering(ok)
  const pool = poolFor(server.address, { idleMs: 150 })
  await new Run(pool, get).settled
  const since = performance.now()
  await until(() => server.sockets[0]?.destroyed === true)
  expect(performance.now() - since).toBeGreaterThan(140)
  expect(pool.stats.connections).toBe(0)
})

test("a GET that meets the end of a kept connection is sent once more on a fresh one", async () => {
  await using server = await closingAtSecond()
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  const run = new Run(pool, get)
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  expect(requestsTo(server)).toBe(3)
  expect(server.sockets).toHaveLength(2)
  await pool.close()
})

test("a PUT with its body inside is repeated with its body", async () => {
  await using server = await closingAtSecond()
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  const head = requestHead("PUT /", "Content-Length: 4")
  expect(await new Run(pool, head, { body: "body" }).settled).toEqual({ kind: "answered", status: 200 })
  expect(server.received).toEqual([`${get}${head}body`, `${head}body`])
  await pool.close()
})

test("a POST that meets the end of a kept connection is not sent again", async () => {
  await using server = await closingAtSecond()
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  expect(await new Run(pool, post(0)).settled).toMatchObject({ kind: "failed", code: "upstream_terminated" })
  expect(requestsTo(server)).toBe(2)
  expect(server.sockets).toHaveLength(1)
})

test("a request whose body follows is not sent again", async () => {
  await using server = await closingAtSecond()
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  const run = new Run(pool, requestHead("PUT /", "Content-Length: 4"), { bodyFollows: true })
  expect(await run.settled).toMatchObject({ kind: "failed", code: "upstream_terminated" })
  expect(server.sockets).toHaveLength(1)
})

test("a GET is repeated once and no more", async () => {
  let requests = 0
  await using server = await rawServer((socket) => {
    socket.on("data", () => {
      requests += 1
      if (requests === 1) socket.write(ok)
      else socket.destroy()
    })
  })
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  expect(await new Run(pool, get).settled).toMatchObject({ kind: "failed", code: "upstream_terminated" })
  expect(requests).toBe(3)
})

test("a GET on a fresh connection that breaks is not repeated", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.destroy())
  })
  expect(await new Run(poolFor(server.address), get).settled).toMatchObject({ code: "upstream_terminated" })
  expect(server.sockets).toHaveLength(1)
})

test("a GET whose answer had begun is not repeated", async () => {
  let requests = 0
  await using server = await rawServer((socket) => {
    socket.on("data", () => {
      requests += 1
      if (requests === 1) socket.write(ok)
      else socket.end("HTTP/1.1 2")
    })
  })
  const pool = poolFor(server.address)
  await new Run(pool, get).settled
  expect(await new Run(pool, get).settled).toMatchObject({ kind: "failed", code: "upstream_incomplete" })
  expect(requests).toBe(2)
})

test("an answer before the end of the request is passed on, and its connection serves no other", async () => {
  await using server = await rawServer((socket, index) => {
    socket.on("data", (bytes) => {
      server.received[index] += bytes.toString("latin1")
      if (bytes.includes("\r\n\r\n")) socket.write(ok)
    })
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, post(8), { bodyFollows: true })
  await until(() => run.told.some((frame) => frame.kind === "head"))
  expect(run.outcomes).toEqual([])
  run.replay.onData(Buffer.from("late"))
  run.replay.onData(Buffer.from("body"))
  run.replay.onEnd("")
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  expect(pool.stats.idle).toBe(0)
  await until(() => server.sockets[0]?.destroyed === true)
  expect(server.received[0]).toBe(`${post(8)}latebody`)
  expect(pool.stats.connections).toBe(0)
})

test("an upstream that answers early and closes lets the client finish: the rest is thrown away", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () =>
      socket.end(`HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`),
    )
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, post(1_000_000), { bodyFollows: true })
  await until(() => run.told.some((frame) => frame.kind === "head"))
  for (let sent = 0; sent < 1_000_000; sent += 100_000) {
    await until(() => run.grantedBytes >= sent + 100_000)
    run.replay.onData(Buffer.alloc(100_000))
  }
  run.replay.onEnd("")
  expect(await run.settled).toEqual({ kind: "answered", status: 413 })
  expect(run.told.filter((frame) => frame.kind === "reset")).toEqual([])
})

test("close ends idle connections, waits for the exchange that runs, and refuses new ones as not begun", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write(okHead))
  })
  const pool = poolFor(server.address)
  const running = new Run(pool, get)
  await until(() => running.told.length === 1)
  const closed = pool.close()
  expect(new Run(pool, get).told).toEqual([{ kind: "reset", code: "agent_stopping" }])
  server.sockets[0]?.write("ok")
  expect(await running.settled).toEqual({ kind: "answered", status: 200 })
  await closed
  expect(pool.stats.connections).toBe(0)
})

/** Answers the first request, then takes the second on the same connection and closes without a word; then answers again. */
async function closingAtSecond(): Promise<RawServer> {
  let requests = 0
  const server = await rawServer((socket, index) => {
    socket.on("data", (bytes) => {
      server.received[index] += bytes.toString("latin1")
      requests += 1
      if (requests === 2) socket.destroy()
      else socket.write(ok)
    })
  })
  return server
}

/** How many request heads the server has seen, however they were answered. */
const requestsTo = (server: RawServer): number => server.received.join("").split(" HTTP/1.1\r\n").length - 1
