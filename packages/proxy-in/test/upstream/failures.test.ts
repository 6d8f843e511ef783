// Every way in which an upstream can fail, and the code that tells the edge which one it was.
import { once } from "node:events"
import net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { connectFailure } from "../../src/upstream/failures.ts"
import { certificate } from "./certificate.ts"
import { answering, get, ok, poolFor, portOf, post, rawServer, Run, tcp, until } from "./support.ts"

const failedWith = (code: string): object => ({ kind: "failed", code, detail: expect.any(String) })

test("a port where nobody listens is upstream_refused, and a POST to it is not TAKEN", async () => {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const port = portOf(server)
  server.close()
  await once(server, "close")
  const run = new Run(poolFor(tcp(port)), post(0))
  expect(await run.settled).toEqual({ kind: "failed", code: "upstream_refused", detail: "ECONNREFUSED" })
  expect(run.told).toEqual([{ kind: "reset", code: "upstream_refused" }])
})

test("a unix socket that is not there is upstream_refused", async () => {
  const pool = poolFor({ kind: "unix", path: join(tmpdir(), "restante-no-such.sock"), basePath: "" })
  expect(await new Run(pool, get).settled).toEqual(failedWith("upstream_refused"))
})

test("a name that does not exist is a failure of the name look-up", async () => {
  const pool = poolFor(tcp(80, { host: "no-such-name.invalid" }))
  expect(await new Run(pool, get).settled).toMatchObject({
    code: expect.stringMatching(/^upstream_dns(_timeout)?$/),
  })
})

test.each([
  ["ENOTFOUND", "resolving", "upstream_dns"],
  ["EAI_FAIL", "resolving", "upstream_dns"],
  ["EAI_AGAIN", "resolving", "upstream_dns_timeout"],
  ["EHOSTUNREACH", "connecting", "upstream_refused"],
  ["ETIMEDOUT", "connecting", "upstream_connect_timeout"],
  ["EMFILE", "connecting", "agent_overloaded"],
  ["ECONNRESET", "securing", "upstream_tls_protocol"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "securing", "upstream_tls_protocol"],
  ["CERT_HAS_EXPIRED", "securing", "upstream_tls_certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "securing", "upstream_tls_certificate"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "securing", "upstream_tls_certificate"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "securing", "upstream_tls_certificate"],
] as const)("%s while %s is %s", (errno, stage, code) => {
  expect(connectFailure(Object.assign(new Error("failed"), { code: errno }), stage)).toEqual({
    code,
    detail: errno,
  })
})

test("a certificate that nobody trusts is upstream_tls_certificate, and no byte of the request is sent", async () => {
  let receivedBytes = 0
  await using server = await rawServer(
    (socket) => socket.on("data", (bytes) => (receivedBytes += bytes.length)),
    { secure: true },
  )
  const run = new Run(poolFor({ ...server.address, ca: undefined }), post(0))
  expect(await run.settled).toEqual(failedWith("upstream_tls_certificate"))
  expect(run.told).toEqual([{ kind: "reset", code: "upstream_tls_certificate" }])
  expect(receivedBytes).toBe(0)
})

test("a certificate for another name is upstream_tls_certificate", async () => {
  await using server = await rawServer(() => undefined, { secure: true })
  const run = new Run(poolFor({ ...server.address, host: "127.0.0.1", ca: certificate }), get)
  expect(await run.settled).toMatchObject({
    code: "upstream_tls_certificate",
    detail: "ERR_TLS_CERT_ALTNAME_INVALID",
  })
})

test("an upstream that does not speak TLS is upstream_tls_protocol", async () => {
  await using server = await rawServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
  const pool = poolFor({ ...server.address, tls: true })
  expect(await new Run(pool, get).settled).toEqual(failedWith("upstream_tls_protocol"))
})

test("an upstream that closes in the TLS handshake is upstream_tls_protocol", async () => {
  await using server = await rawServer((socket) => socket.once("data", () => socket.end()))
  const pool = poolFor({ ...server.address, tls: true })
  expect(await new Run(pool, get).settled).toEqual(failedWith("upstream_tls_protocol"))
})

test("a connection that does not stand within connectTimeoutMs is upstream_connect_timeout, and is closed", async () => {
  await using server = await rawServer((socket) => socket.resume())
  const pool = poolFor({ ...server.address, tls: true }, { connectTimeoutMs: 200 })
  const since = performance.now()
  expect(await new Run(pool, get).settled).toEqual(failedWith("upstream_connect_timeout"))
  expect(performance.now() - since).toBeGreaterThan(190)
  await until(() => server.sockets[0]?.destroyed === true)
})

test("no response head within headTimeoutMs is upstream_timeout, and the connection is closed", async () => {
  await using server = await rawServer(() => undefined)
  const since = performance.now()
  const run = new Run(poolFor(server.address), get, { headTimeoutMs: 200 })
  expect(await run.settled).toEqual(failedWith("upstream_timeout"))
  expect(performance.now() - since).toBeGreaterThan(190)
  await until(() => server.sockets[0]?.destroyed === true)
})

test("half a head within headTimeoutMs is upstream_timeout", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n"))
  })
  const run = new Run(poolFor(server.address), get, { headTimeoutMs: 200 })
  expect(await run.settled).toEqual(failedWith("upstream_timeout"))
})

test("a client that takes its time with the body is not held against the upstream", async () => {
  await using server = await rawServer((socket, index) => {
    socket.on("data", (bytes) => {
      server.received[index] += bytes.toString("latin1")
      if (server.received[index]?.endsWith("rest")) socket.write(ok)
    })
  })
  const run = new Run(poolFor(server.address), post(8), { bodyFollows: true, headTimeoutMs: 150 })
  run.replay.onData(Buffer.from("part"))
  await new Promise((resolve) => setTimeout(resolve, 500))
  run.replay.onData(Buffer.from("rest"))
  run.replay.onEnd("")
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
})

test("an upstream that stops taking the body is upstream_timeout", async () => {
  await using server = await rawServer((socket) => socket.pause())
  const pool = poolFor(server.address)
  const run = new Run(pool, post(64 * 1024 * 1024), { bodyFollows: true, headTimeoutMs: 300 })
  let sent = 0
  while (run.outcomes.length === 0) {
    while (sent < run.grantedBytes) {
      run.replay.onData(Buffer.alloc(64 * 1024))
      sent += 64 * 1024
    }
    await new Promise(setImmediate)
  }
  expect(run.outcomes).toEqual([failedWith("upstream_timeout")])
  expect(sent).toBeLessThan(32 * 1024 * 1024)
})

test("silence in the middle of a body for readTimeoutMs is upstream_read_timeout", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
  })
  const run = new Run(poolFor(server.address), get, { readTimeoutMs: 200 })
  expect(await run.settled).toEqual(failedWith("upstream_read_timeout"))
  expect(run.told.at(-1)).toEqual({ kind: "reset", code: "upstream_read_timeout" })
})

test("a quiet event stream lives as long as it likes when readTimeoutMs is 0", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n"))
  })
  const run = new Run(poolFor(server.address), get, { readTimeoutMs: 0, headTimeoutMs: 100 })
  await until(() => run.receivedBytes > 0)
  await new Promise((resolve) => setTimeout(resolve, 400))
  server.sockets[0]?.end("data: 2\n\n")
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  expect(run.body.toString()).toBe("data: 1\n\ndata: 2\n\n")
})

test("an edge that gives no credit is not held against the upstream", async () => {
  await using server = await answering(
    `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`,
  )
  const run = new Run(poolFor(server.address), get, { readTimeoutMs: 150, consume: false })
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(run.outcomes).toEqual([])
  expect(run.receivedBytes).toBe(256 * 1024)
  run.consumed(run.receivedBytes)
  run.replay.onReset()
})

test("an exchange that the agent gives up says so to the edge and ends the connection", async () => {
  await using server = await rawServer(() => undefined)
  const run = new Run(poolFor(server.address), get)
  await until(() => server.sockets.length === 1)
  run.replay.abort("agent_lost", "session over")
  expect(run.told).toEqual([{ kind: "reset", code: "agent_lost" }])
  expect(run.outcomes).toEqual([{ kind: "failed", code: "agent_lost", detail: "session over" }])
  await until(() => server.sockets[0]?.destroyed === true)
})
