// Ports of the edge when the edge, a permission, or a UDP flow's way goes away and comes back.
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { proxyOut } from "../support/edge-command.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startAgent, startEdge, transports } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { Wire } from "../support/relay.ts"
import { echoBytes, portOf, somePorts, TcpEnd, tcpServer } from "../support/tcp.ts"
import { udpSocket, type UdpSocket } from "../support/udp.ts"
import { passTime, until } from "../support/until.ts"

function echoDatagrams(): Promise<UdpSocket> {
  return udpSocket((datagram, from, socket) => socket.send(datagram, from.port, from.address))
}

/** Asks until the answer is there, as who speaks UDP does. */
async function asks({ socket, heard }: UdpSocket, port: number, question: string): Promise<void> {
  await until(`the answer to ${question}`, () => {
    const answered = heard.some((datagram) => String(datagram) === question)
    if (!answered) socket.send(question, port, "127.0.0.1")
    return answered
  })
}

test("an edge that starts anew opens its agents' ports again, the same ones", async () => {
  await using server = await tcpServer(echoBytes)
  await using folder = await temporaryFolder()
  const options = { args: ["--tcp-ports", somePorts()], dataDir: folder.path }
  const first = await startEdge(options)
  await using agent = await startAgent({
    external: first.url,
    args: ["--tcp", `auto=127.0.0.1:${server.port}`],
  })
  await agent.attached()
  const port = await portOf(agent)
  await first[Symbol.asyncDispose]()
  await using second = await startEdge({ ...options, port: first.port })
  using client = await until("the port to be open again", () => TcpEnd.to(port).catch(() => undefined))
  client.socket.end("through the new one")
  await client.hears("through the new one")
  expect(second.program.hasLogged(`"port":${port},"msg":"port opened"`)).toBe(true)
})

test("an agent whose token no longer allows its port loses what runs there, and is told", async () => {
  await using server = await tcpServer(echoBytes)
  await using folder = await temporaryFolder()
  const port = somePorts(1).split("-")[0] ?? ""
  const made = await proxyOut("token", "create", "office", "--data-dir", folder.path, "--tcp", port)
  await using edge = await startEdge({ dataDir: folder.path, args: ["--tcp-ports", port] })
  await until("the edge to know it", () => edge.program.hasLogged('"tokens":1'))
  const token = made.stdout.trim()
  await using agent = await startAgent({
    external: edge.url,
    token,
    args: ["--tcp", `${port}=127.0.0.1:${server.port}`],
  })
  await agent.attached()
  using client = await TcpEnd.to(Number(port))
  client.socket.write("x")
  await client.hears("x")
  const file = join(folder.path, "tokens.json")
  await writeFile(file, (await readFile(file, "utf8")).replace(`tcp:${port}`, "tcp:1"))
  await until("the refusal", () => agent.program.hasLogged("the token allows tcp ports 1:"))
  await client.isReset()
  expect(client.text).toBe("x")
})

test.each(transports)(
  "a UDP flow goes on after its agent's network was away, over %s",
  { timeout: 60_000 },
  async (transport) => {
    await using server = await echoDatagrams()
    await using edge = await startEdge({ args: ["--udp-ports", somePorts()] })
    await using wire = await Wire.to(edge.port)
    const args = ["--udp", `auto=127.0.0.1:${server.port}`]
    await using agent = await startAgent({ external: wire.url, transport, args })
    await agent.attached()
    const port = await portOf(agent, "udp")
    await using client = await udpSocket()
    await asks(client, port, "before")
    for (let cut = 0; cut < 3; cut++) {
      wire.cut()
      await passTime(500)
      wire.mend()
      await asks(client, port, `after ${cut}`)
    }
    const everybody = new Set(server.from)
    expect(everybody.size).toBe(1)
  },
)

test("a UDP port leads to an agent at another edge of the same Redis", async () => {
  await using redis = await startRedis()
  await using server = await echoDatagrams()
  const args = ["--udp-ports", somePorts(), "--redis", redis.url]
  await using near = await startEdge({ args })
  await using far = await startEdge({ args })
  const agentArgs = ["--udp", `auto=127.0.0.1:${server.port}`]
  const opener = await startAgent({ external: near.url, args: agentArgs })
  await opener.attached()
  const port = await portOf(opener, "udp")
  await opener[Symbol.asyncDispose]()
  await using agent = await startAgent({ external: far.url, args: agentArgs })
  await agent.attached()
  await using client = await udpSocket()
  await asks(client, port, "from one edge to the other")
  expect(server.heard.map(String)).toContain("from one edge to the other")
})
