// The access log of the real edge.
import { mkdtemp, readFile, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { fetchWhole, RawClient } from "../support/client.ts"
import { startEdge, startPair } from "../support/pair.ts"
import { until } from "../support/until.ts"
import { httpUpstream } from "../support/upstream.ts"

async function logPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "restante-access-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, "access.log")
}

function lines(path: string, count: number): Promise<readonly string[]> {
  return until(`${count} lines`, async () => {
    const all = (await readFile(path, "utf8").catch(() => "")).split("\n").slice(0, -1)
    return all.length >= count ? all : undefined
  })
}

test("a served request is a JSON line with its durations", async () => {
  const path = await logPath()
  await using upstream = await httpUpstream((_request, response) =>
    setTimeout(() => response.end("hello"), 30),
  )
  await using pair = await startPair({
    server: upstream.url,
    edgeArgs: ["--access-log", "json", "--access-log-file", path],
  })
  await fetchWhole(`${pair.url}/x?y=1`, { headers: { "user-agent": 'a "quoted" agent' } })
  const [line = ""] = await lines(path, 1)
  const entry = JSON.parse(line) as Record<string, number>
  expect(entry).toMatchObject({
    client: "127.0.0.1",
    method: "GET",
    target: "/x?y=1",
    status: 200,
    responseBytes: 5,
    tunnel: "default",
    attempt: 1,
    userAgent: 'a "quoted" agent',
  })
  expect(entry["upstreamMs"]).toBeGreaterThan(25)
  const { queueMs = -1, linkMs = -1, upstreamMs = 0, totalMs = 0 } = entry
  expect(queueMs).toBeGreaterThanOrEqual(0)
  expect(linkMs).toBeGreaterThanOrEqual(0)
  expect(queueMs + linkMs + upstreamMs).toBeLessThanOrEqual(totalMs + 0.01)
})

test("what is refused at the door has a line too, with as much as could be read", async () => {
  const path = await logPath()
  const args = ["--access-log", "json", "--access-log-file", path, "--trusted-proxies", "127.0.0.1"]
  await using edge = await startEdge({ args })
  using client = new RawClient(edge.port)
  client.send("TRACE /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
  client.send("GET / HTTP/1.1\r\nHost: a\r\nno field\r\n\r\n")
  const entries = (await lines(path, 2)).map((line) => JSON.parse(line) as object)
  expect(entries).toMatchObject([
    { client: "203.0.113.9", method: "TRACE", status: 405, error: "method_not_allowed" },
    { client: "127.0.0.1", status: 400, error: "bad_request" },
  ])
  expect(Object.keys(entries[1] ?? {})).not.toContain("method")
})

test.each([
  ["that cannot be read", "nonsense\r\n", { status: 400, error: "bad_request" }],
  ["that stops coming", "", { status: 408, error: "request_timeout" }],
])(
  "a request with a body %s is told as that, by the id that its client got",
  async (_what, more, expected) => {
    const path = await logPath()
    await using upstream = await httpUpstream(() => {})
    await using pair = await startPair({
      server: upstream.url,
      edgeArgs: ["--access-log", "json", "--access-log-file", path, "--body-timeout", "1s"],
    })
    using client = new RawClient(pair.port)
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await until("the private server to have it", () => upstream.seen.length === 1)
    client.send(more)
    const answer = await client.receives(/Restante-Exchange: [\w-]+\r\n/)
    const [, id] = /Restante-Exchange: ([\w-]+)/.exec(answer) ?? []
    const entries = (await lines(path, 1)).map((line) => JSON.parse(line) as object)
    expect(entries).toMatchObject([{ exchange: id, tunnel: "default", target: "/x", ...expected }])
  },
)

test("a request that fails has the error's code", async () => {
  const path = await logPath()
  await using edge = await startEdge({
    args: ["--hold", "0s", "--access-log", "json", "--access-log-file", path],
  })
  await fetchWhole(`${edge.url}/`)
  const [line = ""] = await lines(path, 1)
  expect(JSON.parse(line)).toMatchObject({ status: 503, error: "no_agent" })
})

test("without a file the lines follow the announcement on standard output", async () => {
  await using edge = await startEdge({ args: ["--hold", "0s", "--access-log", "combined"] })
  await fetchWhole(`${edge.url}/x`)
  expect(await edge.program.line(/^127\.0\.0\.1 - - \[.*\] ("GET \/x HTTP\/1\.1" 503 \d+) "-" "-"$/)).toBe(
    '"GET /x HTTP/1.1" 503 0',
  )
})

test("a renamed file is left alone, and the next lines are in a new one", async () => {
  const path = await logPath()
  await using edge = await startEdge({
    args: ["--hold", "0s", "--access-log", "combined", "--access-log-file", path],
  })
  await fetchWhole(`${edge.url}/first`)
  await lines(path, 1)
  await rename(path, `${path}.1`)
  await fetchWhole(`${edge.url}/second`)
  const [line = ""] = await lines(path, 1)
  expect([line.includes("/second"), (await readFile(`${path}.1`, "utf8")).includes("/second")]).toEqual([
    true,
    false,
  ])
})
