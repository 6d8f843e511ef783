// The way out through a forward proxy, as companies have them: a real one (proxy-chain) between the real programs.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import {
  authority,
  clientCertificate,
  clientKey,
  otherCertificate,
  otherKey,
} from "../support/certificates.ts"
import { begin, fetchWhole } from "../support/client.ts"
import { type Folder, temporaryFolder } from "../support/folder.ts"
import { forwardProxy, type ForwardProxy } from "../support/forward-proxy.ts"
import { startAgent, startEdge, transports, type Transport } from "../support/pair.ts"
import { tlsFront } from "../support/tls-front.ts"
import { passTime, until } from "../support/until.ts"
import { closedPort, httpUpstream, type HttpUpstream } from "../support/upstream.ts"
import { readBulk, writeBulk } from "../support/bulk.ts"
import { BufferingProxy } from "../transports/relays.ts"

const server = "http://127.0.0.1:9"
const credentials = { username: "jane@corp", password: "s:fe %41" }
/** The same, as a URL has them. */
const encoded = "jane%40corp:s%3Afe%20%2541"

function upstreamSaying(text: string): Promise<HttpUpstream> {
  return httpUpstream((_request, response) => response.end(text))
}

async function withFiles(files: Readonly<Record<string, string>>): Promise<Folder> {
  const folder = await temporaryFolder()
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeFile(join(folder.path, name), text, { mode: 0o600 })),
  )
  return folder
}

function withUser(proxy: ForwardProxy): string {
  return proxy.url.replace("://", `://${encoded}@`)
}

describe.for(transports)("over %s", (transport: Transport) => {
  test("an http edge is reached through HTTP_PROXY", async () => {
    await using upstream = await upstreamSaying("through the proxy")
    await using edge = await startEdge()
    await using proxy = await forwardProxy()
    const environment = { HTTP_PROXY: proxy.url, HTTPS_PROXY: "http://127.0.0.1:1" }
    await using agent = await startAgent({ server: upstream.url, external: edge.url, transport, environment })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("through the proxy")
    expect(proxy.asked).toContain(
      transport === "poll" ? `POST ${edge.url}/.restante/v1/poll` : `CONNECT 127.0.0.1:${edge.port}`,
    )
  })

  test("an https edge with an own authority is reached through https_proxy, by CONNECT alone and under its name", async () => {
    await using files = await withFiles({ "ca.pem": authority })
    await using upstream = await upstreamSaying("through the proxy")
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port })
    await using proxy = await forwardProxy()
    await using agent = await startAgent({
      server: upstream.url,
      external: `https://localhost:${front.port}`,
      transport,
      args: ["--external-ca-file", join(files.path, "ca.pem")],
      environment: { https_proxy: proxy.url, http_proxy: "http://127.0.0.1:1" },
    })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("through the proxy")
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT localhost:${front.port}`]))
    expect(new Set(front.names)).toEqual(new Set(["localhost"]))
  })

  test("a proxy with TLS and a password is used with what PROXY_IN_PROXY says", async () => {
    await using files = await withFiles({ "ca.pem": authority })
    await using upstream = await upstreamSaying("through the proxy")
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port })
    await using proxy = await forwardProxy({ tls: true, credentials })
    const ca = join(files.path, "ca.pem")
    await using agent = await startAgent({
      server: upstream.url,
      external: `https://localhost:${front.port}`,
      transport,
      args: ["--external-ca-file", ca, "--proxy-ca-file", ca],
      environment: { PROXY_IN_PROXY: withUser(proxy) },
    })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("through the proxy")
    expect(agent.program.logged.join("\n")).not.toContain("s:fe")
  })

  test("a plain proxy with a password lets requests to an http edge pass", async () => {
    await using upstream = await upstreamSaying("through the proxy")
    await using edge = await startEdge()
    await using proxy = await forwardProxy({ credentials })
    const environment = { ALL_PROXY: withUser(proxy) }
    await using agent = await startAgent({ server: upstream.url, external: edge.url, transport, environment })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("through the proxy")
  })

  test("a client certificate is shown to an edge that asks for one", async () => {
    const pem = { "ca.pem": authority, "cert.pem": clientCertificate, "key.pem": clientKey }
    await using files = await withFiles(pem)
    await using upstream = await upstreamSaying("who you are is known")
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port, asksClients: true })
    const at = (name: string): string => join(files.path, name)
    await using agent = await startAgent({
      server: upstream.url,
      external: `https://localhost:${front.port}`,
      transport,
      args: [
        ...["--external-ca-file", at("ca.pem"), "--external-cert-file", at("cert.pem")],
        ...["--external-key-file", at("key.pem")],
      ],
    })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("who you are is known")
  })
})

describe.concurrent("a proxy that cuts every connection", () => {
  test.for([
    ["2 s", "poll", 2000, 7000],
    ["2 s", "websocket", 2000, 7000],
    ["30 s", "poll", 30_000, 34_000],
    ["30 s", "websocket", 30_000, 34_000],
  ] as const)(
    "after %s costs no request, no byte and no event over %s",
    { timeout: 120_000 },
    async ([, transport, cutAfterMs, forMs]) => {
      const bytes = 40 * 1024 * 1024
      await using upstream = await httpUpstream(async ({ url }, response) => {
        const endsAt = performance.now() + forMs
        if (url === "/small") return response.end("small")
        if (url === "/bulk") return writeBulk(response, bytes)
        response.writeHead(200, { "content-type": "text/event-stream" })
        for (let event = 0; performance.now() < endsAt; event++) {
          response.write(`data: ${event}\n\n`)
          // oxlint-disable-next-line no-await-in-loop -- one event after the other
          await passTime(50)
        }
        return response.end("data: end\n\n")
      })
      await using edge = await startEdge()
      await using proxy = await forwardProxy({ cutAfterMs })
      const environment = { http_proxy: proxy.url }
      await using agent = await startAgent({
        server: upstream.url,
        external: edge.url,
        transport,
        environment,
      })
      await agent.attached()
      const events = fetchWhole(`${edge.url}/events`)
      // Read so slowly that it goes on all the time.
      const pauseMs = forMs / (bytes / (1024 * 1024))
      let pausedFor = 0
      const download = readBulk(await begin(`${edge.url}/bulk`), async (received) => {
        const due = Math.floor(received / (1024 * 1024))
        if (due > pausedFor) await passTime((due - pausedFor) * pauseMs)
        pausedFor = due
      })
      const endsAt = performance.now() + forMs
      const answers = new Set<string>()
      while (performance.now() < endsAt) {
        // oxlint-disable-next-line no-await-in-loop -- one request after the other
        answers.add((await fetchWhole(`${edge.url}/small`)).text)
        // oxlint-disable-next-line no-await-in-loop -- likewise
        await passTime(20)
      }
      const numbers = (await events).text.trim().split("\n\n")
      expect(answers).toEqual(new Set(["small"]))
      expect(numbers.at(-1)).toBe("data: end")
      expect(numbers.slice(0, -1)).toEqual(numbers.slice(0, -1).map((_event, index) => `data: ${index}`))
      expect(await download).toMatchObject({ bytes, firstWrong: undefined })
      expect(proxy.cuts).toBeGreaterThan(0)
    },
  )
})

describe("polling takes over by itself", () => {
  test.for([403, 405, 502])(
    "where a proxy answers CONNECT to an http edge with %i",
    async (refusesConnect) => {
      await using upstream = await upstreamSaying("by polls")
      await using edge = await startEdge()
      await using proxy = await forwardProxy({ refusesConnect })
      const args = ["--proxy", proxy.url]
      await using agent = await startAgent({
        server: upstream.url,
        external: edge.url,
        transport: "auto",
        args,
      })
      await agent.attached()
      expect((await fetchWhole(edge.url)).text).toBe("by polls")
      await until("the websocket to be tried", () => proxy.asked.some((asked) => asked.startsWith("CONNECT")))
      expect((await agent.status()).carriedOn).toBe("poll")
    },
  )

  test("where a proxy hands on whole messages only and knows no CONNECT", async () => {
    await using upstream = await upstreamSaying("by short polls")
    await using edge = await startEdge()
    await using proxy = await new BufferingProxy(() => edge.port).start()
    const environment = { http_proxy: `http://127.0.0.1:${proxy.port}` }
    await using agent = await startAgent({
      server: upstream.url,
      external: "http://edge.test",
      transport: "auto",
      environment,
    })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("by short polls")
    expect((await agent.status()).carriedOn).toBe("poll")
  })
})

describe("the proxy is left out", () => {
  const without = [
    ["NO_PROXY names the edge", { HTTP_PROXY: "?", NO_PROXY: "corp.example, 127.0.0.0/8" }, []],
    ["--proxy none says so", { HTTP_PROXY: "?" }, ["--proxy", "none"]],
    ["PROXY_IN_PROXY is none", { HTTP_PROXY: "?", PROXY_IN_PROXY: "none" }, []],
  ] as const
  test.for(without)("when %s", async ([, variables, args]) => {
    await using upstream = await upstreamSaying("straight")
    await using edge = await startEdge()
    await using proxy = await forwardProxy()
    const environment = { ...variables, HTTP_PROXY: proxy.url }
    await using agent = await startAgent({ server: upstream.url, external: edge.url, args, environment })
    await agent.attached()
    expect((await fetchWhole(edge.url)).text).toBe("straight")
    expect(proxy.asked).toEqual([])
  })
})

describe("what is wrong with the way is one line with its remedy", () => {
  /** Starts an agent that cannot reach its edge, and resolves once it has said this. */
  async function says(
    text: string,
    external: string,
    environment: Record<string, string>,
    args: readonly string[] = [],
  ): Promise<string> {
    await using agent = await startAgent({ server, external, environment, args, transport: "auto" })
    await until(`it to say: ${text}`, () => agent.program.hasLogged(text))
    return [...agent.program.logged, ...agent.program.said].join("\n")
  }

  test.for(["http://127.0.0.1:9", "https://localhost:9"])(
    "a wrong password on the way to %s, without showing it",
    async (external) => {
      await using proxy = await forwardProxy({ credentials })
      const url = proxy.url.replace("://", "://jane:not-this-one@")
      const variables = { http_proxy: url, https_proxy: url }
      expect(await says("wants another user or password", external, variables)).not.toContain("not-this-one")
    },
  )

  test("a proxy that does not let an https edge through", async () => {
    await using proxy = await forwardProxy({ refusesConnect: 403 })
    expect(
      await says("does not let us through", "https://edge.example", { HTTPS_PROXY: proxy.url }),
    ).toContain("does not let us through")
  })

  test("a proxy that cannot reach the edge", async () => {
    await using proxy = await forwardProxy({ refusesConnect: 502 })
    expect(
      await says("The proxy cannot reach the edge", "https://edge.example", { HTTPS_PROXY: proxy.url }),
    ).toContain("The proxy cannot reach the edge")
  })

  test("a proxy where nothing listens", async () => {
    const port = await closedPort()
    expect(
      await says("Nothing listens at the proxy", "http://edge.example", { http_proxy: `127.0.0.1:${port}` }),
    ).toContain("Nothing listens at the proxy")
  })

  test("a proxy whose name does not exist", async () => {
    const variables = { http_proxy: "http://no-such-proxy.invalid:3128" }
    expect(await says("proxy's name cannot be resolved", "http://edge.example", variables)).toContain(
      "proxy's name cannot be resolved",
    )
  })

  test("a proxy whose certificate nobody trusts", async () => {
    await using proxy = await forwardProxy({ tls: true })
    expect(
      await says("No trusted TLS connection to the proxy", "http://edge.example", { http_proxy: proxy.url }),
    ).toContain("No trusted TLS connection to the proxy")
  })

  test("an edge that wants a client certificate", async () => {
    await using files = await withFiles({ "ca.pem": authority })
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port, asksClients: true })
    const args = ["--external-ca-file", join(files.path, "ca.pem")]
    expect(await says("wants a client certificate", `https://localhost:${front.port}`, {}, args)).toContain(
      "wants a client certificate",
    )
  })

  test("an edge whose certificate is another's", async () => {
    await using files = await withFiles({ "ca.pem": authority })
    await using edge = await startEdge()
    await using front = await tlsFront({
      port: edge.port,
      certificate: { cert: otherCertificate, key: otherKey },
    })
    const args = ["--external-ca-file", join(files.path, "ca.pem")]
    expect(
      await says("No trusted TLS connection to the edge", `https://localhost:${front.port}`, {}, args),
    ).toContain("No trusted TLS connection to the edge")
  })
})
