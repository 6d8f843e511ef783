// WebSockets through the pair with the client and the server that most of Node's world uses, over both transports and queues.
import { once } from "node:events"
import { randomBytes } from "node:crypto"
import { describe, expect, test as base, type TestAPI } from "vitest"
import type { WebSocket } from "ws"
import { edgeStatus, type Pair, startPair, type Transport, transports } from "../support/pair.ts"
import { queues, type Queue, startQueue } from "../support/queue.ts"
import { slowness } from "../support/slowness.ts"
import { passTime, until } from "../support/until.ts"
import { echo, WebSocketClient, webSocketUpstream } from "../support/websocket.ts"

interface World {
  readonly pair: Pair
  /** The server's ends, by path: the last one of each. */
  readonly ends: ReadonlyMap<string, WebSocket>
}

const floodMessageBytes = 1024 * 1024
const floodMessages = 64

/**
 * /closes is closed by the server, /flood gets 64 MiB and /refused a 401. Every other path echoes; of the offered subprotocols the
 * server takes the last.
 */
function testsOver(transport: Transport, queue: Queue): TestAPI<{ world: World }> {
  return base.extend<{ world: World }>({
    world: [
      // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
      async ({}, use) => {
        const ends = new Map<string, WebSocket>()
        await using upstream = await webSocketUpstream(
          (socket, { url = "" }) => {
            ends.set(url, socket)
            if (url === "/closes") socket.close(4002, "the server has had enough")
            else if (url === "/flood") {
              for (let sent = 0; sent < floodMessages; sent++)
                socket.send(Buffer.alloc(floodMessageBytes, sent))
            } else echo(socket)
          },
          {
            perMessageDeflate: { threshold: 0 },
            maxPayload: 32 * 1024 * 1024,
            handleProtocols: (offered) => [...offered].at(-1) ?? false,
            verifyClient: ({ req }, answer) => answer(req.url !== "/refused", 401, "Not you"),
          },
        )
        await using place = await startQueue(queue)
        await using pair = await startPair({ server: upstream.url, transport, edgeArgs: place.args })
        await use({ pair, ends })
      },
      { scope: "file" },
    ],
  })
}

const combinations = transports.flatMap((transport) =>
  queues.map((queue) => ({ transport, queue, test: testsOver(transport, queue) })),
)

describe.each(combinations)("over $transport, queue in $queue", { concurrent: true }, ({ test }) => {
  test("text and binary come back as what they were", async ({ world }) => {
    using client = await WebSocketClient.to(`${world.pair.url}/echo?q=1`)
    client.socket.send("grüße")
    client.socket.send(Buffer.from([0, 1, 255]))
    client.socket.send("")
    expect(await client.receives(3)).toEqual(["grüße", Buffer.from([0, 1, 255]), ""])
  })

  test("a fragmented message arrives whole", async ({ world }) => {
    using client = await WebSocketClient.to(world.pair.url)
    client.socket.send("one, ", { fin: false })
    client.socket.send("two, ", { fin: false })
    client.socket.send("three", { fin: true })
    expect(await client.receives(1)).toEqual(["one, two, three"])
  })

  test("a ping is answered by the other end's pong", async ({ world }) => {
    using client = await WebSocketClient.to(world.pair.url)
    const pong = once(client.socket, "pong")
    client.socket.ping("are you there")
    expect(String((await pong)[0])).toBe("are you there")
  })

  test("the client's close code and reason come back from the server", async ({ world }) => {
    using client = await WebSocketClient.to(world.pair.url)
    client.socket.close(4001, "enough")
    expect(await client.closed()).toEqual({ code: 4001, reason: "enough" })
  })

  test("the server's close code and reason reach the client", async ({ world }) => {
    using client = new WebSocketClient(`${world.pair.url}/closes`)
    expect(await client.closed()).toEqual({ code: 4002, reason: "the server has had enough" })
  })

  test("subprotocol and compression are agreed between client and server", async ({ world }) => {
    using client = await WebSocketClient.to(world.pair.url, ["chat.v1", "chat.v2"], {
      perMessageDeflate: { threshold: 0 },
    })
    client.socket.send("x".repeat(100_000))
    expect(await client.receives(1)).toEqual(["x".repeat(100_000)])
    expect([client.socket.protocol, client.socket.extensions]).toEqual([
      "chat.v2",
      expect.stringContaining("permessage-deflate"),
    ])
  })

  test("a message of 16 MiB comes back unchanged", async ({ world }) => {
    using client = await WebSocketClient.to(world.pair.url, [], { perMessageDeflate: false })
    const message = randomBytes(16 * 1024 * 1024)
    client.socket.send(message)
    const [back] = await client.receives(1, 40_000)
    expect(message.equals(back as Buffer)).toBe(true)
  })

  test("a client that does not read holds the server back, and gets everything once it does", async ({
    world,
  }) => {
    using client = new WebSocketClient(`${world.pair.url}/flood`, [], { perMessageDeflate: false })
    client.socket.once("open", () => client.socket.pause())
    const server = await until("the server to begin", () => world.ends.get("/flood"))
    await passTime(1000)
    const heldBackBytes = server.bufferedAmount
    client.socket.resume()
    const messages = await client.receives(floodMessages, 40_000)
    expect(heldBackBytes).toBeGreaterThan(24 * floodMessageBytes)
    expect(messages.map((message) => (message as Buffer)[17])).toEqual(messages.map((_, index) => index))
  })

  test("a refusal is the server's own answer", async ({ world }) => {
    using client = new WebSocketClient(`${world.pair.url}/refused`)
    const [, response] = (await once(client.socket, "unexpected-response")) as [
      unknown,
      { statusCode: number },
    ]
    expect(response.statusCode).toBe(401)
  })

  test("a client that is gone is gone at the server within a second", async ({ world }) => {
    using client = await WebSocketClient.to(`${world.pair.url}/leaves`)
    const server = await until("the server's end", () => world.ends.get("/leaves"))
    client.socket.terminate()
    await until("the server's end to close", () => server.readyState === server.CLOSED, 1000 * slowness())
  })
})

describe("one after the other", () => {
  base.for(transports)(
    "hundreds at a time over %s have one request's place free beside them",
    async (transport) => {
      await using upstream = await webSocketUpstream(echo)
      await using pair = await startPair({
        server: upstream.url,
        transport,
        agentArgs: ["--concurrency", "8", "--max-upgrades", "200"],
      })
      const clients = await Promise.all(Array.from({ length: 200 }, () => WebSocketClient.to(pair.url)))
      for (const [index, client] of clients.entries()) client.socket.send(`from ${index}`)
      for (const [index, client] of clients.entries())
        expect(await client.receives(1)).toEqual([`from ${index}`])
      expect(await (await fetch(pair.url)).text()).toBe("ordinary")
      using oneMore = new WebSocketClient(pair.url)
      const [, refusal] = (await once(oneMore.socket, "unexpected-response")) as [
        unknown,
        { statusCode: number },
      ]
      expect(refusal.statusCode).toBe(503)
      for (const client of clients) client.socket.close(1000)
      for (const client of clients) expect((await client.closed()).code).toBe(1000)
      await until("all to be over", async () => (await edgeStatus(pair)).exchanges.live === 0)
    },
  )
})
