// What becomes of connections at a port when something goes away: the agent's network, the agent, its permission.
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { startAgent, startEdge, transports } from "../support/pair.ts"
import { proxyOut } from "../support/edge-command.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startRedis } from "../support/redis.ts"
import { Wire } from "../support/relay.ts"
import { echoBytes, portOf, somePorts, startTcpPair, TcpEnd, tcpServer } from "../support/tcp.ts"
import { passTime, until } from "../support/until.ts"

describe.each(transports)("over %s", { concurrent: true, timeout: 120_000 }, (transport) => {
  test("a network that is cut again and again loses no byte of an echo and doubles none", async () => {
    await using server = await tcpServer(echoBytes)
    await using edge = await startEdge({ args: ["--tcp-ports", somePorts()] })
    await using wire = await Wire.to(edge.port)
    await using agent = await startAgent({
      external: wire.url,
      transport,
      args: ["--tcp", `auto=127.0.0.1:${server.port}`],
    })
    await agent.attached()
    using client = await TcpEnd.to(await portOf(agent))
    const sent = await echoThroughCuts(client, wire)
    expect(client.heard.equals(sent)).toBe(true)
  })

  test("the same with the port at one edge and the agent at another of the same Redis", async () => {
    await using redis = await startRedis()
    await using server = await tcpServer(echoBytes)
    const args = ["--tcp-ports", somePorts(), "--redis", redis.url]
    await using near = await startEdge({ args })
    await using far = await startEdge({ args })
    await using wire = await Wire.to(far.port)
    const agentArgs = ["--tcp", `auto=127.0.0.1:${server.port}`]
    const opener = await startAgent({ external: near.url, transport, args: agentArgs })
    await opener.attached()
    const port = await portOf(opener)
    await opener[Symbol.asyncDispose]()
    await using agent = await startAgent({ external: wire.url, transport, args: agentArgs })
    await agent.attached()
    using client = await TcpEnd.to(port)
    const sent = await echoThroughCuts(client, wire)
    expect(client.heard.equals(sent)).toBe(true)
  })

  test("what connects while the agent is away is served by the next one, with all it has said", async () => {
    await using server = await tcpServer(echoBytes)
    await using edge = await startEdge({ args: ["--tcp-ports", somePorts()] })
    const options = {
      external: edge.url,
      transport,
      args: ["--tcp", `auto=127.0.0.1:${server.port}`],
    }
    const first = await startAgent(options)
    await first.attached()
    const port = await portOf(first)
    await first[Symbol.asyncDispose]()
    using client = await TcpEnd.to(port)
    client.socket.end("are you there?")
    await passTime(500)
    expect([client.text, client.error]).toEqual(["", undefined])
    await using second = await startAgent(options)
    await until("the answer", () => client.ended)
    expect([client.text, await portOf(second)]).toEqual(["are you there?", port])
  })

  test("an agent that dies breaks what it had begun, at both ends", async () => {
    await using server = await tcpServer(() => undefined)
    await using edge = await startEdge({ args: ["--tcp-ports", somePorts()] })
    const options = {
      external: edge.url,
      transport,
      args: ["--tcp", `auto=127.0.0.1:${server.port}`],
    }
    const first = await startAgent(options)
    await first.attached()
    using client = await TcpEnd.to(await portOf(first))
    client.socket.write("x")
    const far = await until("the connection at the server", () => server.ends[0])
    await far.hears("x")
    await first.program.kill()
    await until("the server's end to be over", () => far.ended || far.closed)
    await using second = await startAgent(options)
    await second.attached()
    await client.isReset()
    expect(server.ends).toHaveLength(1)
  })
})

/** Speaks on while the wire is cut and mended, until the echo has ended too. All that it said. */
async function echoThroughCuts(client: TcpEnd, wire: Wire): Promise<Buffer> {
  const sent: Buffer[] = []
  const timer = setInterval(() => {
    const bytes = randomBytes((sent.length * 37) % 20_000)
    sent.push(bytes)
    client.socket.write(bytes)
  }, 2)
  for (let cut = 0; cut < 3; cut++) {
    await passTime(700)
    wire.cut()
    await passTime(1500)
    wire.mend()
  }
  await passTime(700)
  clearInterval(timer)
  client.socket.end()
  await until("the end", () => client.ended, 60_000)
  return Buffer.concat(sent)
}

test("what nobody takes is reset when the hold ends", async () => {
  await using edge = await startEdge({ args: ["--tcp-ports", somePorts(), "--hold", "1s"] })
  const agent = await startAgent({ external: edge.url, args: ["--tcp", "auto=127.0.0.1:9"] })
  await agent.attached()
  const port = await portOf(agent)
  await agent[Symbol.asyncDispose]()
  const startedAt = performance.now()
  using client = await TcpEnd.to(port)
  await client.isReset()
  expect(performance.now() - startedAt).toBeGreaterThan(900)
})

test("a port is closed and free once its tunnel has had no agent for a while", async () => {
  await using edge = await startEdge({ args: ["--tcp-ports", somePorts(1), "--keep-ports", "0s"] })
  for (const tunnel of ["one", "two"]) {
    const agent = await startAgent({
      external: edge.url,
      tunnel,
      args: ["--tcp", "auto=127.0.0.1:9"],
    })
    await agent.attached()
    const port = await portOf(agent)
    agent.program.signal("SIGTERM")
    await agent.program.ended
    await until("the port to be closed", () =>
      TcpEnd.to(port).then(
        (end) => end[Symbol.dispose](),
        () => true,
      ),
    )
  }
  expect(edge.program.logged.filter((line) => line.includes("port opened"))).toHaveLength(2)
})

test("an edge's port leads to an agent at another edge of the same Redis", async () => {
  await using redis = await startRedis()
  await using server = await tcpServer(echoBytes)
  const args = ["--tcp-ports", somePorts(), "--redis", redis.url]
  await using near = await startEdge({ args })
  await using far = await startEdge({ args })
  const agentArgs = ["--tcp", `auto=127.0.0.1:${server.port}`]
  const first = await startAgent({ external: near.url, args: agentArgs })
  await first.attached()
  const port = await portOf(first)
  await first[Symbol.asyncDispose]()
  await using second = await startAgent({ external: far.url, args: agentArgs })
  await second.attached()
  using client = await TcpEnd.to(port)
  const bytes = randomBytes(3_000_000)
  client.socket.end(bytes)
  await until("the end", () => client.ended)
  expect(client.heard.equals(bytes)).toBe(true)
})

describe("an agent is refused, and says why,", { concurrent: true }, () => {
  test.each([
    { edgeArgs: [], ask: "22", says: "this edge opens no tcp ports" },
    { edgeArgs: ["--tcp-ports", "20000-20010"], ask: "22", says: "tcp 22: this edge opens 20000-20010" },
  ])("when it asks for $ask and $says", async ({ edgeArgs, ask, says }) => {
    await using edge = await startEdge({ args: edgeArgs })
    await using agent = await startAgent({
      external: edge.url,
      args: ["--tcp", `${ask}=127.0.0.1:22`],
    })
    await until("the refusal", () => agent.program.hasLogged(says))
    expect((await agent.status()).link.kind).toBe("reconnecting")
  })

  test("when another tunnel has the port", async () => {
    await using edge = await startEdge({ args: ["--tcp-ports", somePorts(1)] })
    await using owner = await startAgent({
      external: edge.url,
      tunnel: "owner",
      args: ["--tcp", "auto=127.0.0.1:9"],
    })
    await owner.attached()
    const port = await portOf(owner)
    await using other = await startAgent({
      external: edge.url,
      tunnel: "other",
      args: ["--tcp", `${port}=127.0.0.1:9`],
    })
    await until("the refusal", () => other.program.hasLogged("another tunnel has it already"))
    expect((await other.status()).link.kind).toBe("reconnecting")
  })

  test("when its token does not allow the port, and another token does", async () => {
    await using folder = await temporaryFolder()
    const port = Number(somePorts(1).split("-")[0])
    await using edge = await startEdge({
      dataDir: folder.path,
      args: ["--tcp-ports", `${port}-${port + 1}`],
    })
    const tokenOf = async (name: string, ports: string): Promise<string> => {
      const { stdout } = await proxyOut(
        ...["token", "create", name, "--data-dir", folder.path, "--tcp", ports],
      )
      return stdout.trim()
    }
    const narrow = await tokenOf("narrow", String(port + 1))
    const wide = await tokenOf("wide", "*")
    await until("the edge to know both", () => edge.program.hasLogged('"tokens":2'))
    const ask = { external: edge.url, args: ["--tcp", `${port}=127.0.0.1:9`] }
    await using refused = await startAgent({ ...ask, token: narrow })
    await until("the refusal", () => refused.program.hasLogged(`the token allows tcp ports ${port + 1}`))
    await using allowed = await startAgent({ ...ask, tunnel: "wide", token: wide })
    await allowed.attached()
    expect(await portOf(allowed)).toBe(port)
  })
})

test("a server that wants it is told the client's address before the client's first byte", async () => {
  await using server = await tcpServer(() => undefined)
  await using pair = await startTcpPair({
    target: `127.0.0.1:${server.port}`,
    agentArgs: ["--proxy-protocol", "v2"],
  })
  using client = await TcpEnd.to(pair.port)
  client.socket.write("hello")
  const far = await until("the connection at the server", () => server.ends[0])
  await far.hears("hello")
  const { localPort = 0 } = client.socket
  const header = Buffer.concat([
    Buffer.from("0d0a0d0a000d0a515549540a2111000c7f0000017f000001", "hex"),
    Buffer.from([localPort >> 8, localPort & 255, pair.port >> 8, pair.port & 255]),
  ])
  expect(far.heard.equals(Buffer.concat([header, Buffer.from("hello")]))).toBe(true)
})

test("a server on a socket of the file system is reached as well", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "echo.sock")
  await using server = await tcpServer(echoBytes, path)
  await using pair = await startTcpPair({ target: `unix:${path}` })
  using client = await TcpEnd.to(pair.port)
  client.socket.end("through a socket")
  await until("the end", () => client.ended)
  expect([client.text, server.ends.length]).toEqual(["through a socket", 1])
})
