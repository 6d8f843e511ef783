// The pages for people, behind the doors through which they are reached.
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { get } from "node:http"
import { connect } from "node:net"
import { Secret } from "@restante/protocol"
import { Ajv2020 } from "ajv/dist/2020.js"
import { expect, test } from "vitest"
import { openApi } from "../../src/admin/openapi.ts"
import { Edge } from "../../src/edge.ts"
import type { EdgeOptions } from "../../src/edge-options.ts"
import { quietLog } from "../support/log.ts"

const adminToken = "the-admin-token-of-these-tests"

async function startEdge(
  options: Partial<EdgeOptions> = {},
): Promise<{ readonly edge: Edge; readonly port: number } & AsyncDisposable> {
  const edge = new Edge({
    host: "127.0.0.1",
    port: 0,
    redisUrl: undefined,
    dispatch: "queue",
    holdMs: 1000,
    timeoutMs: 1000,
    maxQueue: 10,
    token: new Secret("a token that nobody uses here"),
    log: quietLog,
    ...options,
  })
  const { port } = await edge.start()
  return { edge, port, [Symbol.asyncDispose]: () => edge.stop() }
}

interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

async function page(port: number, path: string, headers: Record<string, string> = {}): Promise<Page> {
  const [response] = await once(get({ port, path, host: "127.0.0.1", agent: false, headers }), "response")
  let text = ""
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, text }
}

const inside = ["/.restante/v1/status", "/.restante/v1/openapi.json", "/.restante/metrics"]

test("a port of their own that is taken is told by its option's name", async () => {
  await using first = await startEdge()
  const second = startEdge({ admin: { host: "127.0.0.1", port: first.port } })
  await expect(second).rejects.toThrow(
    `Cannot listen on 127.0.0.1:${first.port}: another program listens there.`,
  )
  await expect(second).rejects.toThrow("--admin-port")
})

test("healthz says that the edge is there, and readyz that it takes requests", async () => {
  await using running = await startEdge()
  for (const path of ["/.restante/healthz", "/.restante/readyz"]) {
    const { status, text } = await page(running.port, path)
    expect([status, text]).toEqual([200, '{"status":"ok"}'])
  }
})

test("status says what the edge does", async () => {
  await using running = await startEdge()
  const { status, text } = await page(running.port, "/.restante/v1/status")
  expect([status, JSON.parse(text)]).toEqual([
    200,
    {
      software: expect.stringMatching(/^proxy-out\/\d/),
      edge: expect.stringMatching(/^[\w-]{10}$/),
      uptimeSeconds: expect.any(Number),
      state: "running",
      queue: { kind: "memory", state: "ready", waiting: 0, limit: 10 },
      exchanges: { live: 0, accepted: 0, answered: 0, failed: 0 },
      limits: { holdMs: 1000, timeoutMs: 1000, maxQueue: 10 },
      tunnels: [],
    },
  ])
})

test("the status is as its OpenAPI description says", async () => {
  await using running = await startEdge()
  const { text } = await page(running.port, "/.restante/v1/status")
  const described = JSON.parse((await page(running.port, "/.restante/v1/openapi.json")).text)
  const ajv = new Ajv2020({ strict: false, formats: { "date-time": /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ } })
  ajv.addSchema(described, "openapi")
  const validate = ajv.compile({ $ref: "openapi#/components/schemas/Status" })
  validate(JSON.parse(text))
  expect(validate.errors).toBeNull()
})

test("docs/openapi.json is what the edge serves", () => {
  const kept = readFileSync(new URL("../../../../docs/openapi.json", import.meta.url), "utf8")
  expect(JSON.parse(kept)).toEqual(openApi)
})

test("metrics come in the text format of Prometheus", async () => {
  await using running = await startEdge()
  const { status, headers, text } = await page(running.port, "/.restante/metrics")
  expect([status, headers["content-type"]]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
  expect(text).toContain("\nrestante_queue_limit 10\n")
  expect(text).toContain("\nprocess_cpu_seconds_total ")
})

test.each(["/.restante/", "/.restante/v1/nothing", "/.restante/v1/attach/x", "/.restante/healthz/x"])(
  "%s is not found, and no tunnel is asked",
  async (path) => {
    await using running = await startEdge()
    const { status, text } = await page(running.port, path)
    expect([status, JSON.parse(text)]).toMatchObject([404, { code: "not_found" }])
  },
)

test("pages are not to be stored, and do not say which software serves them", async () => {
  await using running = await startEdge()
  const { headers } = await page(running.port, "/.restante/healthz")
  expect([headers["cache-control"], headers["x-powered-by"], headers["connection"]]).toEqual([
    "no-store",
    undefined,
    "close",
  ])
})

test("a visitor who breaks off at once does no harm to the edge", async () => {
  await using running = await startEdge()
  const socket = connect({ port: running.port, host: "127.0.0.1" })
  await once(socket, "connect")
  socket.write("GET /.restante/healthz HTTP/1.1\r\nHost: a\r\n\r\n")
  socket.resetAndDestroy()
  expect(await page(running.port, "/.restante/healthz")).toMatchObject({ status: 200 })
})

test.each(inside)(
  "%s is not shown through a proxy on this machine, which would make everybody local",
  async (path) => {
    await using running = await startEdge()
    const { status, text } = await page(running.port, path, { "X-Forwarded-For": "203.0.113.9" })
    expect([status, JSON.parse(text)]).toMatchObject([403, { code: "not_local" }])
  },
)

test.each(inside)("%s is shown through a proxy to who has the admin token", async (path) => {
  await using running = await startEdge({ adminToken: new Secret(adminToken) })
  const headers = { Via: "1.1 somewhere", Authorization: `Bearer ${adminToken}` }
  expect((await page(running.port, path, headers)).status).toBe(200)
})

test.each(inside)("%s asks whoever is not local for the admin token", async (path) => {
  await using running = await startEdge({ adminToken: new Secret(adminToken) })
  const { status, headers, text } = await page(running.port, path, { Forwarded: "for=203.0.113.9" })
  expect([status, headers["www-authenticate"], JSON.parse(text)]).toMatchObject([
    401,
    'Bearer realm="restante"',
    { code: "admin_token_wanted" },
  ])
})

test("a wrong admin token is refused, also from this machine", async () => {
  await using running = await startEdge({ adminToken: new Secret(adminToken) })
  const headers = { Authorization: "Bearer wrong" }
  expect((await page(running.port, "/.restante/v1/status", headers)).status).toBe(401)
})

test("who tries many admin tokens is told to wait, and the right one is let in all the same", async () => {
  await using running = await startEdge({ adminToken: new Secret(adminToken) })
  const attempt = (token: string): Promise<Page> =>
    page(running.port, "/.restante/v1/status", { Authorization: `Bearer ${token}` })
  const tries: Page[] = []
  for (let count = 0; count < 11; count++) tries.push(await attempt(`guess-${count}`))
  expect(tries.map(({ status }) => status)).toEqual([...Array<number>(10).fill(401), 429])
  expect(Number(tries.at(-1)?.headers["retry-after"])).toBeGreaterThan(0)
  expect((await attempt(adminToken)).status).toBe(200)
})
