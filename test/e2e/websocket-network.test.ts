// What becomes of WebSockets, and of other switched connections, when something goes away: the agent's network, the agent, the edge.
import { once } from "node:events"
import { describe, expect, test } from "vitest"
import { RawClient } from "../support/client.ts"
import { startAgent, startEdge, startPair, transports } from "../support/pair.ts"
import { Wire } from "../support/relay.ts"
import { startRedis } from "../support/redis.ts"
import { passTime, until } from "../support/until.ts"
import { rawUpstream } from "../support/upstream.ts"
import { echo, WebSocketClient, webSocketUpstream } from "../support/websocket.ts"

const clients = 10
const cuts = 4

describe.each(transports)("over %s", { concurrent: true, timeout: 120_000 }, (transport) => {
  test("a network that is cut again and again loses no message of busy echoes and doubles none", async () => {
    await using upstream = await webSocketUpstream(echo)
    await using edge = await startEdge()
    await using wire = await Wire.to(edge.port)
    await using agent = await startAgent({ server: upstream.url, external: wire.url, transport })
    await agent.attached()
    const sockets = await Promise.all(Array.from({ length: clients }, () => WebSocketClient.to(edge.url)))
    let sent = 0
    const timer = setInterval(() => {
      for (const { socket } of sockets) socket.send(`${sent} ${"x".repeat((sent * 37) % 5000)}`)
      sent++
    }, 2)
    for (let cut = 0; cut < cuts; cut++) {
      await passTime(700)
      wire.cut()
      await passTime(1500)
      wire.mend()
    }
    await passTime(700)
    clearInterval(timer)
    const numbers = Array.from({ length: sent }, (_, number) => String(number))
    for (const client of sockets) {
      const messages = await client.receives(sent, 60_000)
      expect(messages.map((message) => String(message).split(" ")[0])).toEqual(numbers)
      expect(client.messages).toHaveLength(sent)
      client.socket.terminate()
    }
    expect(sent).toBeGreaterThan(100)
  })

  test("one that is asked for while no agent is there opens when one comes", async () => {
    await using upstream = await webSocketUpstream(echo)
    await using edge = await startEdge()
    using client = new WebSocketClient(edge.url)
    await passTime(500)
    expect(client.socket.readyState).toBe(client.socket.CONNECTING)
    await using agent = await startAgent({ server: upstream.url, external: edge.url, transport })
    await agent.attached()
    await client.opened()
    client.socket.send("at last")
    expect(await client.receives(1)).toEqual(["at last"])
  })

  test("an agent that is stopped says 1001 to both ends and ends at once", async () => {
    const codes: number[] = []
    await using upstream = await webSocketUpstream((socket) => {
      echo(socket)
      socket.on("close", (code) => codes.push(code))
    })
    await using pair = await startPair({ server: upstream.url, transport })
    using client = await WebSocketClient.to(pair.url)
    const since = performance.now()
    pair.agent.program.signal("SIGTERM")
    expect((await client.closed()).code).toBe(1001)
    expect(await pair.agent.program.ended).toEqual({ code: 0, signal: null })
    expect(codes).toEqual([1001])
    expect(performance.now() - since).toBeLessThan(20_000)
  })

  test("an edge that is stopped says 1001 to both ends and ends at once", async () => {
    const codes: number[] = []
    await using upstream = await webSocketUpstream((socket) => {
      echo(socket)
      socket.on("close", (code) => codes.push(code))
    })
    await using pair = await startPair({ server: upstream.url, transport })
    using client = await WebSocketClient.to(pair.url)
    const since = performance.now()
    pair.edge.program.signal("SIGTERM")
    expect((await client.closed()).code).toBe(1001)
    expect(await pair.edge.program.ended).toEqual({ code: 0, signal: null })
    expect(codes).toEqual([1001])
    expect(performance.now() - since).toBeLessThan(20_000)
  })

  test("an agent that is killed and started again: clients are cut off and come in anew", async () => {
    await using upstream = await webSocketUpstream(echo)
    await using edge = await startEdge()
    const options = { server: upstream.url, external: edge.url, transport }
    await using killed = await startAgent(options)
    await killed.attached()
    using before = await WebSocketClient.to(edge.url)
    await killed.program.kill()
    await using agent = await startAgent(options)
    await agent.attached()
    expect((await before.closed()).code).toBe(1006)
    using after = await WebSocketClient.to(edge.url)
    after.socket.send("again")
    expect(await after.receives(1)).toEqual(["again"])
  })

  test("a protocol that is not WebSocket: early bytes, an end of each side for itself, and RST as RST", async () => {
    await using upstream = await rawUpstream((socket) => {
      socket.allowHalfOpen = true
      socket.write("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: lines/1\r\n\r\nwelcome,")
    })
    await using pair = await startPair({ server: upstream.url, transport })
    const asks = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: lines/1\r\n\r\n"
    using halfClosing = new RawClient(pair.port)
    halfClosing.send(`${asks}early\r\n\r\n`)
    await halfClosing.receives(/welcome,$/)
    const [server] = upstream.sockets
    const ended = once(server!, "end")
    halfClosing.socket.end()
    await ended
    server!.end("still here")
    await halfClosing.receives(/welcome,still here$/)
    expect(await halfClosing.ended()).toBe("clean")

    using resetting = new RawClient(pair.port)
    resetting.send(asks)
    await resetting.receives(/welcome,$/)
    const broken = once(upstream.sockets[1]!, "close")
    resetting.socket.resetAndDestroy()
    await expect(broken).rejects.toMatchObject({ code: "ECONNRESET" })

    using reset = new RawClient(pair.port)
    reset.send(asks)
    await reset.receives(/welcome,$/)
    upstream.sockets[2]!.resetAndDestroy()
    expect(await reset.ended()).toBe("reset")
  })
})

test("an agent that has no room for another WebSocket leaves it to one that has; when none has it is refused", async () => {
  await using upstream = await webSocketUpstream(echo)
  await using edge = await startEdge()
  const options = { server: upstream.url, external: edge.url }
  await using first = await startAgent({ ...options, args: ["--max-upgrades", "1"] })
  await first.attached()
  await using second = await startAgent({ ...options, args: ["--max-upgrades", "3"] })
  await second.attached()
  const open = await Promise.all(Array.from({ length: 4 }, () => WebSocketClient.to(edge.url)))
  using fifth = new WebSocketClient(edge.url)
  let status = 0
  fifth.socket.on("unexpected-response", (_request, response) => {
    status = response.statusCode ?? 0
    response.resume()
  })
  await until("the refusal", () => status !== 0)
  expect(status).toBe(503)
  open[2]!.socket.close()
  await open[2]!.closed()
  await until("its place to be free", async () => {
    using next = new WebSocketClient(edge.url)
    await until("an answer", () => next.socket.readyState !== next.socket.CONNECTING)
    return next.socket.readyState === next.socket.OPEN
  })
  for (const { socket } of open) socket.terminate()
})

test("a WebSocket crosses from one edge to the other's agent, with a Redis between them", async () => {
  await using redis = await startRedis()
  await using upstream = await webSocketUpstream(echo)
  await using here = await startEdge({ args: ["--redis", redis.url] })
  await using there = await startEdge({ args: ["--redis", redis.url] })
  await using agent = await startAgent({ server: upstream.url, external: there.url })
  await agent.attached()
  using client = await WebSocketClient.to(here.url)
  const messages = Array.from({ length: 300 }, (_, index) => `${index} ${"y".repeat(index * 20)}`)
  for (const message of messages) client.socket.send(message)
  expect(await client.receives(messages.length)).toEqual(messages)
  client.socket.close(4003, "across")
  expect(await client.closed()).toEqual({ code: 4003, reason: "across" })
  await until("the server's end to close", () => upstream.sockets.size === 0)
})
