// An agent connects to its edge and to its private server and to nothing else, whatever a client's request or a hostile edge says.
import { connect } from "node:net"
import { openKind } from "@restante/protocol"
import { expect, test } from "vitest"
import { FakeEdge, sessionId } from "../../packages/proxy-in/test/attach/fake-edge.ts"
import { nearAgent, startNearPair } from "../support/near-pair.ts"
import { httpUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"
import { Witness } from "../conformance/abuse/witness.ts"
import { readers } from "../conformance/abuse/readers.ts"
import { Dials } from "./dials.ts"
import { startTrap } from "./trap.ts"

/** Ways to name another place, `trap` being its port. */
function elsewhere(trap: number): readonly string[] {
  const there = `127.0.0.1:${trap}`
  return [
    ...[
      `http://${there}/`,
      `https://${there}/`,
      `HTTP://${there}`,
      `//${there}/`,
      `///${there}/`,
      `/\\${there}/`,
      `\\\\${there}\\`,
    ],
    ...[
      `@${there}/`,
      `/@${there}/`,
      `:@${there}/`,
      `http://a@${there}/`,
      `http://${there}@a/`,
      `http://a:b@${there}/`,
      `http://${there}\\@a/`,
    ],
    ...[
      there,
      `http:${there}`,
      `http:/${there}/`,
      `http:///${there}/`,
      `/http://${there}/`,
      `?http://${there}/`,
      `/?url=http://${there}/`,
    ],
    ...[
      `/%2f%2f${there}/`,
      `/%5c%5c${there}/`,
      `/..//${there}/`,
      `/.//${there}/`,
      `/%2e%2e//${there}/`,
      `/%0d%0aHost:%20${there}`,
    ],
    ...[
      `ws://${there}/`,
      `ftp://${there}/`,
      `gopher://${there}/_x`,
      `file:///etc/passwd`,
      `unix:/run/x.sock:/`,
      `http+unix://%2Frun%2Fx.sock/`,
    ],
    ...[
      `http://[::ffff:127.0.0.1]:${trap}/`,
      `http://2130706433:${trap}/`,
      `http://0x7f.1:${trap}/`,
      `http://0:${trap}/`,
      `http://localhost:${trap}/`,
    ],
    ...[
      `http://[::1]:${trap}/`,
      `http://169.254.169.254/latest/meta-data/`,
      `/;@${there}/`,
      `/#@${there}/`,
      `*`,
      `/ http://${there}/`,
    ],
  ]
}

test("whatever target, Host, and fields a client sends, connections go to the private server alone", async () => {
  await using trap = await startTrap()
  await using upstream = await httpUpstream((_incoming, response) => response.end("ok"))
  await using pair = await startNearPair({ upstreamPort: upstream.port })
  using dials = new Dials()
  const there = `127.0.0.1:${trap.port}`
  const hosts = [
    "a",
    there,
    `a@${there}`,
    `${there}/`,
    `[::1]:${trap.port}`,
    "169.254.169.254",
    `http://${there}/`,
    "",
  ]
  const fields = [
    `X-Forwarded-Host: ${there}\r\nForwarded: host="${there}";for=${there}\r\nX-Real-IP: ${there}`,
    `X-Original-URL: http://${there}/\r\nX-Rewrite-URL: http://${there}/\r\nLocation: http://${there}/`,
    `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==`,
    `Connection: Host\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic ${there}`,
  ]
  const requests = ["GET", "CONNECT", "OPTIONS", "POST"].flatMap((method) =>
    elsewhere(trap.port).flatMap((target) => [
      ...hosts.map((host) => `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      ...fields.map((lines) => `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`),
    ]),
  )
  for (let at = 0; at < requests.length; at += 50) {
    // oxlint-disable-next-line no-await-in-loop -- fifty at a time
    await Promise.all(requests.slice(at, at + 50).map((request) => exchange(pair.port, request)))
  }
  expect(upstream.seen.length).toBeGreaterThan(requests.length / 10)
  expect(dials.strangeTo([pair.port, upstream.port])).toEqual([])
  expect(trap.caught).toBe(0)
})

/** Resolves when the answer has begun or the connection has ended. */
function exchange(port: number, request: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.end(request, "latin1")
    socket.on("data", () => socket.destroy())
    socket.on("error", () => undefined)
    socket.on("close", () => resolve())
  })
}

test("whatever head a hostile edge sends, connections go to the private server alone, and each brings it one request at most", async () => {
  await using trap = await startTrap()
  await using witness = new Witness()
  const upstreamPort = await witness.start()
  await using edge = await hostileEdge()
  using dials = new Dials()
  await using agent = nearAgent(Number(edge.url.port), upstreamPort, {
    external: edge.url,
    transport: "poll",
  })
  await agent.start()
  const there = `127.0.0.1:${trap.port}`
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
  const heads = [
    ...elsewhere(trap.port).flatMap((target) => [
      `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
      `CONNECT ${target} HTTP/1.1\r\nHost: ${there}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${target}\r\n\r\n`,
    ]),
    `GET / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: y\n\n${smuggled}`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r${smuggled}`,
    `GET / HTTP/1.1\nHost: a\n\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nHost: ${there}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n`,
    `GET /\r\n\r\n${smuggled}`,
    `GET / HTTP/1.1\r\nHost: a`,
    `HTTP/1.1 200 OK\r\n\r\n`,
    "",
    "\r\n\r\n",
    "\0".repeat(100),
    `GET /${"x".repeat(60_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ]
  const bodies = [undefined, Buffer.from(smuggled), Buffer.from(`0\r\n\r\n${smuggled}`)]
  let stream = 0
  for (const head of heads)
    for (const kind of [openKind.http, openKind.upgrade, openKind.tcp, openKind.udp, 99])
      for (const body of kind === openKind.http ? bodies : [undefined]) {
        stream++
        const bodyFollows = kind !== openKind.http
        edge.session.open(stream, {
          kind,
          exchangeId: `x${stream}`,
          attempt: 1,
          scheme: "http",
          head,
          bodyFollows,
          body,
        })
        // What waits for a body, or has switched, is not for ever.
        if (bodyFollows) edge.session.reset(stream, "cancelled")
      }
  const places = ["0.0.0.0", "127.0.0.1", "auto", "22", "*", "", "a b"]
  for (const place of places) {
    stream++
    const head = `${place} 127.0.0.1 1 127.0.0.1 ${trap.port}\r\n\r\n`
    edge.session.open(stream, {
      kind: openKind.tcp,
      exchangeId: `x${stream}`,
      attempt: 1,
      scheme: "http",
      head,
      bodyFollows: true,
    })
  }
  const chunked = "POST / HTTP/1.1\r\nHost: a\r\n\r\n"
  const trailers = [
    `X: y\r\n\r\n${smuggled}`,
    `\r\n${smuggled}`,
    `X: y\n\n${smuggled}`,
    `X: y\r\n\r\n`,
    "X",
    " X: y\r\n",
    "X: y\rZ: w\r\n",
  ]
  for (const said of [chunked, chunked.replace("Host", "Content-Length: 5\r\nHost")])
    for (const trailer of trailers) {
      stream++
      edge.session.open(stream, {
        kind: openKind.http,
        exchangeId: `x${stream}`,
        attempt: 1,
        scheme: "http",
        head: said,
        bodyFollows: true,
      })
      edge.session.data(stream, Buffer.from("hello"))
      edge.session.end(stream, trailer)
    }
  for (const more of [smuggled, `0\r\n\r\n${smuggled}`]) {
    stream++
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    edge.session.open(stream, {
      kind: openKind.http,
      exchangeId: `x${stream}`,
      attempt: 1,
      scheme: "http",
      head,
      bodyFollows: true,
    })
    edge.session.data(stream, Buffer.from(`hello${more}`))
    edge.session.end(stream)
  }
  const last = ++stream
  const head = "GET /last HTTP/1.1\r\nHost: a\r\n\r\n"
  edge.session.open(last, {
    kind: openKind.http,
    exchangeId: "last",
    attempt: 1,
    scheme: "http",
    head,
    bodyFollows: false,
  })
  await until("an answer to the last request", () => edge.heard.includes(`head ${last}`))
  await until("an end of every other one", () => agent.status().requests.active === 0)
  expect(dials.strangeTo([Number(edge.url.port), upstreamPort])).toEqual([])
  expect(trap.caught).toBe(0)
  const testimonies = witness.take()
  const smuggledSeen = readers.flatMap((reader) =>
    testimonies.flatMap(({ bytes }) =>
      reader.read(bytes).whole.filter(({ target }) => target === "/smuggled"),
    ),
  )
  expect(smuggledSeen).toEqual([])
})

test.each([
  ["a frame that is longer than its message", `${header(8)}01ffffff00000001`],
  ["a frame of an unknown kind", `${header(8)}7f00000000000001`],
  ["a frame that only an agent sends", `${header(8)}0200000000000001`],
  ["a message with a number beyond the window", "0000000000100000000000000000000000000000"],
  ["an acknowledgement of what was never sent", "00000000000000000000000000000000000fffff"],
])("%s ends the session at once: the agent attaches anew", async (_what, bytes) => {
  await using upstream = await httpUpstream((_incoming, response) => response.end("ok"))
  await using edge = await hostileEdge()
  await using agent = nearAgent(Number(edge.url.port), upstream.port, {
    external: edge.url,
    transport: "poll",
  })
  await agent.start()
  await until("the agent to poll", () => edge.waitingPolls > 0)
  edge.answerPoll(Buffer.from(bytes, "hex"))
  await until("the agent to attach anew", () => edge.count("attach", false) > 1)
  expect(upstream.seen).toEqual([])
})

test.each([
  ["bytes that are no message", Buffer.from("GET / HTTP/1.1\r\n\r\n").toString("hex")],
  ["a message that says it has 4 GiB", "ffffffff00000000000000010000000000000000"],
  ["half a message", `${header(8)}01`],
])("%s: the agent believes nothing of it and polls again", async (_what, bytes) => {
  await using upstream = await httpUpstream((_incoming, response) => response.end("ok"))
  await using edge = await hostileEdge()
  await using agent = nearAgent(Number(edge.url.port), upstream.port, {
    external: edge.url,
    transport: "poll",
  })
  await agent.start()
  await until("the agent to poll twice", () => edge.waitingPolls > 1)
  const before = process.memoryUsage().arrayBuffers
  for (let time = 0; time < 5; time++) {
    edge.answerPoll(Buffer.from(bytes, "hex"))
    // oxlint-disable-next-line no-await-in-loop -- again and again
    await until("the agent to poll again", () => edge.waitingPolls > 1)
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
  const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
  edge.session.open(1, {
    kind: openKind.http,
    exchangeId: "x",
    attempt: 1,
    scheme: "http",
    head,
    bodyFollows: false,
  })
  await until("an answer", () => edge.heard.includes("head 1"))
  expect(upstream.seen).toEqual(["GET /"])
})

/** Of message 1, in hexadecimal. */
function header(payloadBytes: number): string {
  return `${payloadBytes.toString(16).padStart(8, "0")}00000000000000010000000000000000`
}

/** One that lets the agent attach. */
async function hostileEdge(): Promise<FakeEdge> {
  const edge = await new FakeEdge().start()
  edge.streaming = "refuses"
  edge.instead = (request, response) => {
    if (request.url?.endsWith("/attach") !== true) return false
    request.resume()
    response.writeHead(200, { "Content-Type": "application/json" })
    response.end(JSON.stringify({ session: sessionId, protocol: 1, resumeSeconds: 30, pollSeconds: 25 }))
    return true
  }
  return edge
}

test("a connection to somewhere else would be seen", async () => {
  await using trap = await startTrap()
  using dials = new Dials()
  await exchange(trap.port, "GET / HTTP/1.1\r\n\r\n")
  expect(dials.strangeTo([])).toEqual([`127.0.0.1:${trap.port}`])
  expect(trap.caught).toBe(1)
})
