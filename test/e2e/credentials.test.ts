// Named tokens with the real programs: made, listed and revoked by the real commands while an edge runs.
import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { fetchWhole, RawClient } from "../support/client.ts"
import { proxyOut } from "../support/edge-command.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startAgent, startEdge, token } from "../support/pair.ts"
import { until } from "../support/until.ts"
import { httpUpstream } from "../support/upstream.ts"

/** A new token's text. */
async function create(dataDir: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await proxyOut("token", "create", ...args, "--data-dir", dataDir)
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

function attach(url: string, shown: string): Promise<Response> {
  return fetch(`${url}/.restante/v1/attach`, {
    method: "POST",
    headers: { authorization: `Bearer ${shown}` },
  })
}

describe("named tokens", { concurrent: true, timeout: 120_000 }, () => {
  test("that are made while the edge runs let agents in to their tunnels, and to no others", async () => {
    await using folder = await temporaryFolder()
    await using upstream = await httpUpstream((_request, response) => response.end("served"))
    await using edge = await startEdge({ dataDir: folder.path })
    const made = await create(folder.path, "shop", "--tunnels", "shop,shop-*")
    const options = { server: upstream.url, external: edge.url, token: made }
    await using shop = await startAgent({ ...options, tunnel: "shop-2" })
    await using other = await startAgent({ ...options, tunnel: "other" })
    await shop.attached()
    await until("the other to be refused", () => other.program.hasLogged("does not allow this tunnel"))
    const { text } = await fetchWhole(edge.url, { headers: { host: "shop-2.example" } })
    const everything = [...edge.program.logged, ...shop.program.logged, ...other.program.logged].join("\n")
    expect([text, everything.includes(made)]).toEqual(["served", false])
  })

  test("for certain tunnels take no requests for other hosts: a route has to be allowed", async () => {
    await using folder = await temporaryFolder()
    await using own = await httpUpstream((_request, response) => response.end("own"))
    await using foreign = await httpUpstream((_request, response) => response.end("foreign"))
    await using edge = await startEdge({ dataDir: folder.path })
    const bare = await create(folder.path, "ci", "--tunnels", "ci")
    const routed = await create(folder.path, "web", "--tunnels", "web", "--routes", "*.web.example")
    const options = { server: foreign.url, external: edge.url }
    await using shop = await startAgent({ ...options, server: own.url, tunnel: "shop" })
    await shop.attached()
    const ci = { ...options, token: bare, tunnel: "ci", args: ["--route", "shop.example"] }
    await using thief = await startAgent(ci)
    const web = { ...options, token: routed, tunnel: "web", args: ["--route", "a.web.example"] }
    await using allowed = await startAgent(web)
    await allowed.attached()
    await until("the other to be refused", () => thief.program.hasLogged("does not allow this route"))
    const texts = ["shop.example", "a.web.example"].map((host) => fetchWhole(edge.url, { headers: { host } }))
    expect((await Promise.all(texts)).map(({ text }) => text)).toEqual(["own", "foreign"])
  })

  test("that are revoked end their sessions within 3 s, and the agent says what to do", async () => {
    await using folder = await temporaryFolder()
    let asked = 0
    await using upstream = await httpUpstream((_request, response) => {
      asked++
      response.write("begins")
    })
    const made = await create(folder.path, "shop")
    await using edge = await startEdge({ dataDir: folder.path })
    await using agent = await startAgent({ server: upstream.url, external: edge.url, token: made })
    await agent.attached()
    const running = fetchWhole(edge.url).then(
      () => "whole",
      () => "broken off",
    )
    await until("the upstream to be asked", () => asked > 0)
    await proxyOut("token", "revoke", "shop", "--data-dir", folder.path)
    await until("the agent to say so", () => agent.program.hasLogged("refuses the token"), 3000)
    expect([await running, (await agent.status()).link.kind]).toEqual(["broken off", "reconnecting"])
  })

  test("that are revoked while their agent still sends what it wants let nobody in", async () => {
    await using folder = await temporaryFolder()
    const made = await create(folder.path, "shop")
    await using edge = await startEdge({ dataDir: folder.path })
    const body = '{"protocol":1,"tunnel":"shop","instance":"slow","concurrency":1,"software":"a test"}'
    using slow = new RawClient(edge.port)
    slow.send(`POST /.restante/v1/attach HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${made}\r\n`)
    slow.send(`Content-Length: ${body.length}\r\n\r\n{`)
    await until("the token to be known", async () => (await attach(edge.url, made)).status === 400)
    await proxyOut("token", "revoke", "shop", "--data-dir", folder.path)
    await until("the token to be gone", async () => (await attach(edge.url, made)).status === 401)
    slow.send(body.slice(1))
    expect(await slow.receives(/\r\n\r\n.*\}$/)).toMatch(/^HTTP\/1\.1 401 [^]*token_refused/)
  })

  test("are kept as hashes in a file that only its owner reads, and listed without what they are", async () => {
    await using folder = await temporaryFolder()
    const made = await create(folder.path, "shop", "--tunnels", "shop", "--expires", "90d")
    const file = join(folder.path, "tokens.json")
    const { stdout } = await proxyOut("token", "list", "--data-dir", folder.path)
    const secret = made.slice("rst_".length + 13)
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600")
    expect([(await readFile(file, "utf8")).includes(secret), stdout.includes(secret)]).toEqual([false, false])
    expect(stdout).toMatch(
      /^NAME +TUNNELS +ROUTES +PORTS +CREATED +EXPIRES\nshop +shop +- +- +\d{4}-\d\d-\d\d +\d{4}-.*Z\n$/,
    )
  })

  test("stay valid while their file is broken", async () => {
    await using folder = await temporaryFolder()
    const made = await create(folder.path, "shop")
    await using edge = await startEdge({ dataDir: folder.path })
    await writeFile(join(folder.path, "tokens.json"), "{ half a fi")
    await until("the edge to say so", () => edge.program.hasLogged("those read before stay valid"))
    // 400: let in, and found to say nothing.
    expect((await attach(edge.url, made)).status).toBe(400)
  })

  test("are all that counts where the default token is off", async () => {
    await using folder = await temporaryFolder()
    const made = await create(folder.path, "shop")
    await using edge = await startEdge({ dataDir: folder.path, args: ["--default-token", "off"] })
    const answers = await Promise.all([attach(edge.url, token), attach(edge.url, made)])
    expect(answers.map(({ status }) => status)).toEqual([401, 400])
  })
})

describe("wrong tokens", { timeout: 120_000 }, () => {
  test("are answered with 429 after 30 in a minute, logged once, and do not hinder a right one from the same address", async () => {
    await using upstream = await httpUpstream((_request, response) => response.end("served"))
    await using edge = await startEdge()
    const answers: Response[] = []
    for (let index = 0; index < 40; index++) answers.push(await attach(edge.url, `wrong-${index}`))
    await using agent = await startAgent({ server: upstream.url, external: edge.url })
    await agent.attached()
    const statuses = answers.map(({ status }) => status)
    const retryAfter = Number(answers.at(-1)?.headers.get("retry-after"))
    const lines = edge.program.logged.filter((line) => line.includes("wrong or missing token"))
    expect([statuses.filter((status) => status === 401).length, statuses.at(-1)]).toEqual([30, 429])
    expect([retryAfter > 0, retryAfter <= 60, lines.length]).toEqual([true, true, 1])
    expect((await fetchWhole(edge.url)).text).toBe("served")
  })

  test("behind a trusted proxy are counted and told by the client's address", async () => {
    await using edge = await startEdge({ args: ["--trusted-proxies", "127.0.0.1"] })
    const url = `${edge.url}/.restante/v1/attach`
    const tryFrom = (address: string): Promise<Response> =>
      fetch(url, { method: "POST", headers: { authorization: "Bearer wrong", "x-forwarded-for": address } })
    for (let index = 0; index < 31; index++) await tryFrom("203.0.113.9")
    const answers = await Promise.all([tryFrom("203.0.113.9"), tryFrom("203.0.113.10")])
    expect(answers.map(({ status }) => status)).toEqual([429, 401])
    expect(edge.program.hasLogged("203.0.113.9")).toBe(true)
  })
})
