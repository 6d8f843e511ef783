// The agents' endpoints, by hand: who gets in, what is refused and how, and what each request brings.
import { deafSink, MessageDecoder, messagesMediaType, preamble, Secret, Session } from "@restante/protocol"
import type { OpenFrame } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { Edge } from "../../src/edge.ts"
import { recordedLog } from "../support/log.ts"

const token = "a-token-that-only-these-tests-use"

class Running implements AsyncDisposable {
  readonly log = recordedLog()
  url = ""
  readonly #edge = new Edge({
    host: "127.0.0.1",
    port: 0,
    redisUrl: undefined,
    dispatch: "queue",
    holdMs: 5000,
    timeoutMs: 5000,
    maxQueue: 10,
    token: new Secret(token),
    log: this.log.log,
  })

  async start(): Promise<this> {
    this.url = `http://127.0.0.1:${(await this.#edge.start()).port}`
    return this
  }

  /** A request to an agents' endpoint. */
  async ask(method: string, endpoint: string, options: RequestInit = {}): Promise<Reply> {
    const response = await fetch(`${this.url}/.restante/v1/${endpoint}`, {
      method,
      redirect: "manual",
      ...options,
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const { status, headers } = response
    return { status, headers, bytes, json: parsed(bytes.toString("utf8")) }
  }

  attach(fields: object = {}, authorization = `Bearer ${token}`): Promise<Reply> {
    return this.ask("POST", "attach", {
      headers: { authorization },
      body: JSON.stringify({ ...hello, ...fields }),
    })
  }

  async session(): Promise<string> {
    return ((await this.attach()).json as { session: string }).session
  }

  carry(endpoint: "poll" | "push", session: string, ...messages: readonly Uint8Array[]): Promise<Reply> {
    return this.ask("POST", endpoint, {
      headers: { "restante-session": session },
      body: Buffer.concat([preamble, ...messages]),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#edge.stop()
  }
}

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly json: unknown
}

const hello = { protocol: 1, tunnel: "default", instance: "here", concurrency: 4, software: "test/1" }

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The agent's end of the session. */
function agentSession(): { readonly session: Session; readonly opens: OpenFrame[] } {
  const opens: OpenFrame[] = []
  const session = new Session({
    onOutput: () => {},
    sink: { ...deafSink, onOpen: (_stream, frame) => opens.push(frame) },
  })
  return { session, opens }
}

function messagesIn(reply: Reply): Buffer[] {
  return new MessageDecoder().push(reply.bytes).map((message) => Buffer.concat([message].flat()))
}

describe("attach", () => {
  test.each([
    ["no token", ""],
    ["another token", "Bearer another-token"],
    ["the token with something behind it", `Bearer ${token}x`],
    ["a part of the token", `Bearer ${token.slice(0, -1)}`],
    ["an empty token", "Bearer "],
    ["the token in another scheme", `Basic ${token}`],
    ["two words", `Bearer ${token} ${token}`],
  ])("with %s gets 401 and a challenge", async (_what, authorization) => {
    await using edge = await new Running().start()
    const reply = await edge.attach({}, authorization)
    expect([reply.status, reply.json, reply.headers.get("www-authenticate")]).toEqual([
      401,
      expect.objectContaining({ code: "token_refused" }),
      expect.stringMatching(/^Bearer /),
    ])
  })

  test("with the token gets a session that nobody can guess, and the times that both keep", async () => {
    await using edge = await new Running().start()
    const reply = await edge.attach()
    expect([reply.status, reply.json]).toEqual([
      200,
      {
        session: expect.stringMatching(/^[\w-]{24}$/),
        protocol: 1,
        resumeSeconds: 30,
        pollSeconds: 25,
        pieces: true,
        ports: [],
        software: expect.stringMatching(/^proxy-out\//),
      },
    ])
  })

  test("in another version of the protocol is told which ones there are", async () => {
    await using edge = await new Running().start()
    const reply = await edge.attach({ protocol: 2, unknown: "field" })
    expect([reply.status, reply.json]).toEqual([
      400,
      expect.objectContaining({ code: "version_unsupported", supported: [1] }),
    ])
  })

  test("may say more than this version knows", async () => {
    await using edge = await new Running().start()
    expect((await edge.attach({ later: true })).status).toBe(200)
  })

  test.each([
    ["tunnel", { tunnel: "" }],
    ["tunnel", { tunnel: "-x" }],
    ["tunnel", { tunnel: "Upper" }],
    ["tunnel", { tunnel: "a.b" }],
    ["tunnel", { tunnel: "a".repeat(64) }],
    ["instance", { instance: "a b" }],
    ["concurrency", { concurrency: -1 }],
    ["concurrency", { concurrency: 70_000 }],
    ["concurrency", { concurrency: 1.5 }],
    ["software", { software: "line\nbreak" }],
  ])("with a %s that cannot be one is told which part is wrong: %j", async (detail, fields) => {
    await using edge = await new Running().start()
    const reply = await edge.attach(fields)
    expect([reply.status, reply.json]).toEqual([
      400,
      expect.objectContaining({ code: "malformed_request", detail }),
    ])
  })

  test.each([
    ["not JSON", "{"],
    ["not an object", "[1]"],
    ["too long", `"${"x".repeat(20_000)}"`],
  ])("with a body that is %s is refused", async (_what, body) => {
    await using edge = await new Running().start()
    const reply = await edge.ask("POST", "attach", { headers: { authorization: `Bearer ${token}` }, body })
    expect([reply.status, reply.json]).toEqual([400, expect.objectContaining({ code: "malformed_request" })])
  })

  test("leaves neither the right token nor a wrong one in the log", async () => {
    await using edge = await new Running().start()
    await edge.attach()
    await edge.attach({}, "Bearer a-wrong-one")
    expect(edge.log.text()).toContain("wrong or missing token")
    expect(edge.log.text()).not.toMatch(/a-token-that|a-wrong-one/)
  })
})

describe("a session that the edge does not know", () => {
  test.each([
    ["POST", "poll"],
    ["POST", "push"],
    ["GET", "websocket"],
    ["DELETE", "session"],
  ])("%s %s: 410, attach anew", async (method, endpoint) => {
    await using edge = await new Running().start()
    const reply = await edge.ask(method, endpoint, {
      headers: { "restante-session": "made-up-session-id-123456" },
    })
    expect([reply.status, reply.json]).toEqual([410, expect.objectContaining({ code: "session_unknown" })])
  })

  test("is what is left of one that said goodbye", async () => {
    await using edge = await new Running().start()
    const session = await edge.session()
    const goodbye = await edge.ask("DELETE", "session", { headers: { "restante-session": session } })
    expect([goodbye.status, (await edge.carry("push", session)).status]).toEqual([200, 410])
  })

  test("is not asked for the rest of an endless push", async () => {
    await using edge = await new Running().start()
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(preamble) })
    const reply = await edge.ask("POST", "push", { body: endless, duplex: "half" })
    expect(reply.status).toBe(410)
  })
})

test.each([
  ["GET", "attach"],
  ["GET", "poll"],
  ["PUT", "push"],
  ["POST", "session"],
  ["POST", "websocket"],
])("%s %s is not how it is done: 405", async (method, endpoint) => {
  await using edge = await new Running().start()
  expect((await edge.ask(method, endpoint)).status).toBe(405)
})

test("the websocket's address speaks websocket only", async () => {
  await using edge = await new Running().start()
  const reply = await edge.ask("GET", "websocket", { headers: { "restante-session": await edge.session() } })
  expect([reply.status, reply.headers.get("upgrade")]).toEqual([426, "websocket"])
})

test("every answer says which version speaks", async () => {
  await using edge = await new Running().start()
  const session = await edge.session()
  const replies = await Promise.all([
    edge.attach(),
    edge.attach({}, ""),
    edge.carry("push", session),
    edge.carry("push", "unknown"),
    edge.ask("GET", "poll"),
    edge.ask("GET", "nothing"),
  ])
  expect(replies.map(({ headers }) => headers.get("restante-version"))).toEqual([
    "1",
    "1",
    "1",
    "1",
    "1",
    "1",
  ])
})

describe("messages", () => {
  test("of a push are acknowledged in its answer", async () => {
    await using edge = await new Running().start()
    const { session } = agentSession()
    session.window(1, 1)
    const reply = await edge.carry("push", await edge.session(), ...(session.nextMessage(1) ?? []))
    for (const message of messagesIn(reply)) session.receive(message)
    expect([reply.headers.get("content-type"), session.unacknowledgedBytes]).toEqual([messagesMediaType, 0])
  })

  test("come down with a poll as soon as there is one", async () => {
    await using edge = await new Running().start()
    const id = await edge.session()
    const { session, opens } = agentSession()
    const poll = edge.carry("poll", id, session.ackMessage())
    const client = new AbortController()
    const asked = fetch(`${edge.url}/hello?x=1`, { signal: client.signal }).catch(() => undefined)
    for (const message of messagesIn(await poll)) session.receive(message)
    client.abort()
    await asked
    expect(opens.map(({ head }) => head.split("\r\n")[0])).toEqual(["GET /hello?x=1 HTTP/1.1"])
  })

  test("come down a streamed poll that begins with one at once", async () => {
    await using edge = await new Running().start()
    const controller = new AbortController()
    const response = await fetch(`${edge.url}/.restante/v1/poll`, {
      method: "POST",
      headers: { "restante-session": await edge.session(), "restante-stream": "1" },
      body: Buffer.concat([preamble, agentSession().session.ackMessage()]),
      signal: controller.signal,
    })
    const first = await response.body?.getReader().read()
    controller.abort()
    expect(new MessageDecoder().push(Buffer.from(first?.value ?? []))).toHaveLength(1)
  })

  test.each([
    ["that are something else", Buffer.from("<html>not messages at all</html>"), "not_restante"],
    ["of another version", Buffer.from("RSTNTE\x00\x02"), "version_unsupported"],
    ["that are too large", Buffer.concat([preamble, Buffer.alloc(20, 0xff)]), "message_size"],
  ])("%s are refused, and end the session", async (_what, body, detail) => {
    await using edge = await new Running().start()
    const session = await edge.session()
    const reply = await edge.ask("POST", "push", { headers: { "restante-session": session }, body })
    expect([reply.status, reply.json, (await edge.carry("push", session)).status]).toEqual([
      400,
      expect.objectContaining({ code: "malformed_message", detail }),
      410,
    ])
  })

  test.each(["push", "poll"] as const)(
    "of a %s that end in the middle of one are lost like a connection, and the session goes on",
    async (endpoint) => {
      await using edge = await new Running().start()
      const session = await edge.session()
      const body = Buffer.concat([preamble, Buffer.alloc(10)])
      const reply = edge.ask("POST", endpoint, { headers: { "restante-session": session }, body })
      await expect(reply).rejects.toThrow("fetch failed")
      expect((await edge.carry("push", session)).status).toBe(200)
    },
  )

  test("of a push are taken as they arrive, before its end", async () => {
    await using edge = await new Running().start()
    const id = await edge.session()
    const { session } = agentSession()
    let pongs = 0
    const listening = new Session({ onOutput: () => {}, onPong: () => pongs++, sink: deafSink })
    session.ping(Buffer.alloc(8))
    const push = new AbortController()
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.concat([preamble, ...(session.nextMessage(1) ?? [])])),
    })
    const pushed = edge
      .ask("POST", "push", { headers: { "restante-session": id }, body, duplex: "half", signal: push.signal })
      .catch(() => undefined)
    for (const message of messagesIn(await edge.carry("poll", id))) listening.receive(message)
    push.abort()
    await pushed
    expect(pongs).toBe(1)
  })
})

test("an edge that stops ends the polls that wait, empty", async () => {
  const edge = await new Running().start()
  const poll = edge.carry("poll", await edge.session())
  const attached = { tunnels: [{ tunnel: "default", sessions: 1, active: 0 }] }
  await expect.poll(async () => (await edge.ask("GET", "status")).json).toMatchObject(attached)
  await edge[Symbol.asyncDispose]()
  expect((await poll).status).toBe(204)
})
