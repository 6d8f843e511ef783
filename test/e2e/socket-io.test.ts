// socket.io, as its users run it: it begins with polling requests and switches to a WebSocket in the middle of the session.
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "socket.io"
import { io } from "socket.io-client"
import { expect, test } from "vitest"
import { startPair, transports } from "../support/pair.ts"
import { until } from "../support/until.ts"

test.each(transports)(
  "over %s socket.io switches from polling to a WebSocket and loses nothing",
  async (transport) => {
    const httpServer = createServer()
    const server = new Server(httpServer)
    const begun: string[] = []
    server.engine.on("connection", ({ transport: { name } }: { transport: { name: string } }) =>
      begun.push(name),
    )
    server.on("connection", (socket) => socket.on("number", (number, answer) => answer(number * 2)))
    httpServer.listen(0, "127.0.0.1")
    await once(httpServer, "listening")
    await using pair = await startPair({
      server: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
      transport,
    })
    const client = io(pair.url, { reconnection: false })
    try {
      await until("socket.io to connect", () => client.connected)
      const { engine } = client.io
      const answers: number[] = []
      for (let number = 0; number < 50; number++)
        client.emit("number", number, (answer: number) => answers.push(answer))
      await until("the switch to a WebSocket", () => engine.transport.name === "websocket")
      for (let number = 50; number < 100; number++)
        client.emit("number", number, (answer: number) => answers.push(answer))
      await until("all answers", () => answers.length === 100)
      expect(begun).toEqual(["polling"])
      expect(answers).toEqual(Array.from({ length: 100 }, (_, number) => number * 2))
      expect([...server.sockets.sockets.values()].map(({ conn }) => conn.transport.name)).toEqual([
        "websocket",
      ])
    } finally {
      client.disconnect()
      await server.close()
    }
  },
)
