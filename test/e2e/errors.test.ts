// The error table: each thing that can go wrong between a client and the private server, provoked for real, and what the
// client is told about it.
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { expect, test as base } from "vitest"
import { certificate, certificateKey } from "../../packages/proxy-in/test/upstream/certificate.ts"
import { fetchWhole, RawClient } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { type Edge, edgeStatus, startAgent, startEdge } from "../support/pair.ts"
import { refusalIn } from "../support/refusal.ts"
import { slowness } from "../support/slowness.ts"
import { until } from "../support/until.ts"
import { closedPort, httpUpstream, type RawUpstream, rawUpstream } from "../support/upstream.ts"

/** What the private server says to a request for each of these targets. */
const replies: Readonly<Record<string, string>> = {
  "/smtp": "220 mail.example ESMTP\r\n\r\n",
  "/bare-line-feed": "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
  "/two-lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "/two-digits": "HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n",
  "/unsolicited-101":
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: secret-protocol\r\nConnection: upgrade\r\n\r\n",
  "/unknown-coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  "/endless-head": `HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}\r\n\r\n`,
}

interface World {
  readonly edge: Edge
  /** Closes the connection on /closes, says nothing to /silent, else what `replies` has. */
  readonly upstream: RawUpstream
  /** Targets of all requests that reached the upstream. */
  readonly reached: readonly string[]
}

/** An edge and a server that misbehaves, for all tests of this file: none of them leaves anything behind in either. */
const test = base.extend<{ world: World }>({
  world: [
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    async ({}, use) => {
      const reached: string[] = []
      await using upstream = await rawUpstream((socket, head) => {
        const target = head.split(" ")[1] ?? ""
        reached.push(target)
        if (target === "/closes") socket.destroy()
        else socket.write(replies[target] ?? "", "latin1")
      })
      await using edge = await startEdge({ args: ["--timeout", "1s"] })
      await using agent = await startAgent({ server: upstream.url, external: edge.url })
      await agent.attached()
      await use({ edge, upstream, reached })
    },
    { scope: "file" },
  ],
})

test("without an agent a request is held as long as --hold says, then told that nobody is there", async () => {
  await using edge = await startEdge({ args: ["--hold", "400ms"] })
  const began = performance.now()
  const answer = await fetchWhole(`${edge.url}/`)
  const tookMs = performance.now() - began
  expect(refusalIn(answer)).toEqual({
    status: 503,
    error: "destination_unavailable",
    code: "no_agent",
    forwarded: "no",
    retry: true,
  })
  expect(tookMs).toBeGreaterThanOrEqual(390)
  expect(tookMs).toBeLessThan(2000 * slowness())
})

test("a request that finds the queue full is refused at once, and those that wait go on waiting", async () => {
  await using edge = await startEdge({ args: ["--max-queue", "2"] })
  await using upstream = await httpUpstream((_request, response) => response.end("served"))
  const held = [fetchWhole(`${edge.url}/1`), fetchWhole(`${edge.url}/2`)]
  await until("both to wait", async () => (await edgeStatus(edge)).queue.waiting === 2)
  const began = performance.now()
  const answer = await fetchWhole(`${edge.url}/3`)
  expect(performance.now() - began).toBeLessThan(500 * slowness())
  expect(refusalIn(answer)).toEqual({
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

test("an upstream that refuses the connection gives 502 and never saw the request", async ({ world }) => {
  const port = await closedPort()
  await using agent = await startAgent({
    server: `http://127.0.0.1:${port}`,
    external: world.edge.url,
    tunnel: "refusing",
  })
  await agent.attached()
  for (const method of ["GET", "POST"]) {
    const options = { method, body: "x", headers: { host: "refusing.example" } }
    expect(refusalIn(await fetchWhole(`${world.edge.url}/`, options), [port])).toEqual({
      status: 502,
      error: "connection_refused",
      code: "upstream_refused",
      forwarded: "no",
      retry: false,
    })
  }
})

test(
  "an upstream whose name does not exist gives an error of name resolution",
  { timeout: 30_000 },
  async ({ world }) => {
    await using agent = await startAgent({
      server: "http://no-such-host.invalid:1234",
      external: world.edge.url,
      tunnel: "nameless",
    })
    await agent.attached()
    const answer = await fetchWhole(`${world.edge.url}/`, { headers: { host: "nameless.example" } })
    // Which of the two depends on whether this machine can ask a name server.
    const code = String(answer.headers["restante-error"])
    const found = {
      upstream_dns: { error: "dns_error", status: 502 },
      upstream_dns_timeout: { error: "dns_timeout", status: 504 },
    }[code] ?? { error: "neither", status: 0 }
    expect(refusalIn(answer, ["no-such-host", 1234])).toEqual({
      ...found,
      code,
      forwarded: "no",
      retry: false,
    })
  },
)

test("an upstream whose certificate nobody trusts gives 502 and never saw the request", async ({ world }) => {
  const seen: unknown[] = []
  const server = createTlsServer({ cert: certificate, key: certificateKey }, (request) => seen.push(request))
  await once(server.listen(0, "127.0.0.1"), "listening")
  const { port } = server.address() as AddressInfo
  await using agent = await startAgent({
    server: `https://localhost:${port}`,
    external: world.edge.url,
    tunnel: "distrusted",
  })
  await agent.attached()
  expect(
    refusalIn(await fetchWhole(`${world.edge.url}/`, { headers: { host: "distrusted.example" } }), [port]),
  ).toEqual({
    status: 502,
    error: "tls_certificate_error",
    code: "upstream_tls_certificate",
    forwarded: "no",
    retry: false,
  })
  server.close()
  expect(seen).toEqual([])
})

test("an upstream that speaks no TLS where it should gives 502 and never saw the request", async ({
  world,
}) => {
  await using upstream = await httpUpstream((_request, response) => response.end())
  await using agent = await startAgent({
    server: `https://127.0.0.1:${upstream.port}`,
    external: world.edge.url,
    tunnel: "plain",
  })
  await agent.attached()
  expect(
    refusalIn(await fetchWhole(`${world.edge.url}/`, { headers: { host: "plain.example" } }), [
      upstream.port,
    ]),
  ).toEqual({
    status: 502,
    error: "tls_protocol_error",
    code: "upstream_tls_protocol",
    forwarded: "no",
    retry: false,
  })
  expect(upstream.seen).toEqual([])
})

test("an upstream that does not begin to answer within --timeout gives 504, and its connection is closed", async ({
  world,
}) => {
  const { edge, upstream } = world
  const began = performance.now()
  const answer = await fetchWhole(`${edge.url}/silent`)
  const tookMs = performance.now() - began
  expect(refusalIn(answer, [upstream.port])).toEqual({
    status: 504,
    error: "http_response_timeout",
    code: "upstream_timeout",
    forwarded: "maybe",
    retry: false,
  })
  expect(tookMs).toBeGreaterThanOrEqual(990)
  expect(tookMs).toBeLessThan(3000 * slowness())
  await until(
    "the upstream's connection to close",
    () => upstream.sockets.every(({ closed }) => closed),
    1000,
  )
})

test("an upstream that closes before it answers gives 502, and a POST reaches it once", async ({ world }) => {
  const { edge, upstream, reached } = world
  expect(
    refusalIn(await fetchWhole(`${edge.url}/closes`, { method: "POST", body: "once" }), [upstream.port]),
  ).toEqual({
    status: 502,
    error: "http_response_incomplete",
    code: "upstream_terminated",
    forwarded: "maybe",
    retry: false,
  })
  expect(reached.filter((target) => target === "/closes")).toHaveLength(1)
})

test.for([
  ["no HTTP at all", "/smtp", "upstream_protocol", "http_protocol_error"],
  ["a bare line feed in the head", "/bare-line-feed", "upstream_protocol", "http_protocol_error"],
  ["two lengths", "/two-lengths", "upstream_protocol", "http_protocol_error"],
  ["a status of two digits", "/two-digits", "upstream_protocol", "http_protocol_error"],
  [
    "a switch of protocols that nobody asked for",
    "/unsolicited-101",
    "upstream_protocol",
    "http_protocol_error",
  ],
  [
    "an unknown transfer coding",
    "/unknown-coding",
    "upstream_transfer_coding",
    "http_response_transfer_coding",
  ],
  ["a head beyond all bounds", "/endless-head", "upstream_header_size", "http_response_header_section_size"],
] as const)("an upstream that answers with %s gives 502", async ([, target, code, error], { world }) => {
  expect(
    refusalIn(await fetchWhole(`${world.edge.url}${target}`), [
      world.upstream.port,
      "ESMTP",
      "xxxx",
      "secret-protocol",
    ]),
  ).toEqual({ status: 502, error, code, forwarded: "maybe", retry: false })
})

test("a request that comes round to the same edge again is refused as a loop", async ({ world }) => {
  const { edge } = world
  await using agent = await startAgent({ server: edge.url, external: edge.url, tunnel: "loop" })
  await agent.attached()
  expect(
    refusalIn(await fetchWhole(`${edge.url}/`, { headers: { host: "loop.example" } }), [edge.port]),
  ).toEqual({
    status: 502,
    error: "proxy_loop_detected",
    code: "loop_detected",
    forwarded: "no",
    retry: false,
  })
})

test.for(["TRACE /refused HTTP/1.1", "CONNECT db.internal:5432 HTTP/1.1"])(
  "%s is refused and reaches nobody",
  async (line, { world }) => {
    using client = new RawClient(world.edge.port)
    const answer = await client.send(`${line}\r\nHost: public.example\r\n\r\n`).receives(/\r\n\r\n\{.*\}\n$/s)
    expect(answer).toMatch(/^HTTP\/1\.1 405 /)
    expect(answer).toMatch(/^Proxy-Status: restante; error=http_request_denied; details="not forwarded"\r$/m)
    expect(world.reached).not.toContain("/refused")
    expect(world.reached).not.toContain("db.internal:5432")
  },
)

test.for([
  [
    "both framings",
    400,
    "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["two hosts", 400, "GET /refused HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  ["a space before the colon", 400, "GET /refused HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"],
  ["an unknown transfer coding", 501, "POST /refused HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"],
  ["an endless target", 414, `GET /refused${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["an endless head", 431, `GET /refused HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(100_000)}\r\n\r\n`],
  ["a version from the future", 505, "GET /refused HTTP/2.0\r\nHost: a\r\n\r\n"],
] as const)(
  "a request with %s is refused with %i, reaches nobody, and ends its connection",
  async ([, status, bytes], { world }) => {
    using client = new RawClient(world.edge.port)
    const answer = await client.send(bytes).receives(/\r\n\r\n\{.*\}\n$/s)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toMatch(/^Proxy-Status: restante; error=http_request_error; details="not forwarded"\r$/m)
    expect(answer).toMatch(/^Restante-Exchange: [\w-]{21}\r$/m)
    await client.ended()
    expect(world.reached.filter((target) => target.startsWith("/refused"))).toEqual([])
  },
)

test("a browser gets a page, and the operator's own one where there is one", async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, "page.html")
  await writeFile(file, "<h1>Back soon</h1>{{code}}")
  await using edge = await startEdge({ args: ["--hold", "0s"] })
  await using own = await startEdge({ args: ["--hold", "0s", "--error-page", file] })
  const browser = { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } }
  const page = await fetchWhole(`${edge.url}/`, browser)
  expect([page.status, page.headers["content-type"]]).toEqual([503, "text/html; charset=utf-8"])
  expect(page.text).toContain("The site is not connected right now.")
  expect((await fetchWhole(`${own.url}/`, browser)).text).toBe("<h1>Back soon</h1>no_agent")
  expect(refusalIn(await fetchWhole(`${own.url}/`))).toMatchObject({ code: "no_agent" })
})
