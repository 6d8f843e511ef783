// An edge that breaks the rules of the wire itself: the agent leaves it, or passes over what it says, as docs/protocol.md says. Its server
// gets each request once.
import { type FrameWriter, headFlags, openKind } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { FakeEdge, sessionId } from "../../packages/proxy-in/test/attach/fake-edge.ts"
import { nearAgent } from "../support/near-pair.ts"
import { httpUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"
import { large, largeBlock as block, rawMessage } from "./raw-message.ts"

const length5 = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
const hello = Buffer.from("hello")
const { final } = headFlags

describe.concurrent("an agent whose edge", () => {
  const opens = (frames: FrameWriter, stream: number, target: string, bodyFollows = false): void =>
    frames.open(stream, {
      ...{ kind: openKind.http, exchangeId: `x${stream}`, attempt: 1, scheme: "http", bodyFollows },
      head: bodyFollows
        ? `PUT ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`
        : `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
    })

  /** An agent that has attached to it and polls. */
  async function world(): Promise<
    AsyncDisposable & { readonly edge: FakeEdge; readonly seen: readonly string[] }
  > {
    await using stack = new AsyncDisposableStack()
    const upstream = stack.use(
      await httpUpstream((incoming, response) => {
        if (incoming.url === "/goes-on") response.write("begun")
        else response.end("ok")
      }),
    )
    const edge = stack.use(await new FakeEdge().start())
    edge.streaming = "refuses"
    edge.hears = () => undefined // what it says is not our session's
    edge.instead = (request, response) => {
      if (request.url?.endsWith("/attach") !== true) return false
      request.resume()
      response.writeHead(200, { "Content-Type": "application/json" })
      response.end(JSON.stringify({ session: sessionId, protocol: 1, resumeSeconds: 30, pollSeconds: 25 }))
      return true
    }
    const port = Number(edge.url.port)
    const agent = stack.use(nearAgent(port, upstream.port, { external: edge.url, transport: "poll" }))
    await agent.start()
    await until("the agent to poll", () => edge.waitingPolls > 0)
    const owned = stack.move()
    return { edge, seen: upstream.seen, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }

  async function says(edge: FakeEdge, ...messages: readonly Buffer[]): Promise<void> {
    for (const message of messages) {
      // oxlint-disable-next-line no-await-in-loop -- one poll for each
      await until("a poll", () => edge.waitingPolls > 0)
      edge.answerPoll(message)
    }
  }

  const breaks: readonly (readonly [what: string, messages: () => Buffer[]])[] = [
    ["skips more numbers than may be in flight", () => [rawMessage({ number: 1026 })]],
    ["acknowledges what was never sent", () => [rawMessage({ number: 0, ack: 1000 })]],
    [
      "fills the gap before a message that never comes",
      () => Array.from({ length: 8 }, (_, index) => rawMessage({ number: index + 2, write: large })),
    ],
    [
      "opens a stream in a message that has no number",
      () => [rawMessage({ number: 0, write: (frames) => opens(frames, 1, "/unnumbered") })],
    ],
    [
      "answers itself",
      () => [
        rawMessage({
          number: 1,
          write: (frames) => frames.head(1, final, length5, hello),
        }),
      ],
    ],
    [
      "sends DATA beyond its credit",
      () => [
        rawMessage({
          number: 1,
          write: (frames) => {
            opens(frames, 1, "/body", true)
            for (let count = 0; count < 14; count++) frames.data(1, block)
          },
        }),
      ],
    ],
    [
      "opens one stream twice",
      () => [
        rawMessage({
          number: 1,
          write: (frames) => {
            opens(frames, 1, "/body", true)
            opens(frames, 1, "/twice", true)
          },
        }),
      ],
    ],
  ]

  test.each(breaks)("%s is left: the agent attaches anew", async (_what, messages) => {
    await using stage = await world()
    const { edge } = stage
    const attaches = edge.count("attach", false)
    for (const message of messages()) {
      // oxlint-disable-next-line no-await-in-loop -- one poll for each, as long as it believes in the session
      await until("a poll", () => edge.waitingPolls > 0 || edge.count("attach", false) > attaches)
      if (edge.waitingPolls > 0) edge.answerPoll(message)
    }
    await until("the agent to attach anew", () => edge.count("attach", false) > attaches)
    expect(stage.seen.filter((line) => /unnumbered|twice/.test(line))).toEqual([])
  })

  test("grants more credit than anybody may have is left: the agent attaches anew", async () => {
    await using stage = await world()
    const { edge } = stage
    const [attaches, pushes] = [edge.count("attach", false), edge.count("push", false)]
    await says(edge, rawMessage({ number: 1, write: (frames) => opens(frames, 1, "/goes-on") }))
    await until("the beginning of the answer", () => edge.count("push", false) > pushes)
    await says(edge, rawMessage({ number: 2, write: (frames) => frames.window(1, 0xffff_ffff) }))
    await until("the agent to attach anew", () => edge.count("attach", false) > attaches)
    expect(edge.count("attach", false)).toBe(attaches + 1)
  })

  test("replays an old number gives the server each request once", async () => {
    await using stage = await world()
    const first = rawMessage({ number: 1, write: (frames) => opens(frames, 1, "/first") })
    const other = rawMessage({ number: 1, write: (frames) => opens(frames, 3, "/other") })
    const last = rawMessage({ number: 2, write: (frames) => opens(frames, 2, "/last") })
    await says(stage.edge, first, first, other, last)
    await until("the last request", () => stage.seen.includes("GET /last"))
    expect(stage.seen).toEqual(["GET /first", "GET /last"])
  })

  test("sends its messages backwards gives the server the requests in their order", async () => {
    await using stage = await world()
    const messages = [3, 2, 1].map((number) =>
      rawMessage({ number, write: (frames) => opens(frames, number, `/${number}`) }),
    )
    await says(stage.edge, ...messages)
    await until("three requests", () => stage.seen.length === 3)
    expect(stage.seen.toSorted()).toEqual(["GET /1", "GET /2", "GET /3"])
  })
})
