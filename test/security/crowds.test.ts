// More connections than an edge may have: it keeps to its limit, agents and clients get in all the same, and afterwards nothing of it is left.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { expect, test } from "vitest"
import { fetchWhole, RawClient } from "../support/client.ts"
import { attached, nearAgent, startNearEdge, startNearPair } from "../support/near-pair.ts"
import { startAgent, startPair } from "../support/pair.ts"
import { httpUpstream, type HttpUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"

const greeting = (): Promise<HttpUpstream> =>
  httpUpstream((incoming, response) => response.end(`hello ${incoming.url}`))
const openOf = (clients: readonly RawClient[]): number =>
  clients.filter(({ ending, socket }) => ending === "open" && !socket.connecting).length
const most = 40
/** A twentieth more may come to say what they want, and as many may be about to be closed. */
const beyond = 4

class Crowd implements Disposable {
  readonly clients: RawClient[] = []

  join(port: number, count: number, text = ""): this {
    for (let made = 0; made < count; made++) {
      const client = new RawClient(port)
      if (text !== "") client.send(text)
      this.clients.push(client)
    }
    return this
  }

  [Symbol.dispose](): void {
    for (const client of this.clients) client[Symbol.dispose]()
  }
}

test("silent connections beyond the limit are closed, the oldest first, and a client with a request is served", async () => {
  await using upstream = await greeting()
  await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { maxOpenConnections: most } })
  using crowd = new Crowd().join(pair.port, 10 * most)
  await until("the crowd to be thinned", () => {
    const made = crowd.clients.every(({ socket }) => !socket.connecting)
    return made && openOf(crowd.clients) <= most + beyond
  })
  await until("a client to be served", async () => {
    const { text } = await fetchWhole(`http://127.0.0.1:${pair.port}/a`)
    return text === "hello /a"
  })
  expect(crowd.clients[0]?.ending).not.toBe("open")
  expect(pair.agent.status().link.kind).toBe("connected")
})

test("connections that are kept alive make room for those that ask for something", async () => {
  await using upstream = await greeting()
  await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { maxOpenConnections: most } })
  using crowd = new Crowd().join(pair.port, most - 5, "GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
  await until("all to be served", () => crowd.clients.every(({ received }) => received.endsWith("/kept")))
  using later = new Crowd()
  await until("ten more to be served", () => {
    if (later.clients.at(-1)?.received !== "")
      later.join(pair.port, 1, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    return later.clients.filter(({ received }) => received.endsWith("/later")).length === 10
  })
  expect(openOf(crowd.clients)).toBeLessThan(most - 5)
})

test("while strangers hold every connection with requests, an agent attaches, others are told 503, and all of them get their answers", async () => {
  await using upstream = await greeting()
  const { edge, port } = await startNearEdge({ maxOpenConnections: most })
  await using stack = new AsyncDisposableStack()
  stack.use(edge)
  using crowd = new Crowd()
  const refused = await fillUp(crowd, port)
  await refused.ended()
  expect(refused.received).toMatch(/^HTTP\/1\.1 503 /)
  expect(refused.received).toContain("\r\nRestante-Error: connections_full\r\n")
  expect(refused.received).toContain("\r\nConnection: close\r\n")
  const served = crowd.clients.slice(0, most)
  await using agent = nearAgent(port, upstream.port)
  await agent.start()
  await attached(agent)
  await until("all to be served", () => served.every(({ received }) => received.endsWith("/waits")))
})

/** Resolves with the first one that is too many. */
async function fillUp(crowd: Crowd, port: number): Promise<RawClient> {
  const text = "GET /waits HTTP/1.1\r\nHost: default.example\r\n\r\n"
  return until("somebody to be told that there are too many", () => {
    crowd.join(port, 1, text)
    return crowd.clients.find(({ received }) => received !== "")
  })
}

test("a stranger with a wrong token has no more right to be there than others", async () => {
  const { edge, port } = await startNearEdge({ maxOpenConnections: most })
  await using stack = new AsyncDisposableStack()
  stack.use(edge)
  using crowd = new Crowd()
  await fillUp(crowd, port)
  using stranger = new RawClient(port)
  stranger.send(
    "POST /.restante/v1/attach HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\nContent-Length: 2\r\n\r\n{}",
  )
  expect(await stranger.ended()).toBe("clean")
  expect(stranger.received).toMatch(/^HTTP\/1\.1 401 /)
})

test("when the crowd has left there is room for as many as before", async () => {
  await using upstream = await greeting()
  await using pair = await startNearPair({ upstreamPort: upstream.port, edge: { maxOpenConnections: most } })
  {
    using crowd = new Crowd().join(pair.port, 5 * most)
    await until("the crowd to come", () => crowd.clients.every(({ socket }) => !socket.connecting))
  }
  using next = new Crowd().join(pair.port, most - 10, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
  await until("all to be served", () => next.clients.every(({ received }) => received.endsWith("/next")))
  expect(openOf(next.clients)).toBe(most - 10)
})

test(
  "a crowd of more connections than the system lets an edge have costs less than 1 GiB; an agent attaches and a client is served meanwhile",
  { timeout: 120_000 },
  async () => {
    const openFiles = Number(/^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1])
    const limit = Math.min(20_000, Math.floor(openFiles * 0.85))
    const each = Math.min(12_000, Math.floor(openFiles * 0.9))
    await using upstream = await greeting()
    await using pair = await startPair({ server: upstream.url })
    const before = pair.edge.program.peakMemoryBytes
    await using stack = new AsyncDisposableStack()
    const crowds = ["127.0.0.2", "127.0.0.3"].map((from) => stack.use(startCrowd(pair.port, each, from)))
    await Promise.all(crowds.map(({ made }) => made))
    const open = (await Promise.all(crowds.map((crowd) => crowd.open()))).reduce((sum, one) => sum + one, 0)
    expect(open).toBeLessThan(limit * 1.1)
    expect(open).toBeGreaterThan(limit * 0.9)
    expect((await fetchWhole(`${pair.url}/normal`)).text).toBe("hello /normal")
    await using second = await startAgent({ server: upstream.url, external: pair.url, tunnel: "second" })
    await second.attached(20_000)
    const grown = pair.edge.program.peakMemoryBytes - before
    expect(grown).toBeLessThan(1024 ** 3)
    expect(grown / limit).toBeLessThan(24 * 1024)
  },
)

/** In a process of its own, which has connections of its own to open. */
function startCrowd(
  port: number,
  count: number,
  from: string,
): AsyncDisposable & { readonly made: Promise<unknown>; open(): Promise<number> } {
  const program = new URL("crowd.ts", import.meta.url).pathname
  const child = spawn(process.execPath, [program, String(port), String(count), from], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  const lines = createInterface(child.stdout)
  const exited = once(child, "exit")
  return {
    made: once(lines, "line"),
    open: async () => {
      const answer = once(lines, "line")
      child.stdin.write("\n")
      const [line] = (await answer) as [string]
      return Number(line.replace("open ", ""))
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await exited
    },
  }
}
