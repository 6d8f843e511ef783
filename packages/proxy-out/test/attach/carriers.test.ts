// What carries messages down to an agent: when it is trusted with them, and what becomes of it.
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { MessageDecoder } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { AgentSession } from "../../src/attach/agent-session.ts"
import { PollCarrier, StreamedPollCarrier } from "../../src/attach/poll-carrier.ts"
import { WebSocketCarrier } from "../../src/attach/websocket-carrier.ts"
import { ClientConnection } from "../../src/ingress/client-connection.ts"
import type { RequestHandler } from "../../src/exchange/client.ts"
import { AgentPeer } from "../support/agent-peer.ts"
import { answersIn } from "../support/answers.ts"
import { FakeSocket } from "../support/fake-socket.ts"
import { FakeExchange } from "../support/leasables.ts"
import { turnsUntil } from "../../../../test/support/turns.ts"

function newSession(): AgentSession {
  return new AgentSession({
    id: "session-id",
    tunnel: "default",
    credentialId: "default",
    instance: "place",
    concurrency: 10,
    timeoutMs: 60_000,
    port: { onRoom: () => {}, onAttached: () => {} },
  })
}

const waits: RequestHandler = {
  onBody: () => {},
  onBodyEnd: () => {},
  onReadPaused: () => {},
  onClientDrain: () => {},
  onClientGone: () => {},
}

/** A poll that has arrived. */
function polled(): { readonly socket: FakeSocket; readonly connection: ClientConnection } {
  const socket = new FakeSocket()
  const connection = new ClientConnection(socket.asSocket, {
    onRequest: () => waits,
    badRequest: () => Buffer.alloc(0),
    onClosed: () => {},
  })
  socket.send("POST /.restante/v1/poll HTTP/1.1\r\nHost: a\r\n\r\n")
  return { socket, connection }
}

describe("a short poll", () => {
  test("ends with its first message", () => {
    const edge = newSession()
    const { socket, connection } = polled()
    const carrier = new PollCarrier(connection, edge, true)
    edge.attach(carrier)
    edge.open(new FakeExchange("a"))
    edge.flush()
    edge.open(new FakeExchange("b"))
    edge.flush()
    expect([answersIn(socket.text).map(({ status }) => status), carrier.ready]).toEqual([[200], false])
  })

  test("that is closed ends empty", () => {
    const edge = newSession()
    const { socket, connection } = polled()
    const carrier = new PollCarrier(connection, edge, true)
    edge.attach(carrier)
    carrier.close()
    expect([answersIn(socket.text).map(({ status }) => status), edge.attached]).toEqual([[204], false])
  })
})

describe("a streamed poll", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  class Streamed {
    readonly edge: AgentSession
    readonly peer: AgentPeer
    readonly socket: FakeSocket
    readonly carrier: StreamedPollCarrier

    constructor(edge = newSession(), peer = new AgentPeer()) {
      this.edge = edge
      this.peer = peer
      const { socket, connection } = polled()
      this.socket = socket
      this.carrier = new StreamedPollCarrier(connection, edge)
      edge.attach(this.carrier)
    }

    /** Everything that was written so far reaches the agent. */
    passes(): void {
      const { text } = this.socket
      const payload = Buffer.from(bodyOf(text.slice(text.indexOf("\r\n\r\n") + 4)), "latin1")
      for (const message of new MessageDecoder().push(payload)) this.peer.session.receive(message)
    }
  }

  /** The content of complete chunks. */
  function bodyOf(text: string): string {
    const size = /^([0-9a-f]+)\r\n/.exec(text)
    if (size === null) return ""
    const start = size[0].length
    const end = start + Number.parseInt(size[1] ?? "", 16)
    return text.slice(start, end) + bodyOf(text.slice(end + 2))
  }

  test("is not trusted with anything before the agent has shown that its first message came through", () => {
    const streamed = new Streamed()
    streamed.edge.open(new FakeExchange("a"))
    streamed.edge.flush()
    streamed.passes()
    expect(streamed.peer.heard).toEqual([])
  })

  test("carries everything once it has", () => {
    const streamed = new Streamed()
    streamed.edge.open(new FakeExchange("a"))
    streamed.passes()
    streamed.peer.speak(streamed.edge)
    streamed.passes()
    expect(streamed.peer.heard).toEqual(["open 1"])
  })

  test("asks again when the proof got lost", () => {
    const streamed = new Streamed()
    streamed.passes()
    streamed.peer.session.nextMessage(1) // lost
    vi.advanceTimersByTime(1000)
    streamed.passes()
    streamed.peer.speak(streamed.edge)
    expect(streamed.carrier.ready).toBe(true)
  })

  test("leaves the one before alone until it is proven", () => {
    const before = new Streamed()
    const after = new Streamed(before.edge, before.peer)
    const ended = before.socket.text.endsWith("0\r\n\r\n")
    after.passes()
    after.peer.speak(after.edge)
    expect([ended, before.socket.text.endsWith("0\r\n\r\n")]).toEqual([false, true])
  })

  test("that its agent has left leaves no timer behind", () => {
    const streamed = new Streamed()
    streamed.carrier.lost()
    expect(vi.getTimerCount()).toBe(0)
  })

  test("has what it carried sent again on another when it is lost", () => {
    const streamed = new Streamed()
    streamed.passes()
    streamed.peer.speak(streamed.edge)
    streamed.edge.open(new FakeExchange("a"))
    streamed.edge.flush()
    streamed.carrier.lost()
    const next = new Streamed(streamed.edge, streamed.peer)
    next.passes()
    next.peer.speak(next.edge)
    next.passes()
    expect(next.peer.heard).toEqual(["open 1"])
  })
})

describe("a websocket", () => {
  /** Both ends of one, the agent's under the test's own control. */
  async function connected(edge: AgentSession): Promise<
    {
      readonly carrier: WebSocketCarrier
      readonly agent: WebSocket
      readonly received: Buffer[]
    } & AsyncDisposable
  > {
    const server = createServer()
    const websockets = new WebSocketServer({ noServer: true })
    const made = Promise.withResolvers<WebSocketCarrier>()
    server.on("upgrade", (request, socket: Socket, head) => {
      websockets.handleUpgrade(request, socket, head, (websocket) => {
        const carrier = new WebSocketCarrier(websocket, socket, edge, () => {})
        edge.attach(carrier)
        made.resolve(carrier)
      })
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const agent = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const received: Buffer[] = []
    agent.on("message", (bytes: Buffer) => received.push(bytes))
    agent.on("error", () => {})
    await once(agent, "open")
    const dispose = async (): Promise<void> => {
      agent.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
    return { carrier: await made.promise, agent, received, [Symbol.asyncDispose]: dispose }
  }

  test("is not trusted with anything before the agent has spoken on it", async () => {
    const edge = newSession()
    await using both = await connected(edge)
    edge.open(new FakeExchange("a"))
    edge.flush()
    expect([both.carrier.ready, both.received]).toEqual([false, []])
  })

  test("is answered at once when the agent has, and then carries", async () => {
    const edge = newSession()
    const peer = new AgentPeer()
    await using both = await connected(edge)
    edge.open(new FakeExchange("a"))
    both.agent.send(peer.session.ackMessage())
    await turnsUntil("the answer and the message", () => both.received.length === 2)
    for (const message of both.received) peer.session.receive(message)
    expect(peer.heard).toEqual(["open 1"])
  })

  test("sends nothing again that the agent's first word acknowledges", async () => {
    const edge = newSession()
    const peer = new AgentPeer()
    await using first = await connected(edge)
    first.agent.send(peer.session.ackMessage())
    await turnsUntil("the answer", () => first.received.length === 1)
    edge.open(new FakeExchange("a"))
    await turnsUntil("the message", () => first.received.length === 2)
    for (const message of first.received) peer.session.receive(message)
    first.agent.terminate()
    await turnsUntil("the loss", () => !edge.attached)
    await using second = await connected(edge)
    second.agent.send(peer.session.ackMessage())
    await turnsUntil("the answer", () => second.received.length === 1)
    expect([edge.session.hasOutput, edge.session.unacknowledgedBytes]).toEqual([false, 0])
  })

  test("that the agent's process ended is known to have ended in order", async () => {
    const edge = newSession()
    await using both = await connected(edge)
    both.agent.close(1000)
    await turnsUntil("the end", () => !edge.attached)
    expect(both.carrier.endedInOrder).toBe(true)
  })

  test("that a broken path ended is not", async () => {
    const edge = newSession()
    await using both = await connected(edge)
    const { _socket: socket } = both.agent as unknown as { _socket: Socket }
    socket.resetAndDestroy()
    await turnsUntil("the end", () => !edge.attached)
    expect(both.carrier.endedInOrder).toBe(false)
  })
})
