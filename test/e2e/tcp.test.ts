// TCP connections through a port of the edge, over both transports and queues: bytes, ends and breaks as if there were nothing between.
import { randomBytes } from "node:crypto"
import { describe, expect, test as base, type TestAPI } from "vitest"
import { transports, type Transport } from "../support/pair.ts"
import { queues, type Queue, startQueue } from "../support/queue.ts"
import { slowness } from "../support/slowness.ts"
import { echoBytes, startTcpPair, TcpEnd, type TcpPair, type TcpServer, tcpServer } from "../support/tcp.ts"
import { until } from "../support/until.ts"

interface World {
  readonly pair: TcpPair
  readonly server: TcpServer
}

/** A server that does nothing by itself: the test has both ends. */
function testsOver(transport: Transport, queue: Queue): TestAPI<{ world: World }> {
  return base.extend<{ world: World }>({
    world: [
      // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
      async ({}, use) => {
        await using server = await tcpServer(() => undefined)
        await using place = await startQueue(queue)
        await using pair = await startTcpPair({
          target: `127.0.0.1:${server.port}`,
          transport,
          edgeArgs: place.args,
        })
        await use({ pair, server })
      },
      { scope: "file" },
    ],
  })
}

const combinations = transports.flatMap((transport) =>
  queues.map((queue) => ({ transport, queue, test: testsOver(transport, queue) })),
)

/** Both ends of a new connection. */
async function connected({ pair, server }: World): Promise<{ client: TcpEnd; far: TcpEnd }> {
  const before = server.ends.length
  const client = await TcpEnd.to(pair.port)
  const far = await until("the connection at the server", () => server.ends[before])
  return { client, far }
}

describe.each(combinations)("over $transport, queue in $queue", ({ test }) => {
  test("bytes of both directions arrive as they were, whoever speaks first", async ({ world }) => {
    const { client, far } = await connected(world)
    far.socket.write("220 ready\r\n")
    await client.hears("220 ready\r\n")
    const bytes = randomBytes(300_000)
    client.socket.write(bytes)
    await until("all of it", () => far.heard.length === bytes.length)
    expect(far.heard.equals(bytes)).toBe(true)
  })

  test("what a client says before its end arrives before the end, and the answer still comes back", async ({
    world,
  }) => {
    const { client, far } = await connected(world)
    client.socket.end("the question")
    await until("the end", () => far.ended)
    far.socket.end("the answer")
    await until("the other end", () => client.ended)
    expect([far.text, client.text, far.error, client.error]).toEqual([
      "the question",
      "the answer",
      undefined,
      undefined,
    ])
  })

  test("a server that ends its side first still hears the client", async ({ world }) => {
    const { client, far } = await connected(world)
    far.socket.end("bye")
    await until("the end", () => client.ended)
    client.socket.end("one more thing")
    await until("the other end", () => far.ended)
    expect([client.text, far.text]).toEqual(["bye", "one more thing"])
  })

  test("a client that breaks off breaks the server's connection within a second", async ({ world }) => {
    const { client, far } = await connected(world)
    client.socket.write("x")
    await far.hears("x")
    client.socket.resetAndDestroy()
    await far.isReset(1000 * slowness())
  })

  test("a server that breaks off breaks the client's connection", async ({ world }) => {
    const { client, far } = await connected(world)
    client.socket.write("x")
    await far.hears("x")
    far.socket.resetAndDestroy()
    await client.isReset()
  })

  test("a server's last bytes arrive although the client never ends its side", async ({ world }) => {
    const { client, far } = await connected(world)
    const bytes = randomBytes(3_000_000)
    far.socket.end(bytes)
    await until("the end", () => client.ended)
    expect(client.heard.equals(bytes)).toBe(true)
  })
})

describe("one edge, one agent", () => {
  base("a port that leads where nothing listens resets its clients", async () => {
    await using pair = await startTcpPair({ target: "127.0.0.1:9" })
    using client = await TcpEnd.to(pair.port)
    await client.isReset()
    expect(client.text).toBe("")
  })

  base("a slow reader slows the server down, and loses nothing", async () => {
    const bytes = randomBytes(1024 * 1024)
    const pieces = 64
    await using server = await tcpServer(({ socket }) => {
      for (let piece = 0; piece < pieces; piece++) socket.write(bytes)
      socket.end()
    })
    await using pair = await startTcpPair({ target: `127.0.0.1:${server.port}` })
    using client = await TcpEnd.to(pair.port)
    client.socket.pause()
    const far = await until("the server's end", () => server.ends[0])
    let unsent = 0
    await until("the server to be held back", () => {
      const before = unsent
      unsent = far.socket.writableLength
      return unsent === before && unsent > 24 * bytes.length
    })
    client.socket.resume()
    await until("the end", () => client.ended)
    expect(client.heard.equals(Buffer.concat(Array<Buffer>(pieces).fill(bytes)))).toBe(true)
  })

  base("a hundred connections at once get what is theirs", async () => {
    await using server = await tcpServer(echoBytes)
    await using pair = await startTcpPair({ target: `127.0.0.1:${server.port}` })
    const clients = await Promise.all(Array.from({ length: 100 }, () => TcpEnd.to(pair.port)))
    for (const [index, { socket }] of clients.entries()) socket.end(`I am ${index}.`)
    for (const [index, client] of clients.entries()) {
      await until("the end", () => client.ended)
      expect(client.text).toBe(`I am ${index}.`)
    }
  })
})
