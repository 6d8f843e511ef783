// The pages for people, behind the door through which they are reached.
import { get } from "node:http"
import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { connect } from "node:net"
import { once } from "node:events"
import { describe, expect, test } from "vitest"
import { LazyPeople } from "../../src/admin/lazy-people.ts"
import type { EdgeStatus } from "../../src/admin/people.ts"
import { Edge } from "../../src/edge.ts"
import { Secret } from "@restante/protocol"
import { quietLog } from "../support/log.ts"

async function edge(): Promise<{ readonly edge: Edge; readonly port: number } & AsyncDisposable> {
  const running = new Edge({
    host: "127.0.0.1",
    port: 0,
    redisUrl: undefined,
    dispatch: "queue",
    holdMs: 1000,
    timeoutMs: 1000,
    maxQueue: 10,
    token: new Secret("a token that nobody uses here"),
    log: quietLog,
  })
  const { port } = await running.start()
  return { edge: running, port, [Symbol.asyncDispose]: () => running.stop() }
}

interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly json: unknown
}

async function page(port: number, path: string): Promise<Page> {
  const [response] = await once(get({ port, path, host: "127.0.0.1", agent: false }), "response")
  let text = ""
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, json: JSON.parse(text) }
}

test("healthz says that the edge is there", async () => {
  await using running = await edge()
  expect(await page(running.port, "/.restante/healthz")).toMatchObject({
    status: 200,
    json: { status: "ok" },
  })
})

test("status says to this machine what the edge does", async () => {
  await using running = await edge()
  const { status, json } = await page(running.port, "/.restante/v1/status")
  expect([status, json]).toEqual([
    200,
    {
      software: expect.stringMatching(/^proxy-out\/\d/),
      queue: { state: "ready", waiting: 0 },
      exchanges: { live: 0, accepted: 0, answered: 0, failed: 0 },
      tunnels: [],
    },
  ])
})

test.each(["/.restante/", "/.restante/v1/nothing", "/.restante/v1/attach/x", "/.restante/healthz/x"])(
  "%s is not found, and no tunnel is asked",
  async (path) => {
    await using running = await edge()
    const { status, json } = await page(running.port, path)
    expect([status, json]).toMatchObject([404, { code: "not_found" }])
  },
)

test("pages are not to be stored, and do not say which software serves them", async () => {
  await using running = await edge()
  const { headers } = await page(running.port, "/.restante/healthz")
  expect([headers["cache-control"], headers["x-powered-by"], headers["connection"]]).toEqual([
    "no-store",
    undefined,
    "close",
  ])
})

test("a visitor who breaks off at once does no harm to the edge", async () => {
  await using running = await edge()
  const socket = connect({ port: running.port, host: "127.0.0.1" })
  await once(socket, "connect")
  socket.write("GET /.restante/healthz HTTP/1.1\r\nHost: a\r\n\r\n")
  socket.resetAndDestroy()
  expect(await page(running.port, "/.restante/healthz")).toMatchObject({ status: 200 })
})

describe("a page for this machine only", () => {
  const nothing: EdgeStatus = {
    software: "test",
    queue: { state: "ready", waiting: 0 },
    exchanges: { live: 0, accepted: 0, answered: 0, failed: 0 },
    tunnels: [],
  }

  /** The status page as it is for a visitor from this address. */
  async function statusFor(address: string): Promise<number> {
    const people = new LazyPeople(() => nothing)
    const server = createServer((socket: Socket) => {
      Object.defineProperty(socket, "remoteAddress", { value: address })
      people.take(socket)
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    try {
      return (await page((server.address() as AddressInfo).port, "/.restante/v1/status")).status
    } finally {
      people.stop()
      server.close()
    }
  }

  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])("is shown to %s", async (address) => {
    expect(await statusFor(address)).toBe(200)
  })

  test.each(["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1", "12.7.0.1"])(
    "is not shown to %s",
    async (address) => {
      expect(await statusFor(address)).toBe(403)
    },
  )
})
