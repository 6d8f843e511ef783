// TLS at the edge: HTTP/1.1 and agents over it, certificates that change, and the plain port beside it.
import { once } from "node:events"
import { readFile, rename, writeFile } from "node:fs/promises"
import { request } from "node:https"
import { join } from "node:path"
import tls from "node:tls"
import { expect, test } from "vitest"
import {
  authority,
  otherCertificate,
  otherKey,
  serverCertificate,
  serverKey,
} from "../support/certificates.ts"
import { fetchWhole, RawClient } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startSecurePair } from "../support/http2-pair.ts"
import { startEdge, transports } from "../support/pair.ts"
import { proxyOut } from "../support/edge-command.ts"
import { tlsFront } from "../support/tls-front.ts"
import { closedPort, httpUpstream, rawUpstream } from "../support/upstream.ts"
import { until } from "../support/until.ts"

test.each(transports)("clients and an agent over %s speak HTTP/1.1 in TLS with it", async (transport) => {
  await using upstream = await httpUpstream((incoming, response) =>
    response.end(`${String(incoming.headers["x-forwarded-proto"])} ${String(incoming.headers.via)}`),
  )
  await using pair = await startSecurePair({ server: upstream.url, transport })
  const answer = await secureGet(pair.edge.port, "/")
  expect(answer).toMatch(/^https 1\.1 restante-/)
})

test("an answer that breaks off over TLS resets the client's connection", async () => {
  await using upstream = await rawUpstream((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    setTimeout(() => socket.resetAndDestroy(), 100)
  })
  await using pair = await startSecurePair({ server: upstream.url })
  const socket = tls.connect({
    port: pair.edge.port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: authority,
  })
  socket.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
  socket.resume()
  const [error] = (await once(socket, "error")) as [Error & { code: string }]
  expect(error.code).toBe("ECONNRESET")
})

test("a certificate that changes is the next client's, and who is connected stays", async () => {
  await using upstream = await httpUpstream((_incoming, response) => response.end("ok"))
  await using pair = await startSecurePair({ server: upstream.url })
  const { port } = pair.edge
  const kept = tls.connect({ port, host: "127.0.0.1", servername: "localhost", ca: authority })
  await once(kept, "secureConnect")
  await writeFile(join(pair.folder, "cert.pem"), otherCertificate)
  await writeFile(join(pair.folder, "key.pem"), otherKey)
  await until("the new certificate", async () => (await subjectAt(port)) === "other")
  kept.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
  let text = ""
  for await (const bytes of kept as AsyncIterable<Buffer>) text += bytes.toString("latin1")
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok$/)
})

test("of several certificates each client gets that of the name it asks for, and a changed one is read again", async () => {
  await using folder = await temporaryFolder()
  const second = { cert: join(folder.path, "second.pem"), key: join(folder.path, "second.key") }
  await writeFile(second.cert, otherCertificate)
  await writeFile(second.key, otherKey)
  await using upstream = await httpUpstream((_incoming, response) => response.end("ok"))
  await using pair = await startSecurePair({
    server: upstream.url,
    edgeArgs: ["--tls-cert", second.cert, "--tls-key", second.key],
  })
  const { port } = pair.edge
  const names = [
    "localhost",
    "shop.test",
    "elsewhere.example",
    "ELSEWHERE.example",
    "unknown.example",
    undefined,
  ]
  const subjects = await Promise.all(names.map((name) => subjectAt(port, name)))
  expect(subjects).toEqual(["server", "server", "other", "other", "server", "server"])
  const protocols = await Promise.all(names.map((name) => protocolAt(port, name)))
  expect(new Set(protocols)).toEqual(new Set(["h2"]))
  await writeFile(join(folder.path, "new.pem"), serverCertificate)
  await writeFile(second.key, serverKey)
  await rename(join(folder.path, "new.pem"), second.cert)
  await until("the changed one", async () => (await subjectAt(port, "elsewhere.example")) === "server")
  expect(await subjectAt(port, "localhost")).toBe("server")
})

test("a certificate without its key is one line at the start", async () => {
  await using pair = await startSecurePair({ server: `http://127.0.0.1:${await closedPort()}` })
  const [cert, key] = [join(pair.folder, "cert.pem"), join(pair.folder, "key.pem")]
  const args = ["--tls-cert", cert, "--tls-key", key, "--tls-cert", cert]
  await expect(startEdge({ args })).rejects.toThrow(
    /"code":2[^]*proxy-out: --tls-key: every certificate needs its key: --tls-cert is given 2 times, --tls-key 1 times\./,
  )
})

test("a client that is older than TLS 1.2 gets no connection", async () => {
  await using pair = await startSecurePair({ server: `http://127.0.0.1:${await closedPort()}` })
  const socket = tls.connect({
    port: pair.edge.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  })
  const [error] = (await once(socket, "error")) as [Error & { code: string }]
  expect(error.code).toMatch(/PROTOCOL_VERSION|NO_PROTOCOLS|ECONNRESET/)
})

test("the plain port beside it sends every client to https, whatever it asks for", async () => {
  const plain = await closedPort()
  await using pair = await startSecurePair({
    server: `http://127.0.0.1:${await closedPort()}`,
    edgeArgs: ["--redirect-port", String(plain)],
  })
  const options = { headers: { host: `shop.example:${plain}` } }
  const answer = await fetchWhole(`http://127.0.0.1:${plain}/a/../b?c=%2F`, options)
  expect(answer.status).toBe(308)
  expect(answer.headers.location).toBe(`https://shop.example:${pair.edge.port}/b?c=%2F`)
  using client = new RawClient(plain)
  client.send("POST //evil/..%2f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
  await client.receives(new RegExp(`Location: https://a:${pair.edge.port}//evil/\\.\\.%2f\r\n`))
})

test("a key that does not fit its certificate is one line at the start", async () => {
  await using pair = await startSecurePair({ server: `http://127.0.0.1:${await closedPort()}` })
  const cert = join(pair.folder, "cert.pem")
  const key = join(pair.folder, "other.pem")
  await writeFile(key, otherKey)
  await expect(startEdge({ args: ["--tls-cert", cert, "--tls-key", key] })).rejects.toThrow(
    /"code":1[^]*proxy-out: --tls-key: "[^"]+other\.pem" is not the key of the first certificate in/,
  )
  expect(await readFile(key, "utf8")).toBe(otherKey)
})

test("proxy-out doctor knows a TLS port that a running proxy-out has, and one that it has not", async () => {
  await using pair = await startSecurePair({ server: `http://127.0.0.1:${await closedPort()}` })
  await using other = await tlsFront({ port: await closedPort() })
  const found = async (port: number): Promise<unknown> => {
    const { stdout } = await proxyOut("doctor", "--json", "--host", "127.0.0.1", "--port", String(port))
    const { findings } = JSON.parse(stdout) as { findings: { step: string; code: string }[] }
    return findings.find(({ step }) => step === "port")?.code
  }
  expect([await found(pair.edge.port), await found(other.port)]).toEqual(["port_ours", "port_taken"])
})

/** What a client that offers both may speak there. */
async function protocolAt(port: number, servername?: string): Promise<string | false | null> {
  const socket = tls.connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1", "h2"],
    ...(servername === undefined ? {} : { servername }),
  })
  await once(socket, "secureConnect")
  const { alpnProtocol } = socket
  socket.destroy()
  return alpnProtocol
}

async function subjectAt(port: number, servername?: string): Promise<string | undefined> {
  const socket = tls.connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
  })
  await once(socket, "secureConnect")
  const subject = socket.getPeerCertificate().subject.CN
  socket.destroy()
  return typeof subject === "string" ? subject : undefined
}

async function secureGet(port: number, path: string): Promise<string> {
  const outgoing = request({
    port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: authority,
    path,
    agent: false,
  })
  outgoing.end()
  const [response] = (await once(outgoing, "response")) as [AsyncIterable<Buffer>]
  let text = ""
  for await (const bytes of response) text += bytes.toString("utf8")
  return text
}
