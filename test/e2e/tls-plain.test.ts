// Who speaks plain HTTP where TLS is spoken, or TLS where it is not, is told so.
import { once } from "node:events"
import net, { type AddressInfo } from "node:net"
import tls from "node:tls"
import { describe, expect, test } from "vitest"
import { fetchWhole, RawClient } from "../support/client.ts"
import { startSecureEdge } from "../support/http2-pair.ts"
import { startAgent, startEdge } from "../support/pair.ts"
import { until } from "../support/until.ts"
import { closedPort } from "../support/upstream.ts"

const server = "http://127.0.0.1:9"

describe("plain HTTP to a TLS port", () => {
  test.for(["GET", "PUT", "OPTIONS", "PROPFIND", "get"])("%s is told to write https://", async (method) => {
    await using secure = await startSecureEdge()
    const { port } = secure.edge
    using client = new RawClient(port)
    client.send(`${method} /a HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.receives(/\r\n\r\n\{.*\}\n$/)
    await until("the end", () => client.ending === "clean")
    expect(client.received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(client.received).toContain(
      'Proxy-Status: restante; error=http_request_error; details="not forwarded"\r\nRestante-Error: tls_required\r\n',
    )
    expect(client.received).toContain("\r\nConnection: close\r\n")
    expect(client.received).toContain('"detail":"Write https instead of http before the address."')
  })

  test("a browser sees a page", async () => {
    await using secure = await startSecureEdge()
    const headers = { accept: "text/html,*/*;q=0.8" }
    const answer = await fetchWhole(`http://127.0.0.1:${secure.edge.port}/`, { headers })
    expect(answer.status).toBe(400)
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8")
    expect(answer.text).toContain("Write https instead of http before the address.")
  })

  test("the answer to HEAD has no body", async () => {
    await using secure = await startSecureEdge()
    using client = new RawClient(secure.edge.port)
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until("the end", () => client.ending === "clean")
    expect(client.received).toMatch(/^HTTP\/1\.1 400 [^]*\r\nRestante-Error: tls_required\r\n[^]*\r\n\r\n$/)
  })

  test("who is still sending a large body can read the answer", async () => {
    await using secure = await startSecureEdge()
    using client = new RawClient(secure.edge.port)
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 * mebibyte}\r\n\r\n`)
    for (let sent = 0; sent < 8; sent++) client.send(Buffer.alloc(mebibyte, "x"))
    await until("the end", () => client.ending === "clean")
    expect(client.received).toContain("\r\nRestante-Error: tls_required\r\n")
  })

  test("text that is no HTTP gets the same answer", async () => {
    await using secure = await startSecureEdge()
    using client = new RawClient(secure.edge.port)
    client.send("EHLO mail.example\r\n\r\n")
    await until("the end", () => client.ending === "clean")
    expect(client.received).toMatch(/^HTTP\/1\.1 400 [^]*\r\nRestante-Error: tls_required\r\n/)
  })

  test("who says nothing, and who begins to and goes no further, is not waited for longer than --head-timeout", async () => {
    await using secure = await startSecureEdge(["--head-timeout", "1s"])
    using silent = new RawClient(secure.edge.port)
    using slow = new RawClient(secure.edge.port).send("GET / HT")
    using greeting = new RawClient(secure.edge.port).send(Buffer.from([0x16]))
    for (const client of [silent, slow, greeting])
      await until("it to be closed", () => client.ending !== "open")
    expect([silent.received, slow.received.split("\r\n")[0], greeting.received]).toEqual([
      "",
      "HTTP/1.1 408 Request Timeout",
      "",
    ])
  })

  test("a crowd that begins to and goes no further keeps nobody out who speaks TLS", async () => {
    await using secure = await startSecureEdge(["--max-open-connections", "10"])
    const { port } = secure.edge
    await using crowd = new AsyncDisposableStack()
    for (let number = 0; number < 12; number++) crowd.use(new RawClient(port).send("G"))
    const served = await until("a client that speaks TLS to be served", () => isServed(port))
    expect(served).toBe(true)
  })
})

test("a hello of TLS that comes byte by byte is a hello of TLS", async () => {
  await using secure = await startSecureEdge()
  await using relay = await byteByByte(secure.edge.port)
  expect(await isServed(relay.port)).toBe(true)
})

describe("an agent says what to write in --external", () => {
  test("https:// where a TLS port was given as http://", async () => {
    await using secure = await startSecureEdge()
    await using agent = await startAgent({ server, external: `http://127.0.0.1:${secure.edge.port}` })
    const line = "What answers at --external speaks TLS: write https:// there instead of http://."
    await until("it to say so", () => agent.program.hasLogged(line))
    expect((await agent.status()).link.kind).toBe("reconnecting")
  })

  test("https:// where the port was given that redirects there", async () => {
    const plain = await closedPort()
    await using secure = await startSecureEdge(["--redirect-port", String(plain)])
    expect(secure.edge.port).not.toBe(plain)
    await using agent = await startAgent({ server, external: `http://127.0.0.1:${plain}` })
    const line = "What answers at --external speaks TLS: write https:// there instead of http://."
    await until("it to say so", () => agent.program.hasLogged(line))
    expect((await agent.status()).link.kind).toBe("reconnecting")
  })

  test("http:// where a plain port was given as https://", async () => {
    await using edge = await startEdge()
    await using agent = await startAgent({ server, external: edge.url.replace("http:", "https:") })
    const line = "What answers at --external speaks no TLS: write http:// there instead of https://"
    await until("it to say so", () => agent.program.hasLogged(line))
    expect((await agent.status()).link.kind).toBe("reconnecting")
  })
})

const mebibyte = 1024 * 1024

/** Whether a client that speaks TLS gets an answer. */
async function isServed(port: number): Promise<boolean> {
  const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false })
  socket.write("GET /.restante/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
  let text = ""
  try {
    for await (const bytes of socket as AsyncIterable<Buffer>) text += bytes.toString("latin1")
  } catch {
    return false
  }
  return text.startsWith("HTTP/1.1 200 ")
}

/** In front of a port: passes on the client's first bytes one by one, each in a packet of its own. */
async function byteByByte(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const relay = net.createServer((client) => {
    const edge = net.connect({ port, host: "127.0.0.1", noDelay: true })
    edge.pipe(client)
    edge.once("close", () => client.destroy())
    client.once("data", (bytes) => {
      client.pause()
      void drip(bytes, edge).then(() => client.pipe(edge))
    })
    for (const socket of [client, edge]) socket.on("error", () => client.destroy())
  })
  relay.listen(0, "127.0.0.1")
  await once(relay, "listening")
  const { port: relayPort } = relay.address() as AddressInfo
  return {
    port: relayPort,
    async [Symbol.asyncDispose]() {
      relay.close()
      await once(relay, "close")
    },
  }
}

async function drip(bytes: Buffer, edge: net.Socket): Promise<void> {
  for (const byte of bytes) {
    await new Promise((resolve) => edge.write(Buffer.from([byte]), resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
}
