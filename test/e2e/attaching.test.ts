// Who may attach, and what an agent that cannot says: once, clearly, without giving up and without a word of the token.
import { readFile, stat } from "node:fs/promises"
import { createServer } from "node:net"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startAgent, startEdge, token } from "../support/pair.ts"
import { Program } from "../support/program.ts"
import { until } from "../support/until.ts"
import { closedPort, httpUpstream } from "../support/upstream.ts"

const server = "http://127.0.0.1:9"

describe("an agent that cannot attach says so once and goes on trying", () => {
  test("with the wrong token; and attaches by itself once the edge knows it", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("attached after all"))
    await using edge = await startEdge()
    const wrong = "not-the-token-of-this-edge-0123456789"
    await using agent = await startAgent({ server: upstream.url, external: edge.url, token: wrong })
    await until("it to be refused twice", async () => ((await agent.status()).link.attempt ?? 0) > 2)
    expect(agent.program.logged.filter((line) => line.includes("refuses the token"))).toHaveLength(1)
    await edge.program.kill()
    await using right = await startEdge({ port: edge.port, token: wrong })
    expect((await fetchWhole(`${right.url}/`)).text).toBe("attached after all")
    const said = [
      ...agent.program.logged,
      ...agent.program.said,
      ...edge.program.logged,
      ...edge.program.said,
    ].join("\n")
    expect(said).not.toContain(wrong)
    expect(said).not.toContain(token)
  })

  test("with a host name that does not exist", async () => {
    await using agent = await startAgent({ server, external: "http://no-such-edge.invalid" })
    await until("it to say so", () => agent.program.hasLogged("name cannot be resolved"))
    expect((await agent.status()).link.kind).toBe("reconnecting")
  })

  test("where nothing listens", async () => {
    await using agent = await startAgent({ server, external: `http://127.0.0.1:${await closedPort()}` })
    await until("it to say so", () => agent.program.hasLogged("Nothing listens at the edge's address"))
    expect((await agent.status()).link.kind).toBe("reconnecting")
  })

  test.for([
    [
      "a login page",
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
      "not a Restante edge",
    ],
    ["a mail server", "220 mail.example ESMTP\r\n", "not a Restante edge"],
    [
      "an edge of another version",
      'HTTP/1.1 400 Bad Request\r\nRestante-Version: 2\r\nContent-Type: application/problem+json\r\nContent-Length: 46\r\n\r\n{"code":"version_unsupported","supported":[2]}',
      "another version of the protocol",
    ],
    [
      "an edge whose welcome it does not understand",
      'HTTP/1.1 200 OK\r\nRestante-Version: 2\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"protocol":2}',
      "another version of the protocol",
    ],
  ] as const)("to %s", async ([, answer, words]) => {
    let tries = 0
    const other = createServer((socket) => {
      socket.on("error", () => undefined)
      socket.once("data", () => {
        tries++
        socket.end(answer)
      })
    })
    await once(other.listen(0, "127.0.0.1"), "listening")
    try {
      const external = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
      await using agent = await startAgent({ server, external })
      await until("it to have tried three times", () => tries > 2)
      expect(agent.program.logged.filter((line) => line.includes(words))).toHaveLength(1)
    } finally {
      other.close()
    }
  })
})

test("the edge tells an agent of another version which ones it speaks", async () => {
  await using edge = await startEdge()
  const answer = await fetchWhole(`${edge.url}/.restante/v1/attach`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ protocol: 7, tunnel: "default" }),
  })
  expect(answer.status).toBe(400)
  expect(answer.headers["restante-version"]).toBe("1")
  expect(JSON.parse(answer.text)).toMatchObject({ code: "version_unsupported", supported: [1] })
})

test("without a token nobody attaches, and nobody resumes a session by guessing", async () => {
  await using edge = await startEdge()
  const body = JSON.stringify({
    protocol: 1,
    tunnel: "default",
    instance: "x",
    concurrency: 1,
    software: "x",
  })
  for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: `Basic ${token}` }]) {
    const answer = await fetchWhole(`${edge.url}/.restante/v1/attach`, { method: "POST", headers, body })
    expect(answer.status).toBe(401)
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="restante"')
  }
  for (const endpoint of ["poll", "push"]) {
    const headers = { "restante-session": "a".repeat(24) }
    const answer = await fetchWhole(`${edge.url}/.restante/v1/${endpoint}`, { method: "POST", headers })
    expect(answer.status).toBe(410)
  }
})

test("on its first start an edge makes a token that only its owner can read, and keeps it", async () => {
  await using folder = await temporaryFolder()
  const args = ["--host", "127.0.0.1", "--port", "0", "--data-dir", folder.path]
  const file = join(folder.path, "token")
  const start = async (): Promise<string> => {
    await using edge = new Program({ name: "proxy-out", args, token: undefined })
    const port = Number(await edge.line(/^Listening on http:\/\/127\.0\.0\.1:(\d+)$/))
    expect(await edge.line(/^ {2}(proxy-in .*)$/)).toBe(
      `proxy-in --server http://127.0.0.1:8080 --external http://127.0.0.1:${port} --token-file ${file}`,
    )
    const kept = await readFile(file, "utf8")
    expect([...edge.said, ...edge.logged].join("\n")).not.toContain(kept.trim())
    return kept
  }
  const first = await start()
  expect(first.trim()).toMatch(/^[\w-]{43}$/)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await start()).toBe(first)
})

test.for(["proxy-out", "proxy-in"] as const)(
  "%s refuses a token on its command line without repeating it",
  async (name) => {
    await using program = new Program({
      name,
      args: ["--token", "s3cret-on-the-command-line"],
      token: undefined,
    })
    expect(await program.ended).toEqual({ code: 2, signal: null })
    await until("it to have explained", () => program.hasLogged("does not belong on the command line"))
    expect(program.logged.join("\n")).not.toContain("s3cret")
  },
)

test("an agent tells probes and Prometheus what it does", async () => {
  await using upstream = await httpUpstream((_request, response) => response.end("hello"))
  await using edge = await startEdge()
  await using agent = await startAgent({ server: upstream.url, external: edge.url })
  await agent.attached()
  await fetchWhole(`${edge.url}/`)
  await until("the request to be counted", async () => (await agent.status()).requests.served === 1)
  const page = await agent.program.line(/^Status on (http:\/\/127\.0\.0\.1:\d+\/)$/)
  const textOf = async (path: string): Promise<string> => (await fetchWhole(page + path)).text
  expect([await textOf("healthz"), await textOf("readyz")]).toEqual(["alive\n", "attached\n"])
  const metrics = await textOf("metrics")
  const expected = [
    'restante_agent_attached{tunnel="default"} 1',
    'restante_agent_transport{tunnel="default",transport="websocket"} 1',
    'restante_agent_attaches_total{tunnel="default"} 1',
    'restante_agent_requests_total{tunnel="default",outcome="answered",status="2xx"} 1',
    'restante_agent_response_body_bytes_total{tunnel="default"} 5',
    'restante_agent_upstream_seconds_count{tunnel="default"} 1',
    'restante_agent_upstream_connections_opened_total{tunnel="default"} 1',
  ]
  expect(expected.filter((line) => !metrics.includes(`${line}\n`))).toEqual([])
})
