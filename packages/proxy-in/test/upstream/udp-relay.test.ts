// A UDP flow towards real sockets: what the system says of datagrams that nobody takes.
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
import { expect, test } from "vitest"
import { until } from "../../../../test/support/until.ts"
import type { ReplayOutcome } from "../../src/upstream/replay.ts"
import type { ReplyStream } from "../../src/upstream/reply-stream.ts"
import { UdpRelay } from "../../src/upstream/udp-relay.ts"

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
  readonly #relay: UdpRelay

  constructor(host: string, port: number) {
    const { said, answers } = this
    const reply: ReplyStream = {
      congested: false,
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
        heard: () => void this.told.push("heard"),
      },
      onSettled: (outcome) => (this.outcome = outcome),
    })
    this.#relay.start()
  }

  says(text: string): void {
    this.#relay.onData(framedDatagram(Buffer.from(text)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#relay.onReset()
    return Promise.resolve()
  }
}
