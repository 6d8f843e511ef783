// The socket of a UDP port: what an edge is left with when it cannot have the port.
import dgram from "node:dgram"
import { once } from "node:events"
import { readdir } from "node:fs/promises"
import { expect, test } from "vitest"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import { PortStreams } from "../../src/ports/port-streams.ts"
import { PortTraffic } from "../../src/ports/port-traffic.ts"
import { UdpPort } from "../../src/ports/udp-port.ts"
import { until } from "../../../../test/support/until.ts"

const attempts = 50

test("a port that another program has costs the edge no open file, however often it is asked for", async () => {
  const other = dgram.createSocket("udp4")
  other.bind(0, "127.0.0.1")
  await once(other, "listening")
  const { port } = other.address()
  const before = await openFiles()
  const refusals: unknown[] = []
  for (let attempt = 0; attempt < attempts; attempt++)
    await udpPort(port)
      .open("127.0.0.1", port)
      .catch((error: unknown) => refusals.push(error))
  expect([refusals.length, refusals[0]]).toEqual([attempts, expect.objectContaining({ code: "EADDRINUSE" })])
  await until("its sockets to be closed", async () => (await openFiles()) < before + attempts / 2)
  other.close()
})

async function openFiles(): Promise<number> {
  return (await readdir("/proc/self/fd")).length
}

function udpPort(port: number): UdpPort {
  const clock = { now: (): number => 0 }
  return new UdpPort({
    kind: "udp",
    tunnel: "shop",
    port,
    owner: "edge",
    queue: `shop/udp/${port}`,
    name: `${port}`,
    streams: new PortStreams({ broker: new MemoryBroker(), clock, holdMs: 1000, maxQueue: 10 }),
    limits: { most: 1, mostPerAddress: 1 },
    observer: {
      trafficOf: () => new PortTraffic(),
      settledAtPort: () => undefined,
      refusedAtPort: () => undefined,
    },
    flowMs: 1000,
    clock,
  })
}
