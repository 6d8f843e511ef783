// Replays against real servers: node:http, https with an own CA, and a unix socket.
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import http from "node:http"
import https from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { UpstreamAddress } from "../../src/agent-options.ts"
import { certificate, certificateKey } from "./certificate.ts"
import { get, poolFor, portOf, post, requestHead, Run, tcp } from "./support.ts"

const echo: http.RequestListener = (request, response) => {
  const pieces: Buffer[] = []
  request.on("data", (bytes: Buffer) => pieces.push(bytes))
  request.on("end", () => {
    response.setHeader("x-method", request.method ?? "")
    response.setHeader("x-url", request.url ?? "")
    response.setHeader("x-trailers", JSON.stringify(request.trailers))
    response.end(Buffer.concat(pieces))
  })
}

const kinds = ["http", "https", "unix"] as const

test.each(kinds)("a server behind %s gets requests and is heard, on one connection", async (kind) => {
  await using server = await started(kind, echo)
  const pool = poolFor(server.address)
  const got = new Run(pool, requestHead("GET /a//b?c"))
  expect(await got.settled).toEqual({ kind: "answered", status: 200 })
  expect(got.responseHead).toContain("x-url: /a//b?c\r\n")
  const posted = new Run(pool, post(5), { body: "hello" })
  await posted.settled
  expect(posted.responseHead).toContain("x-method: POST\r\n")
  expect(posted.body.toString()).toBe("hello")
  expect(pool.stats).toMatchObject({ dialled: 1, exchanges: 2 })
  await pool.close()
})

test.each(kinds)(
  "a server behind %s that echoes 8 MiB in chunks with trailers gets them back",
  async (kind) => {
    await using server = await started(kind, echo)
    const pool = poolFor(server.address)
    const run: Run = new Run(pool, requestHead("PUT /", "Trailer: x-sum"), { bodyFollows: true })
    const piece = Buffer.alloc(128 * 1024, "abcdefg")
    for (let sent = 0; sent < 8 * 1024 * 1024; sent += piece.length) {
      while (run.grantedBytes < sent + piece.length) await new Promise(setImmediate)
      run.replay.onData(piece)
    }
    run.replay.onEnd("x-sum: 7\r\n")
    expect(await run.settled).toEqual({ kind: "answered", status: 200 })
    expect(run.responseHead).toContain('x-trailers: {"x-sum":"7"}\r\n')
    expect(run.body.equals(Buffer.concat(Array.from({ length: 64 }, () => piece)))).toBe(true)
    await pool.close()
  },
)

test("a name with several addresses is tried until one answers", async () => {
  await using server = await started("http", echo)
  const port = server.address.kind === "tcp" ? server.address.port : 0
  const run = new Run(poolFor(tcp(port, { host: "localhost" })), get)
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
})

test("200 exchanges at once over a kept pool all get their own answer", async () => {
  await using server = await started("http", echo)
  const pool = poolFor(server.address)
  for (let round = 0; round < 5; round += 1) {
    const runs = Array.from(
      { length: 200 },
      (_, index) => new Run(pool, requestHead(`GET /${round}/${index}`)),
    )
    await Promise.all(runs.map((run) => run.settled))
    const urls = runs.map((run) => /x-url: (.*)\r\n/.exec(run.responseHead ?? "")?.[1])
    expect(urls).toEqual(runs.map((_, index) => `/${round}/${index}`))
  }
  expect(pool.stats.exchanges).toBe(1000)
  await pool.close()
})

async function started(
  kind: (typeof kinds)[number],
  listener: http.RequestListener,
): Promise<AsyncDisposable & { address: UpstreamAddress }> {
  const server =
    kind === "https"
      ? https.createServer({ key: certificateKey, cert: certificate }, listener)
      : http.createServer(listener)
  const folder = await mkdtemp(join(tmpdir(), "restante-"))
  const path = join(folder, "up.sock")
  if (kind === "unix") server.listen(path)
  else server.listen(0, kind === "https" ? "localhost" : "127.0.0.1")
  await once(server, "listening")
  const address: UpstreamAddress =
    kind === "unix"
      ? { kind, path, basePath: "" }
      : tcp(portOf(server), kind === "https" ? { host: "localhost", tls: true, ca: certificate } : {})
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
      await rm(folder, { recursive: true })
    },
  }
}
