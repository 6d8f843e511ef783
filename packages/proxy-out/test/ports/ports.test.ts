// Which port a tunnel gets: what is asked for, what the operator opens, what the token allows, and what others have.
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import { parsePortRange } from "../../src/ports/port-range.ts"
import { PortStreams } from "../../src/ports/port-streams.ts"
import { Ports, queueOf } from "../../src/ports/ports.ts"
import type { PortGrant } from "../../src/ports/ports.ts"
import { PortTraffic } from "../../src/ports/port-traffic.ts"
import type { PublicPort } from "../../src/ports/public-port.ts"
import { recordedLog } from "../support/log.ts"

const keepMs = 1000

/** Ports that are only noted: those in `busy` belong to somebody else on this machine. */
class Desk {
  readonly open = new Set<number>()
  readonly #busy: readonly number[]
  readonly ports: Ports

  constructor(ranges: string, busy: readonly number[] = []) {
    this.#busy = busy
    const clock = { now: (): number => 0 }
    const streams = new PortStreams({ broker: new MemoryBroker(), clock, holdMs: 1000, maxQueue: 10 })
    this.ports = new Ports({
      edgeId: "edge",
      host: "127.0.0.1",
      ranges: { tcp: ranges.split(",").map((range) => parsePortRange(range)!), udp: [] },
      streams: { tcp: streams, udp: streams },
      limits: { most: 1, mostPerAddress: 1 },
      observer: {
        trafficOf: () => new PortTraffic(),
        settledAtPort: () => undefined,
        refusedAtPort: () => undefined,
      },
      flowMs: 1000,
      keepMs,
      make: { tcp: () => this.#make(), udp: () => this.#make() },
      clock,
      log: recordedLog().log,
    })
  }

  async asks(
    tunnel: string,
    port: number,
    allowance = ["*"],
    name = port === 0 ? "auto" : `${port}`,
  ): Promise<PortGrant> {
    return this.ports.claim({ tunnel, ports: [{ kind: "tcp", name, port }], allowance })
  }

  looks(tunnel: string, numbers: readonly number[], allowance = ["*"]): PortGrant {
    const ports = numbers.map((port, index) => ({
      kind: "tcp" as const,
      name: port === 0 ? `auto-${index + 1}` : `${port}`,
      port,
    }))
    return this.ports.examine({ tunnel, ports, allowance })
  }

  #make(): PublicPort {
    let number = 0
    return {
      open: (_host, port) => {
        if (this.#busy.includes(port))
          return Promise.reject(Object.assign(new Error(), { code: "EADDRINUSE" }))
        number = port
        this.open.add(port)
        return Promise.resolve(new PortTraffic())
      },
      close: () => void this.open.delete(number),
    }
  }
}

const portOf = (grant: PortGrant): number | undefined =>
  grant.kind === "granted" ? grant.ports[0]?.port : undefined

describe("a tunnel", () => {
  test("gets the port that it asks for", async () => {
    const desk = new Desk("20000-20010")
    expect([portOf(await desk.asks("shop", 20_005)), [...desk.open]]).toEqual([20_005, [20_005]])
  })

  test("that leaves the choice to the edge gets the same port whenever it asks, also of another edge", async () => {
    const here = new Desk("20000-20999")
    const there = new Desk("20000-20999")
    const first = portOf(await here.asks("shop", 0))
    expect([portOf(await here.asks("shop", 0)), portOf(await there.asks("shop", 0))]).toEqual([first, first])
  })

  test("is given another one when its own is taken by a program of this machine", async () => {
    const own = portOf(await new Desk("20000-20999").asks("shop", 0)) ?? 0
    const desk = new Desk("20000-20999", [own])
    expect(portOf(await desk.asks("shop", 0))).toBe(own === 20_999 ? 20_000 : own + 1)
  })

  test("is chosen a port that its token allows", async () => {
    const desk = new Desk("20000-20999,21500")
    expect(portOf(await desk.asks("shop", 0, ["udp:*", "tcp:20007"]))).toBe(20_007)
    expect(portOf(await desk.asks("shop", 0, ["tcp:21000-21999"], "auto-2"))).toBe(21_500)
  })

  test("whose second port is refused does not keep the first", async () => {
    const desk = new Desk("20000-20010")
    const grant = await desk.ports.claim({
      tunnel: "shop",
      allowance: ["*"],
      ports: [
        { kind: "tcp", name: "20001", port: 20_001 },
        { kind: "tcp", name: "22", port: 22 },
      ],
    })
    expect([grant.kind, [...desk.open]]).toEqual(["refused", []])
  })

  test.each([
    [22, ["*"], "tcp 22: this edge opens 20000, ask for one of these or for auto"],
    [
      20_000,
      [],
      "tcp 20000: the token allows no tcp ports: ask for one that it allows, or for another token (proxy-out token create --tcp)",
    ],
    [
      20_000,
      ["tcp:1-9", "tcp:12"],
      "tcp 20000: the token allows tcp ports 1-9, 12: ask for one that it allows, or for another token (proxy-out token create --tcp)",
    ],
    [
      0,
      ["tcp:22"],
      "tcp auto: this edge opens 20000, and the token allows tcp ports 22: ask for one that it allows, or for another token (proxy-out token create --tcp)",
    ],
  ])("that asks for %i with %j is told why not, also who only looks", async (port, allowance, reason) => {
    const desk = new Desk("20000")
    const refused = { kind: "refused", reason }
    expect(await desk.asks("shop", port, allowance)).toEqual(refused)
    expect(desk.looks("shop", [port], allowance)).toEqual(refused)
  })

  test("that asks for a port of another program is told so", async () => {
    expect(await new Desk("20000", [20_000]).asks("shop", 20_000)).toEqual({
      kind: "refused",
      reason: "tcp 20000: another program of the edge's machine has it, ask for another one",
    })
  })

  test("is told when every port is taken", async () => {
    const desk = new Desk("20000-20001")
    for (const tunnel of ["one", "two"]) await desk.asks(tunnel, 0)
    expect(await desk.asks("three", 0)).toEqual({
      kind: "refused",
      reason: "tcp auto: every port of 20000-20001 is taken",
    })
  })
})

describe("who only looks", () => {
  test("is told which port it would get, and has none opened", async () => {
    const desk = new Desk("20000-20999")
    const looked = portOf(desk.looks("shop", [0]))
    expect([...desk.open]).toEqual([])
    expect(portOf(await desk.asks("shop", 0, ["*"], "auto-1"))).toBe(looked)
  })

  test("sees the tunnel's own open port as its own, and another's as taken", async () => {
    const desk = new Desk("20000-20999")
    await desk.asks("shop", 20_005)
    expect([desk.looks("shop", [20_005]), desk.looks("blog", [20_005])]).toEqual([
      { kind: "granted", ports: [{ kind: "tcp", name: "20005", port: 20_005 }] },
      { kind: "refused", reason: "tcp 20005: another tunnel has it already, ask for another one" },
    ])
  })

  test("is not promised one port twice", () => {
    const desk = new Desk("20000-20001")
    expect([desk.looks("shop", [0, 0]), desk.looks("shop", [0, 0, 0])]).toEqual([
      { kind: "granted", ports: expect.arrayContaining([expect.objectContaining({ port: 20_000 })]) },
      { kind: "refused", reason: "tcp auto: every port of 20000-20001 is taken" },
    ])
  })

  test("is told that the tunnel would have too many, those that are open included", async () => {
    const desk = new Desk("20000-20999")
    for (let port = 20_000; port < 20_060; port++) await desk.asks("shop", port)
    const more = [20_060, 20_061, 20_062, 20_063]
    expect([desk.looks("shop", more).kind, desk.looks("shop", [...more, 20_064])]).toEqual([
      "granted",
      expect.objectContaining({
        reason: expect.stringMatching(/^tcp 20064: the tunnel has 64 ports already/),
      }),
    ])
  })
})

test("two tunnels that ask at the same moment get different ports", async () => {
  const desk = new Desk("20000-20001")
  const grants = await Promise.all([desk.asks("one", 0), desk.asks("two", 0)])
  expect(new Set(grants.map((grant) => portOf(grant))).size).toBe(2)
})

test("a port that is granted again just before its time runs out stays open", async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const desk = new Desk("20000-20010")
  await desk.asks("shop", 20_000)
  await vi.advanceTimersByTimeAsync(keepMs - 1)
  await desk.asks("shop", 20_000)
  await vi.advanceTimersByTimeAsync(keepMs - 1)
  expect([...desk.open]).toEqual([20_000])
  await vi.advanceTimersByTimeAsync(1)
  expect([...desk.open]).toEqual([])
})

test("the queue of a port is neither that of the tunnel's requests nor of another port", () => {
  const queues = [
    queueOf("shop", { kind: "tcp", name: "22" }),
    queueOf("shop", { kind: "udp", name: "22" }),
    "shop",
  ]
  expect(new Set(queues).size).toBe(3)
})
