// A UDP flow towards real sockets: what the system says of datagrams that nobody takes, and what becomes of those that have no room.
import { createSocket, type Socket } from "node:dgram"
import { once } from "node:events"
import {
  framedDatagram,
  openKind,
  portHeadText,
  wireLimits,
  WindowBudget,
  type OpenFrame,
} from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { until } from "../../../../test/support/until.ts"
import type { ReplayOutcome } from "../../src/upstream/replay.ts"
import type { ReplyStream } from "../../src/upstream/reply-stream.ts"
import { UdpRelay } from "../../src/upstream/udp-relay.ts"

/** Of a flow whose server's name is looked up. */
const maxEarlyDatagrams = 16

test("a datagram that nobody takes is told of, one that comes later is answered in the same flow, and that is told once", async () => {
  const port = await closedUdpPort()
  await using flow = new Flow("127.0.0.1", port)
  flow.says("to nobody")
  await until("the first refusal", () => flow.told.length === 1)
  flow.says("again to nobody")
  await until("the second refusal", () => flow.told.length === 2)
  const server = await listening(port)
  server.on("message", (datagram, from) => server.send(datagram, from.port, from.address))
  for (const [index, datagram] of ["one", "two"].entries()) {
    flow.says(datagram)
    await until(`the answer to ${datagram}`, () => flow.answers.length === index + 1)
  }
  server.close()
  expect(flow.told).toEqual(["refused ECONNREFUSED", "refused ECONNREFUSED", "heard"])
  expect(flow.outcome).toBeUndefined()
})

test("a server that goes away in the middle of a flow is told of, and so is its return", async () => {
  const port = await closedUdpPort()
  await using flow = new Flow("127.0.0.1", port)
  for (const told of [1, 3]) {
    const server = await listening(port)
    server.on("message", (datagram, from) => server.send(datagram, from.port, from.address))
    flow.says("anybody there?")
    await until("that it answers", () => flow.told.length === told)
    const closed = once(server, "close")
    server.close()
    await closed
    flow.says("and now?")
    await until("that it is gone", () => flow.told.length === told + 1)
  }
  expect(flow.told).toEqual(["heard", "refused ECONNREFUSED", "heard", "refused ECONNREFUSED"])
})

test("a flow to where the system does not let us send is broken off with its error", async () => {
  await using flow = new Flow("255.255.255.255", 9)
  flow.says("to everybody")
  await until("its end", () => flow.outcome !== undefined)
  expect(flow.outcome).toEqual({ kind: "failed", code: "upstream_refused", detail: "EACCES" })
  expect(flow.said).toEqual(["TAKEN", "RESET upstream_refused"])
})

describe("dropped and counted is", () => {
  test("an answer beyond the credit of the flow", async () => {
    await using server = await answering(Buffer.alloc(60_000))
    await using flow = new Flow("127.0.0.1", server.port)
    const room = Math.floor(wireLimits.initialWindowBytes / 60_002)
    for (let count = 1; count <= room; count++) {
      flow.says("more")
      await until(`answer ${count}`, () => flow.answers.length === count)
    }
    flow.says("more")
    await until("the one without room", () => flow.dropped === 1)
    expect(flow.answers.length).toBe(room)
  })

  test("an answer that comes while the link's buffers are full", async () => {
    await using server = await answering(Buffer.from("answer"))
    await using flow = new Flow("127.0.0.1", server.port)
    flow.congested = true
    flow.says("now?")
    await until("it to be dropped", () => flow.dropped === 1)
    flow.congested = false
    flow.says("and now?")
    await until("the answer", () => flow.answers.length === 1)
    expect(flow.dropped).toBe(1)
  })

  test("what is too much to wait for the server's name", async () => {
    await using server = await answering(Buffer.from("answer"))
    await using flow = new Flow("localhost", server.port)
    for (let count = 0; count < maxEarlyDatagrams + 3; count++) flow.says("early")
    expect(flow.dropped).toBe(3)
    await until("answers to the others", () => flow.answers.length === maxEarlyDatagrams)
  })

  test("what still waited for the server's name when its client left", async () => {
    await using flow = new Flow("localhost", await closedUdpPort())
    for (let count = 0; count < 5; count++) flow.says("early")
    flow.ends()
    expect(flow.dropped).toBe(5)
  })
})

async function answering(answer: Buffer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = await listening(0)
  server.on("message", (_datagram, from) => server.send(answer, from.port, from.address))
  const { port } = server.address()
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, "close")
    },
  }
}

async function listening(port: number): Promise<Socket> {
  const socket = createSocket("udp4").bind(port, "127.0.0.1")
  await once(socket, "listening")
  return socket
}

async function closedUdpPort(): Promise<number> {
  const socket = await listening(0)
  const { port } = socket.address()
  socket.close()
  await once(socket, "close")
  return port
}

class Flow implements AsyncDisposable {
  readonly told: string[] = []
  readonly said: string[] = []
  readonly answers: Buffer[] = []
  outcome: ReplayOutcome | undefined
  /** Whether the link's buffers are full. */
  congested = false
  dropped = 0
  readonly #relay: UdpRelay

  constructor(host: string, port: number) {
    const { said, answers } = this
    const congested = (): boolean => this.congested
    const reply: ReplyStream = {
      get congested() {
        return congested()
      },
      taken: () => void said.push("TAKEN"),
      head: () => void said.push("HEAD"),
      timing: () => void said.push("TIMING"),
      data: (bytes) => void answers.push(bytes),
      end: () => void said.push("END"),
      reset: (code) => void said.push(`RESET ${code}`),
      window: () => void said.push("WINDOW"),
    }
    const ends = { client: { address: "203.0.113.17", port: 5 }, edge: { address: "198.51.100.7", port: 6 } }
    const head = portHeadText({ name: "20053", ...ends })
    const open = { kind: openKind.udp, exchangeId: "x", head, bodyFollows: true } as OpenFrame
    this.#relay = new UdpRelay(open, reply, {
      targetOf: () => ({
        host,
        port,
        upstream: `${host}:${port}`,
        windows: new WindowBudget(wireLimits.maxWindowBytes),
      }),
      now: () => 0,
      flows: {
        refused: (_flow, detail) => void this.told.push(`refused ${detail}`),
        dropped: (_flow, count) => void (this.dropped += count),
        heard: () => void this.told.push("heard"),
      },
      onSettled: (outcome) => (this.outcome = outcome),
    })
    this.#relay.start()
  }

  says(text: string): void {
    this.#relay.onData(framedDatagram(Buffer.from(text)))
  }

  ends(): void {
    this.#relay.onReset()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.ends()
    return Promise.resolve()
  }
}
