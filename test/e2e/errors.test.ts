// The error table: each thing that can go wrong between a client and the private server, provoked for real, and what the
// client is told about it.
import { createServer as createTlsServer } from "node:https"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { expect, test } from "vitest"
import { certificate, certificateKey } from "../../packages/proxy-in/test/upstream/certificate.ts"
import { fetchWhole, RawClient } from "../support/client.ts"
import { edgeStatus, startAgent, startEdge, startPair } from "../support/pair.ts"
import { expectRefusal } from "../support/refusal.ts"
import { until } from "../support/until.ts"
import { closedPort, httpUpstream, rawUpstream } from "../support/upstream.ts"

test("without an agent a request is held as long as --hold says, then told that nobody is there", async () => {
  await using edge = await startEdge({ args: ["--hold", "400ms"] })
  const began = performance.now()
  const answer = await fetchWhole(`${edge.url}/`)
  const tookMs = performance.now() - began
  expectRefusal(answer, {
    status: 503,
    error: "destination_unavailable",
    code: "no_agent",
    forwarded: "no",
    retry: true,
  })
  expect(tookMs).toBeGreaterThanOrEqual(390)
  expect(tookMs).toBeLessThan(2000)
})

test("a request that finds the queue full is refused at once, and those that wait go on waiting", async () => {
  await using edge = await startEdge({ args: ["--max-queue", "2"] })
  await using upstream = await httpUpstream((_request, response) => response.end("served"))
  const held = [fetchWhole(`${edge.url}/1`), fetchWhole(`${edge.url}/2`)]
  await until("both to wait", async () => (await edgeStatus(edge)).queue.waiting === 2)
  const began = performance.now()
  const answer = await fetchWhole(`${edge.url}/3`)
  expect(performance.now() - began).toBeLessThan(500)
  expectRefusal(answer, {
    status: 503,
    error: "connection_limit_reached",
    code: "queue_full",
    forwarded: "no",
    retry: true,
  })
  await using agent = await startAgent({ server: upstream.url, external: edge.url })
  await agent.attached()
  expect((await Promise.all(held)).map(({ text }) => text)).toEqual(["served", "served"])
})

test("an upstream that refuses the connection gives 502 and never saw the request", async () => {
  const port = await closedPort()
  await using pair = await startPair({ server: `http://127.0.0.1:${port}` })
  for (const method of ["GET", "POST"]) {
    expectRefusal(
      await fetchWhole(`${pair.url}/`, { method, body: "x" }),
      { status: 502, error: "connection_refused", code: "upstream_refused", forwarded: "no" },
      [port],
    )
  }
})

test("an upstream whose name does not exist gives an error of name resolution", async () => {
  await using pair = await startPair({ server: "http://no-such-host.invalid:1234" })
  const answer = await fetchWhole(`${pair.url}/`)
  // Which of the two depends on whether this machine can ask a name server.
  const { error, status } = {
    upstream_dns: { error: "dns_error", status: 502 },
    upstream_dns_timeout: { error: "dns_timeout", status: 504 },
  }[String(answer.headers["restante-error"])] ?? { error: "neither", status: 0 }
  expectRefusal(
    answer,
    { status, error, code: String(answer.headers["restante-error"]), forwarded: "no" },
    ["no-such-host", 1234],
  )
}, 30_000)

test("an upstream whose certificate nobody trusts gives 502 and never saw the request", async () => {
  const server = createTlsServer({ cert: certificate, key: certificateKey }, (_request, response) => response.end())
  await once(server.listen(0, "127.0.0.1"), "listening")
  const { port } = server.address() as AddressInfo
  await using pair = await startPair({ server: `https://localhost:${port}` })
  expectRefusal(
    await fetchWhole(`${pair.url}/`),
    { status: 502, error: "tls_certificate_error", code: "upstream_tls_certificate", forwarded: "no" },
    [port],
  )
  server.close()
})

test("an upstream that speaks no TLS where it should gives 502 and never saw the request", async () => {
  await using upstream = await httpUpstream((_request, response) => response.end())
  await using pair = await startPair({ server: `https://127.0.0.1:${upstream.port}` })
  expectRefusal(
    await fetchWhole(`${pair.url}/`),
    { status: 502, error: "tls_protocol_error", code: "upstream_tls_protocol", forwarded: "no" },
    [upstream.port],
  )
  expect(upstream.seen).toEqual([])
})

test("an upstream that does not begin to answer within --timeout gives 504, and its connection is closed", async () => {
  await using upstream = await rawUpstream(() => undefined)
  await using pair = await startPair({ server: upstream.url, edgeArgs: ["--timeout", "1s"] })
  const began = performance.now()
  const answer = await fetchWhole(`${pair.url}/`)
  const tookMs = performance.now() - began
  expectRefusal(
    answer,
    { status: 504, error: "http_response_timeout", code: "upstream_timeout", forwarded: "maybe" },
    [upstream.port],
  )
  expect(tookMs).toBeGreaterThanOrEqual(990)
  expect(tookMs).toBeLessThan(3000)
  await until("the upstream's connection to close", () => upstream.sockets.every(({ closed }) => closed), 1000)
})

test("an upstream that closes before it answers gives 502, for any method, and a POST reaches it once", async () => {
  let requests = 0
  await using upstream = await rawUpstream((socket) => {
    requests += 1
    socket.destroy()
  })
  await using pair = await startPair({ server: upstream.url })
  expectRefusal(
    await fetchWhole(`${pair.url}/`, { method: "POST", body: "once" }),
    { status: 502, error: "http_response_incomplete", code: "upstream_terminated", forwarded: "maybe" },
    [upstream.port],
  )
  expect(requests).toBe(1)
  expectRefusal(
    await fetchWhole(`${pair.url}/`),
    { status: 502, error: "http_response_incomplete", code: "upstream_terminated", forwarded: "maybe" },
    [upstream.port],
  )
})

test.for([
  ["no HTTP at all", "220 mail.example ESMTP\r\n\r\n", "upstream_protocol", "http_protocol_error"],
  ["a bare line feed in the head", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "upstream_protocol", "http_protocol_error"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "upstream_protocol", "http_protocol_error"],
  ["a status of two digits", "HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n", "upstream_protocol", "http_protocol_error"],
  ["a switch of protocols that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "upstream_protocol", "http_protocol_error"],
  ["an unknown transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "upstream_transfer_coding", "http_response_transfer_coding"],
  ["a head beyond all bounds", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}\r\n\r\n`, "upstream_header_size", "http_response_header_section_size"],
] as const)("an upstream that answers with %s gives 502", async ([, bytes, code, error]) => {
  await using upstream = await rawUpstream((socket) => socket.write(bytes, "latin1"))
  await using pair = await startPair({ server: upstream.url })
  expectRefusal(
    await fetchWhole(`${pair.url}/`),
    { status: 502, error, code, forwarded: "maybe" },
    [upstream.port, "ESMTP", "xxxx"],
  )
})

test("a request that comes round to the same edge again is refused as a loop", async () => {
  await using edge = await startEdge()
  await using agent = await startAgent({ server: edge.url, external: edge.url })
  await agent.attached()
  expectRefusal(
    await fetchWhole(`${edge.url}/`),
    { status: 502, error: "proxy_loop_detected", code: "loop_detected", forwarded: "no" },
    [edge.port],
  )
})

test.for(["TRACE / HTTP/1.1", "CONNECT db.internal:5432 HTTP/1.1"])("%s is refused and reaches nobody", async (line) => {
  await using upstream = await httpUpstream((_request, response) => response.end())
  await using pair = await startPair({ server: upstream.url })
  using client = new RawClient(pair.port)
  const answer = await client.send(`${line}\r\nHost: public.example\r\n\r\n`).receives(/\r\n\r\n\{.*\}\n$/s)
  expect(answer).toMatch(/^HTTP\/1\.1 405 /)
  expect(answer).toMatch(/^Proxy-Status: restante; error=http_request_denied; details="not forwarded"\r$/m)
  expect(upstream.seen).toEqual([])
})

test.for([
  ["both framings", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400],
  ["an unknown transfer coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501],
  ["an endless target", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ["an endless head", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(100_000)}\r\n\r\n`, 431],
  ["a version from the future", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
] as const)("a request with %s is refused, reaches nobody, and ends its connection", async ([, bytes, status]) => {
  await using upstream = await httpUpstream((_request, response) => response.end())
  await using pair = await startPair({ server: upstream.url })
  using client = new RawClient(pair.port)
  const answer = await client.send(bytes).receives(/\r\n\r\n\{.*\}\n$/s)
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(answer).toMatch(/^Proxy-Status: restante; error=http_request_error; details="not forwarded"\r$/m)
  expect(answer).toMatch(/^Restante-Exchange: [\w-]{21}\r$/m)
  await client.ended()
  expect(upstream.seen).toEqual([])
})
