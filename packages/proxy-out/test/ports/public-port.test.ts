// What is counted of a port: nothing while it cannot be opened, as the places of a monitoring system are few.
import dgram from "node:dgram"
import { once } from "node:events"
import net from "node:net"
import type { AddressInfo } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { CountsByPort } from "../../src/observe/counts-by-port.ts"
import { PortStreams } from "../../src/ports/port-streams.ts"
import type { PublicPort } from "../../src/ports/public-port.ts"
import { TcpPort } from "../../src/ports/tcp-port.ts"
import { UdpPort } from "../../src/ports/udp-port.ts"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"

const kinds = ["tcp", "udp"] as const

test.each(kinds)("a %s port that another program has is counted nowhere", async (kind) => {
  const taken = await (kind === "tcp" ? takenTcpPort() : takenUdpPort())
  const counts = new CountsByPort((tunnel) => tunnel)
  await expect(portOf(kind, taken, counts).open("127.0.0.1", taken)).rejects.toMatchObject({
    code: "EADDRINUSE",
  })
  expect([...counts]).toEqual([])
})

test.each(kinds)("a %s port has its counts as soon as it is open", async (kind) => {
  const counts = new CountsByPort((tunnel) => tunnel)
  const port = portOf(kind, 0, counts)
  onTestFinished(() => port.close())
  const traffic = await port.open("127.0.0.1", 0)
  expect([...counts]).toEqual([{ kind, tunnel: "shop", port: "0", traffic }])
})

async function takenTcpPort(): Promise<number> {
  const other = net.createServer().listen(0, "127.0.0.1")
  onTestFinished(() => void other.close())
  await once(other, "listening")
  return (other.address() as AddressInfo).port
}

async function takenUdpPort(): Promise<number> {
  const other = dgram.createSocket("udp4").bind(0, "127.0.0.1")
  onTestFinished(() => void other.close())
  await once(other, "listening")
  return other.address().port
}

function portOf(kind: "tcp" | "udp", port: number, counts: CountsByPort): PublicPort {
  const clock = { now: (): number => 0 }
  const Port = kind === "tcp" ? TcpPort : UdpPort
  return new Port({
    kind,
    tunnel: "shop",
    port,
    owner: "edge",
    queue: `shop/${kind}/${port}`,
    name: `${port}`,
    streams: new PortStreams({ broker: new MemoryBroker(), clock, holdMs: 1000, maxQueue: 10 }),
    limits: { most: 1, mostPerAddress: 1 },
    observer: {
      trafficOf: (place) => counts.of(place),
      settledAtPort: () => undefined,
      refusedAtPort: () => undefined,
    },
    flowMs: 1000,
    clock,
  })
}
