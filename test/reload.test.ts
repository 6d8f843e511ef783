// What SIGHUP changes in the two running programs, seen from outside: limits, tokens, certificates and routes.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import {
  authority,
  clientCertificate,
  clientKey,
  expiredCertificate,
  otherCertificate,
  serverKey,
} from "./support/certificates.ts"
import { temporaryFolder } from "./support/folder.ts"
import { type Agent, type Edge, startAgent, startEdge, token } from "./support/pair.ts"
import type { Program } from "./support/program.ts"
import { tlsFront } from "./support/tls-front.ts"
import { until } from "./support/until.ts"
import { httpUpstream } from "./support/upstream.ts"

/** A file of a test's own, to be written again. */
async function file(text: string): Promise<{ readonly path: string; write(text: string): Promise<void> }> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  const path = join(folder.path, "file")
  const write = (next: string): Promise<void> => writeFile(path, next, { mode: 0o600 })
  await write(text)
  return { path, write }
}

/** SIGHUP; resolves once the program has read everything again. */
async function readAgain(program: Program): Promise<void> {
  const times = (): number =>
    program.logged.filter((line) => line.includes("configuration read again")).length
  const before = times()
  program.signal("SIGHUP")
  await until("the program to read its configuration again", () => times() > before)
}

async function notAttached(agent: Agent): Promise<void> {
  await until("the agent to have tried in vain", async () => ((await agent.status()).link.attempt ?? 0) > 0)
}

const otherToken = "another-token-that-only-these-tests-use-9876543210"

describe("an edge", () => {
  test("takes a new largest body", async () => {
    const config = await file("max-body-size: 10\nhold: 50ms\n")
    await using edge = await startEdge({ args: ["--config", config.path] })
    const send = async (): Promise<number> =>
      (await fetch(edge.url, { method: "POST", body: "a".repeat(20) })).status
    expect(await send()).toBe(413)
    await config.write("max-body-size: 20\nhold: 50ms\n")
    await readAgain(edge.program)
    expect(await send()).toBe(503)
  })

  test("takes a new error page", async () => {
    const [first, second] = [await file("<h1>first</h1>"), await file("<h1>second</h1>")]
    const config = await file(`error-page: ${first.path}\nhold: 50ms\n`)
    await using edge = await startEdge({ args: ["--config", config.path] })
    const page = async (): Promise<string> =>
      (await fetch(edge.url, { headers: { Accept: "text/html" } })).text()
    expect(await page()).toContain("first")
    await config.write(`error-page: ${second.path}\nhold: 50ms\n`)
    await readAgain(edge.program)
    expect(await page()).toContain("second")
  })

  test("takes the word of a new trusted proxy", async () => {
    await using upstream = await httpUpstream((request, response) =>
      response.end(request.headers["x-forwarded-for"]),
    )
    const config = await file("trusted-proxies: []\n")
    await using edge = await startEdge({ args: ["--config", config.path] })
    await using agent = await startAgent({ server: upstream.url, external: edge.url })
    await agent.attached()
    const seen = async (): Promise<string> =>
      (await fetch(edge.url, { headers: { "X-Forwarded-For": "192.0.2.1" } })).text()
    expect(await seen()).toBe("127.0.0.1")
    await config.write("trusted-proxies: 127.0.0.0/8\n")
    await readAgain(edge.program)
    expect(await seen()).toBe("192.0.2.1, 127.0.0.1")
  })

  test("reads the admin token's file", async () => {
    const secret = await file(token)
    await using edge = await startEdge({ args: ["--admin-token-file", secret.path] })
    const status = async (bearer: string): Promise<number> =>
      (await fetch(`${edge.url}/.restante/v1/status`, { headers: { Authorization: `Bearer ${bearer}` } }))
        .status
    expect(await status(token)).toBe(200)
    await secret.write(otherToken)
    await readAgain(edge.program)
    expect(await status(otherToken)).toBe(200)
    expect(await status(token)).not.toBe(200)
  })

  test("with a token file that is gone keeps the token and everything else", async () => {
    const secret = await file(token)
    const config = await file(`token-file: ${secret.path}\nmax-body-size: 10\nhold: 50ms\n`)
    await using edge = await startEdge({ args: ["--config", config.path] })
    await config.write("token-file: /no/such/token\nmax-body-size: 20\nhold: 50ms\n")
    edge.program.signal("SIGHUP")
    await until("the edge to refuse it", () => edge.program.hasLogged("the old one goes on"))
    expect((await fetch(edge.url, { method: "POST", body: "a".repeat(20) })).status).toBe(413)
  })
})

describe("edge and agent", () => {
  async function pairWithTokenFiles(): Promise<{
    readonly edge: Edge
    readonly agent: Agent
    readonly edgeFile: Awaited<ReturnType<typeof file>>
    readonly agentFile: Awaited<ReturnType<typeof file>>
  }> {
    const upstream = await httpUpstream((_request, response) => response.end("hello"))
    onTestFinished(() => upstream[Symbol.asyncDispose]())
    const [edgeFile, agentFile] = [await file(token), await file(token)]
    const edge = await startEdge({ args: ["--token-file", edgeFile.path] })
    onTestFinished(() => edge[Symbol.asyncDispose]())
    const args = ["--token-file", agentFile.path]
    const agent = await startAgent({ server: upstream.url, external: edge.url, args })
    onTestFinished(() => agent[Symbol.asyncDispose]())
    await agent.attached()
    return { edge, agent, edgeFile, agentFile }
  }

  test("the edge lets an agent go that came with the token that was replaced", async () => {
    const { edge, agent, edgeFile } = await pairWithTokenFiles()
    await edgeFile.write(otherToken)
    await readAgain(edge.program)
    await until("the agent to be out", async () => (await agent.status()).link.kind !== "connected")
    expect(edge.program.hasLogged("the token that opens every tunnel has changed")).toBe(true)
  })

  test("the agent shows the token that is in its file now", async () => {
    const { edge, agent, edgeFile, agentFile } = await pairWithTokenFiles()
    await Promise.all([edgeFile.write(otherToken), agentFile.write(otherToken)])
    await readAgain(edge.program)
    await readAgain(agent.program)
    await agent.attached()
    expect(await (await fetch(edge.url)).text()).toBe("hello")
  })

  test("an unchanged token leaves the agent attached", async () => {
    const { edge, agent } = await pairWithTokenFiles()
    await readAgain(edge.program)
    await readAgain(agent.program)
    expect((await agent.status()).link.kind).toBe("connected")
    expect(edge.program.hasLogged("the token that opens every tunnel has changed")).toBe(false)
    expect(agent.program.hasLogged("tunnels changed")).toBe(false)
  })
})

describe("an agent", () => {
  test("reads the file of authorities that it trusts", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("hello"))
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port })
    const trusted = await file(otherCertificate)
    await using agent = await startAgent({
      server: upstream.url,
      external: `https://localhost:${front.port}`,
      args: ["--external-ca-file", trusted.path],
    })
    await notAttached(agent)
    await trusted.write(authority)
    await readAgain(agent.program)
    await agent.attached()
    expect(await (await fetch(edge.url)).text()).toBe("hello")
  })

  test("reads its certificate and key", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("hello"))
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port, asksClients: true })
    const [trusted, certificate, key] = [
      await file(authority),
      await file(expiredCertificate),
      await file(serverKey),
    ]
    await using agent = await startAgent({
      server: upstream.url,
      external: `https://localhost:${front.port}`,
      args: [
        ...["--external-ca-file", trusted.path],
        ...["--external-cert-file", certificate.path, "--external-key-file", key.path],
      ],
    })
    await notAttached(agent)
    await Promise.all([certificate.write(clientCertificate), key.write(clientKey)])
    await readAgain(agent.program)
    await agent.attached()
    expect(await (await fetch(edge.url)).text()).toBe("hello")
  })

  test("with a certificate file that is broken goes on with what it had", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("hello"))
    await using edge = await startEdge()
    await using front = await tlsFront({ port: edge.port })
    const trusted = await file(authority)
    await using agent = await startAgent({
      server: upstream.url,
      external: `https://localhost:${front.port}`,
      args: ["--external-ca-file", trusted.path],
    })
    await agent.attached()
    await trusted.write("hello")
    agent.program.signal("SIGHUP")
    await until("the agent to refuse it", () => agent.program.hasLogged("holds no valid certificates"))
    expect(await (await fetch(edge.url)).text()).toBe("hello")
  })

  test("serves a new route, and no longer an old one", async () => {
    await using upstream = await httpUpstream((request, response) => response.end(request.url))
    await using edge = await startEdge()
    const config = await file("route: /old\n")
    await using agent = await startAgent({
      server: upstream.url,
      external: edge.url,
      tunnel: "shop",
      args: ["--config", config.path],
    })
    await agent.attached()
    expect(await (await fetch(`${edge.url}/old/a`)).text()).toBe("/old/a")
    await config.write("route: /new\nstrip-prefix: true\n")
    await readAgain(agent.program)
    await until("the new route to be served", async () => (await fetch(`${edge.url}/new/a`)).status === 200)
    expect(await (await fetch(`${edge.url}/new/a`)).text()).toBe("/a")
    expect((await fetch(`${edge.url}/old/a`)).status).toBe(404)
  })
})
