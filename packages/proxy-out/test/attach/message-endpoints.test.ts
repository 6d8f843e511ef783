// What pushes and polls bring, by hand: messages in both directions, and what is none.
import { deafSink, MessageDecoder, messagesMediaType, preamble, Session } from "@restante/protocol"
import type { OpenFrame } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { type Reply, RunningEdge } from "../support/running-edge.ts"

describe("messages", () => {
  test("of a push are acknowledged in its answer", async () => {
    await using edge = await new RunningEdge().start()
    const { session } = agentSession()
    session.window(1, 1)
    const reply = await edge.carry("push", await edge.session(), ...(session.nextMessage(1) ?? []))
    for (const message of messagesIn(reply)) session.receive(message)
    expect([reply.headers.get("content-type"), session.unacknowledgedBytes]).toEqual([messagesMediaType, 0])
  })

  test("come down with a poll as soon as there is one", async () => {
    await using edge = await new RunningEdge().start()
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
    await using edge = await new RunningEdge().start()
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
    await using edge = await new RunningEdge().start()
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
      await using edge = await new RunningEdge().start()
      const session = await edge.session()
      const body = Buffer.concat([preamble, Buffer.alloc(10)])
      const reply = edge.ask("POST", endpoint, { headers: { "restante-session": session }, body })
      await expect(reply).rejects.toThrow("fetch failed")
      expect((await edge.carry("push", session)).status).toBe(200)
    },
  )

  test("of a push are taken as they arrive, before its end", async () => {
    await using edge = await new RunningEdge().start()
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
