// A private server that is spoken to in HTTP/2 over TLS (h2://): what both agree on by ALPN, whose certificates are trusted, and
// what is said where there is no HTTP/2.
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createSecureServer, type SecureServerOptions } from "node:http2"
import { createServer } from "node:https"
import type { AddressInfo, Server } from "node:net"
import { join } from "node:path"
import { createServer as createTlsServer } from "node:tls"
import { expect, test } from "vitest"
import {
  authority,
  otherCertificate,
  otherKey,
  serverCertificate,
  serverKey,
} from "../support/certificates.ts"
import { fetchWhole } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { Http2TestClient } from "../support/http2-client.ts"
import { startPair, transports, type Pair, type Transport } from "../support/pair.ts"

const certificate = { cert: serverCertificate, key: serverKey }
const elsewhere = { cert: otherCertificate, key: otherKey }

/** Each request is answered with what its connection speaks, its body, and a trailer. */
function versatile(options: SecureServerOptions): Server {
  return createSecureServer(options, (request, response) => {
    const { encrypted } = request.stream === undefined ? { encrypted: false } : request.stream.session!
    response.writeHead(200, {
      "x-version": request.httpVersion,
      "x-encrypted": String(encrypted),
      "x-authority": request.authority ?? String(request.headers.host),
      trailer: "x-sum",
    })
    request.pipe(response)
    request.on("end", () => response.addTrailers({ "x-sum": "7" }))
  })
}

interface Place extends AsyncDisposable {
  readonly pair: Pair
}

async function pairWith(
  server: Server,
  options: { readonly scheme: string; readonly trusts?: boolean; readonly transport?: Transport },
): Promise<Place> {
  const { scheme, trusts = true, transport } = options
  await using stack = new AsyncDisposableStack()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  stack.defer(() => void server.close())
  const folder = stack.use(await temporaryFolder())
  const ca = join(folder.path, "ca.pem")
  await writeFile(ca, authority)
  const url = `${scheme}://localhost:${(server.address() as AddressInfo).port}`
  const pair = stack.use(
    await startPair({
      server: url,
      ...(transport === undefined ? {} : { transport }),
      edgeArgs: ["--h2c"],
      agentArgs: trusts ? ["--ca-file", ca] : [],
    }),
  )
  const owned = stack.move()
  return { pair, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

test.each(transports)("over %s, both agree on h2, and everything crosses", async (transport) => {
  await using place = await pairWith(versatile({ ...certificate, allowHTTP1: true }), {
    scheme: "h2",
    transport,
  })
  const body = Buffer.alloc(3_000_000, "b")
  const options = { method: "POST", headers: { host: "shop.test", te: "trailers" }, body }
  const answer = await fetchWhole(place.pair.url, options)
  expect(answer).toMatchObject({
    status: 200,
    headers: { "x-version": "2.0", "x-encrypted": "true", "x-authority": "shop.test" },
    trailers: { "x-sum": "7" },
  })
  expect(answer.body.equals(body)).toBe(true)
  await using client = await Http2TestClient.to(place.pair.url)
  const again = await client.ask("POST", "/", { body })
  expect(again).toMatchObject({ headers: { "x-version": "2.0" }, trailers: { "x-sum": "7" } })
  expect(again.headers["via"]).toMatch(/^2\.0 restante-/)
})

test("https:// is HTTP/1.1, also where the server would like h2", async () => {
  await using place = await pairWith(versatile({ ...certificate, allowHTTP1: true }), { scheme: "https" })
  const { headers } = await fetchWhole(place.pair.url)
  expect([headers["x-version"], headers.via]).toEqual(["1.1", expect.stringMatching(/^1\.1 /)])
})

test.each([
  ["offers HTTP/1.1 only", () => createServer(certificate, (_request, response) => response.end("no"))],
  [
    "agrees on nothing, and speaks HTTP/1.1",
    () =>
      createTlsServer(certificate, (socket) => {
        socket.on("error", () => undefined)
        socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
      }),
  ],
])("a server that %s is told from one that is away: 502 tls_protocol_error", async (_what, server) => {
  await using place = await pairWith(server(), { scheme: "h2" })
  expect(await fetchWhole(place.pair.url)).toMatchObject({
    status: 502,
    headers: { "proxy-status": expect.stringContaining('error=tls_protocol_error; details="not forwarded"') },
  })
})

test.each([
  ["an authority that nobody trusts", certificate, false],
  ["another name", elsewhere, true],
])("a certificate of %s is 502 tls_certificate_error", async (_what, presented, trusts) => {
  await using place = await pairWith(versatile({ ...presented, allowHTTP1: true }), { scheme: "h2", trusts })
  expect(await fetchWhole(place.pair.url)).toMatchObject({
    status: 502,
    headers: { "proxy-status": expect.stringContaining("error=tls_certificate_error") },
  })
})
