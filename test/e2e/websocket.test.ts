// WebSockets through the pair, with the client and the server that most of Node's world uses, over every transport.
import { once } from "node:events"
import { describe, expect, test } from "vitest"
import { WebSocket } from "ws"
import { startPair, transports } from "../support/pair.ts"
import { webSocketUpstream } from "../support/websocket.ts"

describe.each(transports)("over %s", (transport) => {
  test("text comes back as text", async () => {
    await using upstream = await webSocketUpstream((socket) => {
      socket.on("message", (bytes, binary) => socket.send(bytes, { binary }))
    })
    await using pair = await startPair({ server: upstream.url, transport })
    const socket = new WebSocket(`ws://127.0.0.1:${pair.port}/chat?x=1`)
    await once(socket, "open")
    socket.send("hello")
    const [bytes, binary] = await once(socket, "message")
    expect([String(bytes), binary]).toEqual(["hello", false])
    socket.close(4001, "enough")
    const [code, reason] = await once(socket, "close")
    expect([code, String(reason)]).toEqual([4001, "enough"])
  })
})
