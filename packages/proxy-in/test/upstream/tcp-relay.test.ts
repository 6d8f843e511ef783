// An agent connects to what its own configuration says, whatever the edge's words are.
import { once } from "node:events"
import net, { type AddressInfo } from "node:net"
import { openKind, portHeadText, type OpenFrame } from "@restante/protocol"
import { expect, test } from "vitest"
import { PortTargets } from "../../src/port-targets.ts"
import { portMappings } from "../../src/ports.ts"
import { TcpRelay } from "../../src/upstream/tcp-relay.ts"
import { UpstreamPool } from "../../src/upstream/pool.ts"
import type { ReplayOutcome } from "../../src/upstream/replay.ts"
import type { ReplyStream } from "../../src/upstream/reply-stream.ts"

const ends = { client: { address: "203.0.113.17", port: 5 }, edge: { address: "198.51.100.7", port: 6 } }

function outcomeOf(head: string): { outcome: ReplayOutcome | undefined; said: string[] } {
  const clock = { now: (): number => 0 }
  const shared = new UpstreamPool({
    upstream: { kind: "tcp", host: "127.0.0.1", port: 9, tls: false, basePath: "", ca: undefined },
    clock,
  })
  const targets = new PortTargets({
    ports: portMappings([
      { kind: "tcp", port: 20_022, target: { kind: "place", host: "127.0.0.1", port: 9 } },
    ]),
    proxyProtocol: false,
    shared,
    clock,
  })
  const said: string[] = []
  const reply: ReplyStream = {
    congested: false,
    taken: () => void said.push("TAKEN"),
    head: () => void said.push("HEAD"),
    timing: () => void said.push("TIMING"),
    data: () => void said.push("DATA"),
    end: () => void said.push("END"),
    reset: (code) => void said.push(`RESET ${code}`),
    window: () => void said.push("WINDOW"),
  }
  let outcome: ReplayOutcome | undefined
  const open = { kind: openKind.tcp, exchangeId: "x", head, bodyFollows: true } as OpenFrame
  new TcpRelay(open, reply, {
    targetOf: (asked) => targets.tcp(asked),
    now: () => 0,
    onSettled: (settled) => (outcome = settled),
  }).start()
  return { outcome, said }
}

test("a port that it does not serve is refused before anything is begun", () => {
  expect(outcomeOf(portHeadText({ name: "20023", ...ends }))).toEqual({
    outcome: { kind: "failed", code: "request_rejected", detail: "no such port" },
    said: ["RESET request_rejected"],
  })
})

test("a head that names an address of the inside reaches nothing there", async () => {
  let reached = 0
  const inside = net.createServer(() => reached++).listen(0, "127.0.0.1")
  await once(inside, "listening")
  const { port } = inside.address() as AddressInfo
  const heads = [
    `127.0.0.1:${port} 203.0.113.17 5 198.51.100.7 6\r\n\r\n`,
    portHeadText({ name: String(port), ...ends }),
    portHeadText({ name: "20022", client: { address: "127.0.0.1", port }, edge: ends.edge }).replace(
      "20022",
      `${port}`,
    ),
  ]
  const answers = heads.map((head) => outcomeOf(head).said)
  inside.close()
  await once(inside, "close")
  expect([answers, reached]).toEqual([heads.map(() => ["RESET request_rejected"]), 0])
})
