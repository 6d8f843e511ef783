// The agent's websocket: when it counts as open, and what becomes of one that does not work.
import { once } from "node:events"
import { createServer } from "node:http"
import type { Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { deafSink, Secret, Session } from "@restante/protocol"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { WebSocketServer } from "ws"
import type { WebSocket } from "ws"
import type { CarrierPort } from "../../src/attach/carrier.ts"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import { WebSocketLink } from "../../src/attach/websocket.ts"
import { turns, turnsUntil } from "../../../../test/support/turns.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
})

afterEach(() => {
  vi.useRealTimers()
})

class Tried implements CarrierPort, AsyncDisposable {
  readonly session = "a-session-that-nobody-guesses"
  /** What the link's owner was told, in order. */
  readonly told: string[] = []
  readonly received: number[] = []
  /** The edge's ends, in order. */
  readonly websockets: WebSocket[] = []
  readonly protocols: string[] = []
  readonly sessions: (string | undefined)[] = []
  refusal: string | undefined
  readonly #server: Server
  readonly #edge = new Session({ onOutput: () => {}, sink: deafSink })
  #link: WebSocketLink | undefined
  #carriers = 0

  private constructor(server: Server) {
    this.#server = server
    const upgrades = new WebSocketServer({ noServer: true })
    server.on("upgrade", (request, socket: Socket, head) => {
      this.sessions.push(request.headers["restante-session"] as string | undefined)
      if (this.refusal !== undefined) return void socket.end(this.refusal)
      upgrades.handleUpgrade(request, socket, head, (websocket) => {
        this.protocols.push(websocket.protocol)
        this.websockets.push(websocket)
        websocket.on("message", (bytes: Buffer) => this.received.push(bytes.length))
      })
    })
  }

  static async start(refusal?: string): Promise<Tried> {
    const server = createServer()
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const tried = new Tried(server)
    tried.refusal = refusal
    const external = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    tried.#link = new WebSocketLink({
      client: new EdgeClient({ external, ca: undefined, token: new Secret("token") }),
      port: tried,
      clock: { now: () => 0, random: () => 1 },
      mostRetryMs: 5000,
      onOpen: (open) => tried.told.push(open ? "open" : "closed"),
      onFailed: ({ code }) => tried.told.push(code),
    })
    tried.#link.start()
    return tried
  }

  get link(): WebSocketLink {
    return this.#link!
  }

  /** The edge says its first word on its newest end. */
  answers(): void {
    this.websockets.at(-1)?.send(this.#edge.ackMessage())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.stop()
    for (const websocket of this.websockets) websocket.terminate()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, "close")
  }

  nextCarrierId(): number {
    return ++this.#carriers
  }

  receive(): void {}

  acknowledgement(): Buffer {
    return this.#edge.ackMessage()
  }

  lost(id: number): void {
    this.told.push(`lost ${id}`)
  }

  alive(): void {}

  failed(): void {}

  flush(): void {}
}

test("it speaks first, in our subprotocol and for its session", async () => {
  await using tried = await Tried.start()
  await turnsUntil("its word", () => tried.received.length === 1)
  expect([tried.protocols, tried.sessions, tried.received]).toEqual([["restante.v1"], [tried.session], [20]])
})

test("it is not open before the edge has answered: the path may not carry both ways", async () => {
  await using tried = await Tried.start()
  await turnsUntil("its word", () => tried.received.length === 1)
  await turns(20)
  expect([tried.link.open, tried.link.ready, tried.told]).toEqual([false, false, []])
})

test("it is open with the edge's first word", async () => {
  await using tried = await Tried.start()
  await turnsUntil("its word", () => tried.received.length === 1)
  tried.answers()
  await turnsUntil("it to be told", () => tried.told.length === 1)
  expect([tried.link.open, tried.told]).toEqual([true, ["open"]])
})

test("one on which the edge says nothing is given up after 10 s", async () => {
  await using tried = await Tried.start()
  await turnsUntil("its word", () => tried.received.length === 1)
  vi.advanceTimersByTime(10_000)
  await turnsUntil("it to be told", () => tried.told.length > 0)
  expect(tried.told).toEqual(["closed"])
})

test("what it carried is reported lost when it breaks", async () => {
  await using tried = await Tried.start()
  await turnsUntil("its word", () => tried.received.length === 1)
  tried.answers()
  await turnsUntil("it to be open", () => tried.link.open)
  tried.websockets[0]?.terminate()
  await turnsUntil("the loss", () => !tried.link.open)
  expect(tried.told.slice(0, 3)).toEqual(["open", `lost ${tried.link.id}`, "closed"])
})

test("it is tried again after a while", async () => {
  await using tried = await Tried.start()
  await turnsUntil("its word", () => tried.received.length === 1)
  tried.websockets[0]?.terminate()
  await turnsUntil("the end", () => tried.told.length > 0)
  const before = tried.websockets.length
  vi.advanceTimersByTime(200)
  await turnsUntil("another", () => tried.websockets.length === 2)
  expect(before).toBe(1)
})

test("an edge that does not know the session any more ends it", async () => {
  await using tried = await Tried.start(
    "HTTP/1.1 410 Gone\r\nRestante-Version: 1\r\nConnection: close\r\n\r\n",
  )
  await turnsUntil("it to be told", () => tried.told.length > 0)
  expect(tried.told).toEqual(["session_over"])
})

test.each([
  "HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n",
  "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nConnection: close\r\n\r\n",
  "HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n",
])("something between that refuses is not taken for the edge: %j", async (refusal) => {
  await using tried = await Tried.start(refusal)
  await turnsUntil("it to be told", () => tried.told.length > 0)
  expect(tried.told).toEqual(["edge_error"])
})

test("after it was stopped nothing is tried again", async () => {
  await using tried = await Tried.start("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n")
  await turnsUntil("it to be told", () => tried.told.length > 0)
  tried.link.stop()
  vi.advanceTimersByTime(60_000)
  await turns(20)
  expect(tried.sessions).toHaveLength(1)
})
