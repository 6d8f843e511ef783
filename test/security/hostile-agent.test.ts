// An agent with a valid token that breaks every rule hurts nobody but its own clients, and those only with errors.
import { connect } from "node:net"
import {
  FrameWriter,
  headFlags,
  messageHeaderBytes,
  preamble,
  putMessageHeader,
  type Session,
} from "@restante/protocol"
import { afterAll, beforeAll, expect, test } from "vitest"
import { attached, nearAgent, startNearEdge } from "../support/near-pair.ts"
import { httpUpstream } from "../support/upstream.ts"
import { HostileAgent } from "./hostile-agent.ts"

const stack = new AsyncDisposableStack()
let port = 0
/** Each has its own, so that none is given to an agent of the test before. */
let nextTunnel = 1
beforeAll(async () => {
  const upstream = stack.use(await httpUpstream((incoming, response) => response.end(`good ${incoming.url}`)))
  const started = await startNearEdge({ holdMs: 3000 })
  stack.use(started.edge)
  port = started.port
  const agent = stack.use(nearAgent(port, upstream.port, { tunnel: "good" }))
  await agent.start()
  await attached(agent)
})
afterAll(() => stack.disposeAsync())

const { final, body, informational } = headFlags
const ok = "HTTP/1.1 200 OK\r\n"
const injected = "HTTP/1.1 200 Injected\r\nContent-Length: 0\r\n\r\n"
const megabyte = Buffer.alloc(200_000, "x")

const misdeeds: readonly (readonly [what: string, does: (session: Session, stream: number) => void])[] = [
  ["a second answer in a head", (s, n) => s.head(n, final, `${ok}Content-Length: 0\r\n\r\n${injected}`)],
  ["a second answer behind a bare LF", (s, n) => s.head(n, final, `${ok}X: y\n\n${injected}\r\n`)],
  ["a second answer behind a bare CR", (s, n) => s.head(n, final, `${ok}X: y\r\r${injected}`)],
  ["a line in a value", (s, n) => s.head(n, final, `${ok}X: y\nSet-Cookie: a=b\r\n\r\n`)],
  ["a NUL in a value", (s, n) => s.head(n, final, `${ok}X: \0\r\n\r\n`)],
  ["a folded line", (s, n) => s.head(n, final, `${ok}X: y\r\n z\r\n\r\n`)],
  ["a head without its end", (s, n) => s.head(n, final, ok)],
  ["a head that is empty", (s, n) => s.head(n, final, "")],
  ["a request for a head", (s, n) => s.head(n, final, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
  ["status 99", (s, n) => s.head(n, final, "HTTP/1.1 99 Low\r\n\r\n")],
  ["two lengths", (s, n) => s.head(n, final, `${ok}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`)],
  [
    "a length and a coding",
    (s, n) => s.head(n, body, `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`),
  ],
  [
    "more than its length",
    (s, n) => s.head(n, final, `${ok}Content-Length: 0\r\n\r\n`, Buffer.from(injected)),
  ],
  ["less than its length", (s, n) => s.head(n, final, `${ok}Content-Length: 5\r\n\r\n`, Buffer.from("x"))],
  ["a body to 204", (s, n) => s.head(n, final, "HTTP/1.1 204 None\r\n\r\n", Buffer.from(injected))],
  [
    "101 that nobody asked for",
    (s, n) => s.head(n, body, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
  ],
  ["100 that is final", (s, n) => s.head(n, final, "HTTP/1.1 100 Continue\r\n\r\n")],
  ["200 that is not", (s, n) => s.head(n, informational, `${ok}Content-Length: 0\r\n\r\n`)],
  ["a body before its head", (s, n) => s.data(n, Buffer.from(injected))],
  ["an end before its head", (s, n) => s.end(n)],
  [
    "a thousand interim answers",
    (s, n) => times(1000, () => s.head(n, informational, "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n")),
  ],
  [
    "a head of 90 kB with a thousand fields",
    (s, n) => s.head(n, final, `${ok}${"X: y\r\n".repeat(15_000)}\r\n`),
  ],
  [
    "more body than its credit",
    (s, n) => {
      s.head(n, body, `${ok}\r\n`)
      times(100, () => s.data(n, megabyte))
    },
  ],
  [
    "more body than its length",
    (s, n) => {
      s.head(n, body, `${ok}Content-Length: 5\r\n\r\n`)
      s.data(n, Buffer.from(`hello${injected}`))
    },
  ],
  [
    "an end in the middle",
    (s, n) => {
      s.head(n, body, `${ok}Content-Length: 500\r\n\r\n`)
      s.data(n, Buffer.from("hello"))
      s.end(n)
    },
  ],
  [
    "a trailer that is a second answer",
    (s, n) => {
      s.head(n, body, `${ok}\r\n`)
      s.end(n, `X: y\r\n\r\n${injected}`)
    },
  ],
  ...["X", "X: y", "\n", "X: y\n", " X: y\r\n", "X: y\r\r\n", "\r\n\r\n"].map(
    (trailers) =>
      [
        `trailers that are ${JSON.stringify(trailers)}`,
        (s: Session, n: number) => {
          s.head(n, body, `${ok}\r\n`)
          s.end(n, trailers)
        },
      ] as const,
  ),
  [
    "two heads",
    (s, n) => {
      s.head(n, body, `${ok}\r\n`)
      s.head(n, body, injected)
    },
  ],
  [
    "a stream of its own",
    (s) =>
      s.open(77, {
        kind: 1,
        exchangeId: "x",
        attempt: 1,
        scheme: "http",
        head: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        bodyFollows: false,
      }),
  ],
  ["credit without end", (s, n) => times(1000, () => s.window(n, 0xffffffff))],
  [
    "an answer on streams that nobody opened",
    (s) => times(1000, (index) => s.head(index + 1000, final, injected)),
  ],
]

test.each(misdeeds)(
  "%s: its client gets an error or a broken connection, everybody else what they asked for",
  async (_what, does) => {
    const tunnel = `hostile-${nextTunnel++}`
    await using agent = await HostileAgent.attach(port, tunnel, ({ session }, stream) => {
      does(session, stream)
      // Where that was nothing to it, the client is not left waiting.
      session.reset(stream, "internal")
    })
    const victim = ask(tunnel, "/victim")
    const others = Array.from({ length: 5 }, (_, index) => ask("good", `/${index}`))
    const text = await victim
    expect(text.split(/HTTP\/1\.1 [2-9]/).length - 1).toBeLessThanOrEqual(1)
    expect(text).not.toContain("Injected")
    expect(text).not.toContain("Set-Cookie")
    expect(text).not.toMatch(/\r\n0\r\n(?:.*\r\n)?\r\n$/)
    expect((await Promise.all(others)).map((one) => one.split("\r\n\r\n")[1])).toEqual(
      Array.from({ length: 5 }, (_, index) => `good /${index}`),
    )
    expect((await ask("good", "/afterwards")).endsWith("good /afterwards")).toBe(true)
    expect(agent.refusal).not.toMatch(/^5/)
  },
)

test("an agent that sends PING after PING and never fetches the answers costs no memory", async () => {
  await using agent = await HostileAgent.attach(port, "pings")
  const writer = new FrameWriter({ headroomBytes: messageHeaderBytes })
  times(100_000, () => writer.ping(Buffer.alloc(8)))
  const message = Buffer.concat(writer.take(4_000_000) ?? [])
  putMessageHeader(message, message.length - messageHeaderBytes, 0, 0)
  const before = held()
  for (let round = 0; round < 100; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await agent.push(Buffer.concat([preamble, message]))).toBe(200)
  }
  expect(held() - before).toBeLessThan(48 * 1024 * 1024)
  expect((await ask("good", "/afterwards")).endsWith("good /afterwards")).toBe(true)
})

test("a session is as good as its id: nobody guesses one, and no form of it breaks anything", async () => {
  await using agent = await HostileAgent.attach(port, "ids")
  const ids = [
    "",
    "a",
    "x".repeat(24),
    "x".repeat(5000),
    "../../etc/passwd",
    "__proto__",
    "constructor",
    "%00",
    "0",
    "' or 1=1",
    "*",
  ]
  for (const id of ids) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await agent.push(preamble, id)).toBe(410)
  }
  expect(await agent.push(preamble)).toBe(200)
})

/** All that a client gets on a connection of its own. */
function ask(tunnel: string, target: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    let text = ""
    socket.setEncoding("latin1")
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${tunnel}.example\r\nConnection: close\r\n\r\n`)
    socket.on("data", (piece: string) => (text += piece))
    socket.on("error", () => undefined)
    socket.on("close", () => resolve(text))
  })
}

function held(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function times(count: number, does: (index: number) => void): void {
  for (let index = 0; index < count; index++) does(index)
}
