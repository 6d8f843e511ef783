// What an operator sees of connections and flows at ports, and how many of them one address may have.
import { readFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { echoBytes, startTcpPair, TcpEnd, tcpServer } from "../support/tcp.ts"
import { startUdpPair, udpSocket } from "../support/udp.ts"
import { until } from "../support/until.ts"

/** Samples of the port's metrics by name and the labels that are not the place. */
async function seenAt(url: string): Promise<Readonly<Record<string, number>>> {
  const { text } = await fetchWhole(`${url}/.restante/metrics`)
  const samples = [...text.matchAll(/^restante_port_(\w+)\{(.*)\} (\d+)$/gm)].map(
    ([, name = "", labels = "", value]) => {
      const own = [...labels.matchAll(/(\w+)="(\w+)"/g)].filter(
        ([, label = ""]) => !["kind", "port", "tunnel"].includes(label),
      )
      return [[name, ...own.map(([, , label]) => label)].join(" "), Number(value)]
    },
  )
  return Object.fromEntries(samples) as Record<string, number>
}

async function entries(path: string, count: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return until(`${count} lines`, async () => {
    const lines = (await readFile(path, "utf8").catch(() => "")).split("\n").slice(0, -1)
    return lines.length < count
      ? undefined
      : lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  })
}

test("a TCP connection is counted while it is open, with its bytes, and by its end", async () => {
  await using server = await tcpServer(echoBytes)
  await using pair = await startTcpPair({ target: `127.0.0.1:${server.port}` })
  using client = await TcpEnd.to(pair.port)
  client.socket.write("twelve bytes")
  await client.hears("twelve bytes")
  expect(await seenAt(pair.edge.url)).toMatchObject({
    ...{ "connections running": 1, "connections waiting": 0, connections_total: 1 },
    ...{ "bytes_total in": 12, "bytes_total out": 12, "connections_ended_total closed": 0 },
  })
  client.socket.end()
  await until("the end", () => client.closed)
  const seen = await until("it to be over", async () => {
    const now = await seenAt(pair.edge.url)
    return now["connections running"] === 0 ? now : undefined
  })
  expect(seen).toMatchObject({
    ...{ connections_total: 1, "bytes_total in": 12, "bytes_total out": 12 },
    ...{ "connections_ended_total closed": 1, "connections_ended_total left": 0 },
  })
})

test("the status lists a tunnel's open ports with what goes on there", async () => {
  await using server = await tcpServer(echoBytes)
  await using pair = await startTcpPair({ target: `127.0.0.1:${server.port}` })
  using client = await TcpEnd.to(pair.port)
  client.socket.write("x")
  await client.hears("x")
  const { text } = await fetchWhole(`${pair.edge.url}/.restante/v1/status`)
  expect(JSON.parse(text)).toMatchObject({
    tunnels: [
      {
        tunnel: "default",
        ports: [{ kind: "tcp", port: pair.port, running: 1, waiting: 0, accepted: 1, refused: 0 }],
      },
    ],
  })
})

test("every TCP connection has a line in the access log when it is over, with the private server's fault", async () => {
  await using folder = await temporaryFolder()
  const log = join(folder.path, "access.log")
  await using server = await tcpServer(echoBytes)
  await using pair = await startTcpPair({
    target: `127.0.0.1:${server.port}`,
    edgeArgs: ["--access-log", "json", "--access-log-file", log],
  })
  using first = await TcpEnd.to(pair.port)
  first.socket.end("hello")
  await until("the end", () => first.closed)
  await server[Symbol.asyncDispose]()
  using second = await TcpEnd.to(pair.port)
  await second.isReset()
  const place = { kind: "tcp", tunnel: "default", port: pair.port, client: "127.0.0.1", attempt: 1 }
  expect(await entries(log, 2)).toMatchObject([
    { ...place, outcome: "closed", requestBytes: 5, responseBytes: 5 },
    { ...place, outcome: "broken", error: "upstream_refused", requestBytes: 0, responseBytes: 0 },
  ])
})

test("one address has no more TCP connections than it may, and another still comes in", async () => {
  await using folder = await temporaryFolder()
  const log = join(folder.path, "access.log")
  await using server = await tcpServer(echoBytes)
  await using pair = await startTcpPair({
    target: `127.0.0.1:${server.port}`,
    edgeArgs: ["--max-per-address", "2", "--access-log", "json", "--access-log-file", log],
  })
  using first = await TcpEnd.to(pair.port)
  using second = await TcpEnd.to(pair.port)
  using third = await TcpEnd.to(pair.port)
  await third.isReset()
  using other = new TcpEnd(connect({ port: pair.port, host: "127.0.0.1", localAddress: "127.0.0.2" }))
  for (const end of [first, second, other]) {
    end.socket.write("still here")
    await end.hears("still here")
  }
  expect((await seenAt(pair.edge.url))["refused_total address_full"]).toBe(1)
  expect(await entries(log, 1)).toMatchObject([
    { outcome: "refused", error: "address_full", client: "127.0.0.1", port: pair.port },
  ])
})

test("a port that is full refuses the next, until one of its connections is over", async () => {
  await using server = await tcpServer(echoBytes)
  await using pair = await startTcpPair({
    target: `127.0.0.1:${server.port}`,
    edgeArgs: ["--max-connections", "1"],
  })
  using first = await TcpEnd.to(pair.port)
  using second = await TcpEnd.to(pair.port)
  await second.isReset()
  expect((await seenAt(pair.edge.url))["refused_total port_full"]).toBe(1)
  first.socket.end()
  await until("room", async () => (await seenAt(pair.edge.url))["connections running"] === 0)
  using third = await TcpEnd.to(pair.port)
  third.socket.write("in")
  await third.hears("in")
})

test("what waits beyond --max-queue is refused as such", async () => {
  await using server = await tcpServer(echoBytes)
  await using pair = await startTcpPair({
    target: `127.0.0.1:${server.port}`,
    edgeArgs: ["--max-queue", "1"],
  })
  await pair.agent[Symbol.asyncDispose]()
  using waits = await TcpEnd.to(pair.port)
  using next = await TcpEnd.to(pair.port)
  await next.isReset()
  expect(await seenAt(pair.edge.url)).toMatchObject({
    ...{ "connections waiting": 1, "refused_total queue_full": 1 },
  })
  expect(waits.closed).toBe(false)
})

test("a UDP flow is counted with its bytes, and has a line in the access log when its client falls silent", async () => {
  await using folder = await temporaryFolder()
  const log = join(folder.path, "access.log")
  await using server = await udpSocket((datagram, from, socket) => {
    socket.send(Buffer.concat([datagram, datagram]), from.port, from.address)
  })
  await using pair = await startUdpPair({
    targetPort: server.port,
    edgeArgs: ["--udp-timeout", "1s", "--access-log", "json", "--access-log-file", log],
  })
  await using client = await udpSocket()
  client.socket.send("ten bytes.", pair.port, "127.0.0.1")
  await until("the answer", () => client.heard.length === 1)
  expect(await seenAt(pair.edge.url)).toMatchObject({
    ...{ "connections running": 1, "bytes_total in": 10, "bytes_total out": 20 },
  })
  const [line] = await entries(log, 1)
  expect(line).toMatchObject({
    ...{ kind: "udp", tunnel: "default", port: pair.port, client: "127.0.0.1", clientPort: client.port },
    ...{ outcome: "silent", requestBytes: 10, responseBytes: 20 },
  })
  expect(await seenAt(pair.edge.url)).toMatchObject({
    ...{ "connections running": 0, "connections_ended_total silent": 1, dropped_datagrams_total: 0 },
  })
})

test("one address has no more UDP flows than it may, and another still gets answers", async () => {
  await using server = await udpSocket((datagram, from, socket) => {
    socket.send(datagram, from.port, from.address)
  })
  await using pair = await startUdpPair({ targetPort: server.port, edgeArgs: ["--max-per-address", "1"] })
  await using first = await udpSocket()
  await using second = await udpSocket()
  await using other = await udpSocket(undefined, "127.0.0.2")
  first.socket.send("first", pair.port, "127.0.0.1")
  await until("the first answer", () => first.heard.length === 1)
  second.socket.send("second", pair.port, "127.0.0.1")
  await until("the refusal", async () => (await seenAt(pair.edge.url))["refused_total address_full"] === 1)
  other.socket.send("other", pair.port, "127.0.0.1")
  await until("the other's answer", () => other.heard.length === 1)
  expect([second.heard.length, server.heard.map(String)]).toEqual([0, ["first", "other"]])
})
