import { request } from "node:http"
import { describe, expect, onTestFinished, test } from "vitest"
import { StatusServer } from "../../src/status/status-server.ts"
import type { AgentStatus, ProgramStatus } from "../../src/status/status.ts"
import { errorOf, noCounters, programStatusOf, statusOf } from "./statuses.ts"

const none = { active: 0, served: 0, failed: 0, cancelled: 0, perSecond: 0 }

describe("status.json", () => {
  test("is the agent's status at this moment", async () => {
    let served = 0
    const port = await serving(() =>
      statusOf({ requests: { ...none, active: 1, served: served++, failed: 2 } }),
    )
    const first = await ask(port, "/status.json")
    const second = await ask(port, "/status.json")
    expect(first).toMatchObject({ status: 200, type: "application/json; charset=utf-8" })
    const tunnel = {
      link: { kind: "connecting" },
      edge: "http://edge.example",
      tunnel: "default",
      upstream: "http://127.0.0.1:3000",
      transport: "auto",
      startedAt: Date.UTC(2026, 10, 21, 9, 30),
      requests: { ...none, active: 1, served: 0, failed: 2 },
      counters: noCounters,
      upstreamUp: true,
      lastErrors: [],
    }
    expect(JSON.parse(first.body)).toEqual({ ...tunnel, tunnels: [tunnel] })
    expect(JSON.parse(second.body)).toMatchObject({ requests: { served: 1 } })
  })

  test("has every tunnel, and at the top the first one", async () => {
    const status = programStatusOf(statusOf({ tunnel: "shop" }), statusOf({ tunnel: "blog" }))
    const { body } = await ask(await serving(() => status), "/status.json")
    expect(JSON.parse(body)).toMatchObject({
      tunnel: "shop",
      tunnels: [{ tunnel: "shop" }, { tunnel: "blog" }],
    })
  })
})

describe("the page", () => {
  test("says what a person wants to know", async () => {
    const port = await serving(() =>
      statusOf({
        link: { kind: "connected", since: Date.UTC(2026, 10, 21, 9, 31) },
        carriedOn: "websocket",
        roundTripMs: 12.345,
        requests: { active: 3, served: 1200, failed: 1, cancelled: 2, perSecond: 4.25 },
        upstreamUp: false,
        lastErrors: [errorOf({ count: 12 })],
      }),
    )
    const { body, type } = await ask(port, "/")
    expect(type).toBe("text/html; charset=utf-8")
    const texts = [
      "Connected",
      "Attached to the edge since 2026-11-21 09:31:00 UTC.",
      "http://edge.example",
      "http://127.0.0.1:3000 (cannot be reached)",
      "websocket (asked for: auto)",
      "12.3 ms",
      "3 running, 1200 answered, 1 failed, 2 left by their clients",
      "4.3",
      "2026-11-21 09:32:00 UTC, 12 times: upstream_refused ECONNREFUSED",
      "start the server or change --server.",
    ]
    expect(texts.filter((text) => !body.includes(text))).toEqual([])
  })

  test.each([
    [{ kind: "connecting" }, "Connecting"],
    [
      { kind: "reconnecting", attempt: 4, retryAt: 0, reason: "wrong token." },
      "wrong token. Attempt 4, the next one at",
    ],
    [{ kind: "stopping" }, "What runs may finish"],
    [{ kind: "stopped" }, "takes no requests any more"],
  ] as const)("%j is said in words", async (link, words) => {
    const { body } = await ask(await serving(() => statusOf({ link })), "/")
    expect(body).toContain(words)
  })

  test("shows every tunnel with its own state", async () => {
    const connected = statusOf({ tunnel: "shop", link: { kind: "connected", since: 0 } })
    const connecting = statusOf({ tunnel: "blog", upstream: "unix:/run/blog.sock" })
    const { body } = await ask(await serving(() => programStatusOf(connected, connecting)), "/")
    const texts = ["1 of 2 tunnels connected", "shop <span", "blog <span", "unix:/run/blog.sock"]
    expect(texts.filter((text) => !body.includes(text))).toEqual([])
  })

  test("renews itself, and loads nothing from elsewhere and runs no script", async () => {
    const { body, policy } = await ask(await serving(() => statusOf()), "/")
    expect(body).toContain('<meta http-equiv="refresh" content="2">')
    expect(policy).toContain("default-src 'none'")
    expect(body).not.toMatch(/<script|src=|@import|href="http/i)
  })

  test("shows what came from elsewhere as text, never as HTML", async () => {
    const evil = `<img src=x onerror="alert('1')">&`
    const status = statusOf({
      tunnel: evil,
      edge: evil,
      lastErrors: [errorOf({ message: evil, remedy: evil })],
    })
    const { body } = await ask(await serving(() => status), "/")
    expect(body).not.toContain("<img")
    expect(body.split("&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;")).toHaveLength(6)
  })
})

describe("probes", () => {
  test("/healthz says that the program lives, attached or not", async () => {
    expect(await ask(await serving(() => statusOf()), "/healthz")).toMatchObject({
      status: 200,
      body: "alive\n",
    })
  })

  test("/readyz is good once every tunnel is attached", async () => {
    const link = { kind: "connected", since: 0 } as const
    const status = programStatusOf(statusOf({ link }), statusOf({ link, tunnel: "blog" }))
    expect(await ask(await serving(() => status), "/readyz")).toMatchObject({
      status: 200,
      body: "attached\n",
    })
  })

  test("/readyz names the tunnels that are not attached", async () => {
    const link = { kind: "connected", since: 0 } as const
    const status = programStatusOf(
      statusOf({ link }),
      statusOf({ tunnel: "blog" }),
      statusOf({ tunnel: "wiki" }),
    )
    expect(await ask(await serving(() => status), "/readyz")).toMatchObject({
      status: 503,
      body: "not attached: blog, wiki\n",
    })
  })

  test("/metrics is text as Prometheus reads it", async () => {
    const { status, type, body } = await ask(await serving(() => statusOf()), "/metrics")
    expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
    expect(body).toContain('restante_agent_attached{tunnel="default"} 0\n')
  })
})

describe("the server", () => {
  test("listens on loopback only", async () => {
    const port = await serving(() => statusOf())
    await expect(ask(port, "/", { address: "127.0.0.2" })).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  test.each(["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example"])(
    "refuses a web page that calls it %s",
    async (host) => {
      const answer = await ask(await serving(() => statusOf()), "/status.json", { host })
      expect(answer.status).toBe(421)
      expect(answer.body).not.toContain('edge.example"')
    },
  )

  test.each(["localhost", "localhost:8081", "127.0.0.1", "LOCALHOST:1"])("answers as %s", async (host) => {
    expect((await ask(await serving(() => statusOf()), "/", { host })).status).toBe(200)
  })

  test("knows its addresses, GET and HEAD, and nothing else", async () => {
    const port = await serving(() => statusOf())
    expect((await ask(port, "/secret")).status).toBe(404)
    expect((await ask(port, "/", { method: "POST" })).status).toBe(405)
    expect(await ask(port, "/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" })
  })

  test("a taken port is the system's error, a stop frees the port, and stopping twice is fine", async () => {
    const first = new StatusServer(() => programStatusOf(statusOf()))
    const port = await first.start(0)
    await expect(new StatusServer(() => programStatusOf(statusOf())).start(port)).rejects.toMatchObject({
      code: "EADDRINUSE",
    })
    await first.stop()
    await first.stop()
    await using second = new StatusServer(() => programStatusOf(statusOf()))
    expect(await second.start(port)).toBe(port)
  })
})

async function serving(status: () => AgentStatus | ProgramStatus): Promise<number> {
  const server = new StatusServer(() => {
    const now = status()
    return "tunnels" in now ? now : programStatusOf(now)
  })
  onTestFinished(() => server.stop())
  return server.start(0)
}

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly policy: string | undefined
  readonly body: string
}

function ask(
  port: number,
  path: string,
  how: { host?: string; method?: string; address?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = how.host === undefined ? {} : { host: how.host }
    const sent = request({
      host: how.address ?? "127.0.0.1",
      port,
      path,
      method: how.method ?? "GET",
      headers,
      agent: false,
    })
    sent.on("error", reject)
    sent.on("response", (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => (body += text))
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          type: response.headers["content-type"],
          policy: response.headers["content-security-policy"]?.toString(),
          body,
        }),
      )
    })
    sent.end()
  })
}
