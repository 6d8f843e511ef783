// An agent with a valid token that breaks the rules of the wire itself: numbers, acknowledgements, credit, streams. Its session ends, or what
// it says is passed over, as docs/protocol.md says; nobody else's exchange is touched.
import { headFlags, openKind, preamble } from "@restante/protocol"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RawClient } from "../support/client.ts"
import { attached, nearAgent, startNearEdge } from "../support/near-pair.ts"
import { httpUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"
import { HostileAgent } from "./hostile-agent.ts"
import { large, largeBlock as block, rawMessage } from "./raw-message.ts"

const mebibyte = 1024 * 1024
const ok = "HTTP/1.1 200 OK\r\n"
const length5 = `${ok}Content-Length: 5\r\n\r\n`
const hello = Buffer.from("hello")
const { final, body } = headFlags

describe("an edge whose agent", () => {
  const stack = new AsyncDisposableStack()
  let port = 0
  let nextTunnel = 1
  const held: (() => void)[] = []
  beforeAll(async () => {
    const upstream = stack.use(
      await httpUpstream((incoming, response) => held.push(() => response.end(`good ${incoming.url}`))),
    )
    const started = await startNearEdge({ holdMs: 500 })
    stack.use(started.edge)
    port = started.port
    const agent = stack.use(nearAgent(port, upstream.port, { tunnel: "good" }))
    await agent.start()
    await attached(agent)
  })
  afterAll(() => stack.disposeAsync())

  /** An agent, and a client whose request it has. */
  async function victim(): Promise<
    AsyncDisposable & {
      readonly agent: HostileAgent
      readonly client: RawClient
      readonly stream: number
    }
  > {
    const tunnel = `wire-${nextTunnel++}`
    const given = Promise.withResolvers<number>()
    const agent = await HostileAgent.attach(port, tunnel, (_agent, stream) => given.resolve(stream))
    const client = new RawClient(port)
    client.send(
      `PUT /victim HTTP/1.1\r\nHost: ${tunnel}.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    )
    const stream = await given.promise
    const dispose = async (): Promise<void> => {
      client[Symbol.dispose]()
      await agent[Symbol.asyncDispose]()
    }
    return { agent, client, stream, [Symbol.asyncDispose]: dispose }
  }

  const breaks: readonly (readonly [what: string, code: string, messages: (stream: number) => Buffer[]])[] = [
    [
      "skips more numbers than may be in flight",
      "number_beyond_window",
      () => [rawMessage({ number: 1026 })],
    ],
    ["acknowledges what was never sent", "ack_unsent", () => [rawMessage({ number: 0, ack: 1000 })]],
    [
      "acknowledges a number that no session reaches",
      "number_out_of_range",
      () => [rawMessage({ number: 0, ack: 2 ** 53 })],
    ],
    [
      "fills the gap before a message that never comes",
      "reorder_overflow",
      () => Array.from({ length: 8 }, (_, index) => rawMessage({ number: index + 2, write: large })),
    ],
    [
      "answers in a message that has no number",
      "frame_unexpected",
      (stream) => [rawMessage({ number: 0, write: (frames) => frames.head(stream, final, length5, hello) })],
    ],
    [
      "opens a stream",
      "frame_unexpected",
      () => [
        rawMessage({
          number: 1,
          write: (frames) =>
            frames.open(9, {
              ...{ kind: openKind.http, exchangeId: "x", attempt: 1, scheme: "http" },
              ...{ head: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", bodyFollows: false },
            }),
        }),
      ],
    ],
    [
      "grants more credit than anybody may have",
      "credit_overflow",
      (stream) => [rawMessage({ number: 1, write: (frames) => frames.window(stream, 0xffff_ffff) })],
    ],
  ]

  test.each(breaks)(
    "%s: %s ends its session, and an exchange of somebody else goes on",
    async (_what, code, messages) => {
      await using world = await victim()
      using other = new RawClient(port)
      other.send("GET /other HTTP/1.1\r\nHost: good.example\r\n\r\n")
      const release = await until("the other's request at its server", () => held.shift())
      world.client.socket.pause()
      const pushed = await world.agent.push(Buffer.concat([preamble, ...messages(world.stream)]))
      expect([pushed, JSON.parse(world.agent.refusal.slice(4))]).toEqual([
        400,
        expect.objectContaining({ code: "malformed_message", detail: code }),
      ])
      expect(await world.agent.push(preamble)).toBe(410)
      release()
      await other.receives(/good \/other$/)
      world.client.socket.resume()
      await until("the victim to be told or cut off", () => {
        const { ending, received } = world.client
        return ending === "reset" || /^HTTP\/1\.1 50[23] /.test(received)
      })
    },
  )

  test("sends DATA beyond its credit loses that exchange alone, whose client sees that it is not whole", async () => {
    await using world = await victim()
    world.client.socket.pause()
    // More than a client's socket takes without being read.
    const messages = [
      rawMessage({ number: 1, write: (frames) => frames.head(world.stream, body, `${ok}\r\n`) }),
      ...Array.from({ length: 12 }, (_, index) =>
        rawMessage({
          number: index + 2,
          write: (frames) => {
            for (let count = 0; count < 15; count++) frames.data(world.stream, block)
          },
        }),
      ),
    ]
    const before = process.memoryUsage().arrayBuffers
    expect(await world.agent.push(Buffer.concat([preamble, ...messages]))).toBe(200)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * mebibyte)
    world.client.socket.resume()
    expect(await world.client.ended()).toBe("reset")
    expect(await world.agent.push(preamble)).toBe(200)
  })

  test("replays an old number with another answer is believed the first time only", async () => {
    await using world = await victim()
    const answer = (text: string): Buffer =>
      rawMessage({
        number: 1,
        write: (frames) => frames.head(world.stream, final, length5, Buffer.from(text)),
      })
    const statuses = [
      await world.agent.push(Buffer.concat([preamble, answer("first"), answer("again")])),
      await world.agent.push(Buffer.concat([preamble, answer("third")])),
    ]
    await world.client.receives(/\r\n\r\nfirst$/)
    expect([statuses, world.client.received.split("HTTP/1.1 ").length]).toEqual([[200, 200], 2])
  })

  test("sends its messages backwards is understood in their order", async () => {
    await using world = await victim()
    const { stream } = world
    const messages = [
      rawMessage({ number: 3, write: (frames) => frames.data(stream, Buffer.from("llo")) }),
      rawMessage({ number: 2, write: (frames) => frames.data(stream, Buffer.from("he")) }),
      rawMessage({ number: 1, write: (frames) => frames.head(stream, body, length5) }),
    ]
    for (const message of messages) {
      expect(world.client.received).toBe("")
      // oxlint-disable-next-line no-await-in-loop -- in this order
      expect(await world.agent.push(Buffer.concat([preamble, message]))).toBe(200)
    }
    await world.client.receives(/\r\n\r\nhello$/)
  })

  test("acknowledges less than before is passed over", async () => {
    await using world = await victim()
    const bare = rawMessage({ number: 0, ack: 0 })
    expect(await world.agent.push(Buffer.concat([preamble, bare]))).toBe(200)
    const answer = rawMessage({
      number: 1,
      write: (frames) => frames.head(world.stream, final, length5, hello),
    })
    expect(await world.agent.push(Buffer.concat([preamble, answer]))).toBe(200)
    await world.client.receives(/\r\n\r\nhello$/)
  })

  test("goes on about a stream that is over, or that it was never given, is passed over", async () => {
    await using world = await victim()
    const { stream } = world
    const message = rawMessage({
      number: 1,
      write: (frames) => {
        for (const given of [stream + 1, 4_000_000_000]) {
          frames.taken(given)
          frames.head(given, body, `${ok}\r\n`)
          frames.data(given, hello)
          frames.window(given, 0xffff_ffff)
          frames.end(given)
          frames.reset(given, "internal")
        }
        frames.head(stream, final, length5, hello)
        frames.head(stream, final, length5, Buffer.from("again"))
        frames.data(stream, hello)
        frames.end(stream)
        frames.reset(stream, "internal")
      },
    })
    expect(await world.agent.push(Buffer.concat([preamble, message]))).toBe(200)
    await world.client.receives(/\r\n\r\nhello$/)
    expect(await world.agent.push(preamble)).toBe(200)
    expect(world.client.received.split("HTTP/1.1 ").length).toBe(2)
  })

  test("holds messages back for one that never comes costs the edge no more than may be in flight", async () => {
    await using world = await victim()
    const before = process.memoryUsage().arrayBuffers
    const early = Array.from({ length: 5 }, (_, index) => rawMessage({ number: index + 2, write: large }))
    for (let round = 0; round < 10; round++) {
      // oxlint-disable-next-line no-await-in-loop -- the same again
      expect(await world.agent.push(Buffer.concat([preamble, ...early]))).toBe(200)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * mebibyte)
  })
})
