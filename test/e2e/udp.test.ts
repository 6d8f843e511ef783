// Datagrams through a UDP port of the edge: whole, to the right client and to nobody else.
import { randomBytes } from "node:crypto"
import { describe, expect, test } from "vitest"
import { transports } from "../support/pair.ts"
import { startUdpPair, udpSocket } from "../support/udp.ts"
import { until } from "../support/until.ts"

/**
 * On a machine that is too slow for the rate, the flow slows down like what a WireGuard carries: no more than this many datagrams are
 * under way, unless nothing has come for a while.
 */
const mostUnderWay = 64
const silenceMs = 500

describe.each(transports)("over %s", (transport) => {
  test("datagrams of every size arrive whole, and so do the answers", async () => {
    await using server = await udpSocket((datagram, from, socket) => {
      socket.send(datagram, from.port, from.address)
    })
    await using pair = await startUdpPair({ targetPort: server.port, transport })
    await using client = await udpSocket()
    for (const [index, bytes] of [0, 1, 512, 1420, 9000, 65_507].entries()) {
      const datagram = randomBytes(bytes)
      client.socket.send(datagram, pair.port, "127.0.0.1")
      const answer = await until(`the answer of ${bytes} bytes`, () => client.heard[index])
      expect(answer.equals(datagram)).toBe(true)
    }
  })

  test("every client has an address of its own at the server, and gets its own answers", async () => {
    const addresses = new Set<number>()
    await using server = await udpSocket((datagram, from, socket) => {
      addresses.add(from.port)
      socket.send(`to ${String(datagram)}`, from.port, from.address)
    })
    await using pair = await startUdpPair({ targetPort: server.port, transport })
    await using first = await udpSocket()
    await using second = await udpSocket()
    for (const [client, name] of [
      [first, "first"],
      [second, "second"],
    ] as const) {
      client.socket.send(name, pair.port, "127.0.0.1")
      await until(`the answer to ${name}`, () => client.heard.length > 0)
    }
    expect([first.heard.map(String), second.heard.map(String), addresses.size]).toEqual([
      ["to first"],
      ["to second"],
      2,
    ])
  })

  test(
    "a flow as of WireGuard, 2,000 datagrams of 1,420 bytes a second both ways, loses fewer than one in a hundred",
    { timeout: 60_000 },
    async () => {
      await using server = await udpSocket((datagram, from, socket) => {
        socket.send(datagram, from.port, from.address)
      })
      await using pair = await startUdpPair({ targetPort: server.port, transport })
      await using client = await udpSocket()
      const count = 10_000
      const startedAt = performance.now()
      let sent = 0
      let lost = 0
      let [heard, heardAt] = [0, startedAt]
      while (sent < count) {
        const now = performance.now()
        if (client.heard.length > heard) [heard, heardAt] = [client.heard.length, now]
        else if (now - heardAt > silenceMs) [lost, heardAt] = [sent - heard, now]
        const due = Math.min(count, Math.floor((now - startedAt) * 2), heard + lost + mostUnderWay)
        for (; sent < due; sent++) {
          const datagram = Buffer.alloc(1420, sent)
          datagram.writeUInt32BE(sent)
          client.socket.send(datagram, pair.port, "127.0.0.1")
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await until("nearly all of them", () => client.heard.length > count * 0.99)
      const numbers = client.heard.map((datagram) => datagram.readUInt32BE())
      const late = numbers.filter((number, index) => index > 0 && number < (numbers[index - 1] ?? 0)).length
      expect([
        new Set(numbers).size === numbers.length,
        late,
        client.heard.every((datagram) => datagram.length === 1420),
      ]).toEqual([true, 0, true])
    },
  )
})

test("a client that is silent for long is forgotten, and comes to the server anew", async () => {
  const addresses = new Set<number>()
  await using server = await udpSocket((datagram, from, socket) => {
    addresses.add(from.port)
    socket.send(datagram, from.port, from.address)
  })
  await using pair = await startUdpPair({ targetPort: server.port, edgeArgs: ["--udp-timeout", "1s"] })
  await using client = await udpSocket()
  client.socket.send("one", pair.port, "127.0.0.1")
  await until("the first answer", () => client.heard.length === 1)
  await until("the flow to be over", async () => (await pair.agent.status()).requests.active === 0)
  client.socket.send("two", pair.port, "127.0.0.1")
  await until("the second answer", () => client.heard.length === 2)
  expect(addresses.size).toBe(2)
})

test("a server that does not run is told of once and counted, and the flow reaches it as soon as it does", async () => {
  const former = await udpSocket()
  await former[Symbol.asyncDispose]()
  await using pair = await startUdpPair({ targetPort: former.port })
  await using client = await udpSocket()
  for (const count of [1, 2, 3]) {
    client.socket.send("anybody there?", pair.port, "127.0.0.1")
    await until(`${count} refused`, async () => {
      const { counters } = await pair.agent.status()
      return counters.refusedDatagrams["auto"] === count
    })
  }
  await using server = await udpSocket(
    (datagram, from, socket) => socket.send(datagram, from.port, from.address),
    "127.0.0.1",
    former.port,
  )
  client.socket.send("and now?", pair.port, "127.0.0.1")
  await until("the answer", () => client.heard.length === 1)
  const { program } = pair.agent
  await until("the return to be told", () => program.hasLogged("upstream up"))
  const told = program.logged.filter((line) => line.includes("--udp auto"))
  expect(told.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      msg: "upstream down",
      remedy: `Nothing listens at 127.0.0.1:${server.port}: start the server or change --udp auto.`,
    }),
    expect.objectContaining({ msg: "upstream up", failed: 3 }),
  ])
  expect(await pair.agent.status()).toMatchObject({ requests: { active: 1, served: 0, failed: 0 } })
})
