// Answers of a private server that HTTP/2 has no words for: the client gets the edge's own error, whole, and not just a broken stream.
import { once } from "node:events"
import { connect } from "node:http2"
import { expect, test } from "vitest"
import { startNearPair } from "../support/near-pair.ts"
import { rawUpstream } from "../support/upstream.ts"

const websocket = [
  ...[":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a.example"],
  ...[":path", "/", "sec-websocket-version", "13"],
]
const get = [":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"]

test.each([
  ["a status beyond 599", get, "HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n", "upstream_protocol"],
  ["a reset with content", get, "HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nhi", "upstream_protocol"],
  ["200 to a WebSocket", websocket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "upgrade_failed"],
] as const)("%s is 502 with a code, over HTTP/2", async (_what, head, answer, code) => {
  await using upstream = await rawUpstream((socket) => socket.write(answer))
  await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { h2c: true } })
  const session = connect(`http://127.0.0.1:${pair.port}`)
  await once(session, "remoteSettings")
  const stream = session.request([...head], { endStream: head === get })
  let text = ""
  stream.setEncoding("utf8").on("data", (piece: string) => (text += piece))
  const [fields] = (await once(stream, "response")) as [Record<string, unknown>]
  await once(stream, "end")
  session.destroy()
  expect([fields[":status"], fields["restante-error"], JSON.parse(text)]).toEqual([
    502,
    code,
    expect.objectContaining({ code, status: 502 }),
  ])
})
