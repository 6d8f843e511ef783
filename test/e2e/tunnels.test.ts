// Several tunnels at one edge, and at two: who gets which request, and what is remembered.
import { describe, expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { proxyOut } from "../support/edge-command.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startAgent, startEdge } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { httpUpstream, type HttpUpstream } from "../support/upstream.ts"

/** Answers with its name, what it was asked for, and which prefix was cut. */
function named(name: string): Promise<HttpUpstream> {
  return httpUpstream(({ url, headers }, response) =>
    response.end(`${name} ${url} ${String(headers["x-forwarded-prefix"] ?? "-")}`),
  )
}

async function ask(edge: { readonly url: string }, host: string, target: string): Promise<string> {
  const { status, text } = await fetchWhole(`${edge.url}${target}`, { headers: { host } })
  return status === 200 ? text : String(status)
}

describe("several tunnels", { concurrent: true, timeout: 120_000 }, () => {
  test("get what comes for their host, their wildcard, their path and their name, with the prefix cut for those that want it", async () => {
    await using shop = await named("shop")
    await using api = await named("api")
    await using wild = await named("wild")
    await using blog = await named("blog")
    await using edge = await startEdge()
    const at = (server: HttpUpstream, ...args: readonly string[]): Parameters<typeof startAgent>[0] => ({
      server: server.url,
      external: edge.url,
      args,
    })
    await using shopAgent = await startAgent({ ...at(shop, "--route", "shop.example"), tunnel: "shop" })
    await using apiAgent = await startAgent({
      ...at(api, "--route", "shop.example/api", "--strip-prefix"),
      tunnel: "api",
    })
    await using wildAgent = await startAgent({ ...at(wild, "--route", "*.example"), tunnel: "wild" })
    await using blogAgent = await startAgent({ ...at(blog), tunnel: "blog" })
    await Promise.all([shopAgent, apiAgent, wildAgent, blogAgent].map((agent) => agent.attached()))
    const answers = await Promise.all([
      ask(edge, "Shop.Example:8080", "/"),
      ask(edge, "shop.example", "/apix"),
      ask(edge, "shop.example", "/api/x%2F?y"),
      ask(edge, "shop.example", "/api?y"),
      ask(edge, "shop.example", "/api"),
      ask(edge, "a.b.example", "/api"),
      ask(edge, "blog.elsewhere", "/"),
    ])
    expect(answers).toEqual([
      "shop / -",
      "shop /apix -",
      "api /x%2F?y /api",
      "api /?y /api",
      "api / /api",
      "wild /api -",
      "blog / -",
    ])
  })

  test("with --domain a name that nobody has served gets 404 at once, and one whose agent is away waits", async () => {
    await using upstream = await named("blog")
    await using edge = await startEdge({ args: ["--domain", "edge.example", "--hold", "20s"] })
    const options = { server: upstream.url, external: edge.url, tunnel: "blog" }
    await using first = await startAgent(options)
    await first.attached()
    first.program.signal("SIGTERM")
    await first.program.ended
    const waits = ask(edge, "blog.edge.example", "/")
    const refused = await fetchWhole(`${edge.url}/`, { headers: { host: "other.edge.example" } })
    await using second = await startAgent(options)
    expect(await waits).toBe("blog / -")
    expect([refused.status, refused.headers["restante-error"], refused.headers["proxy-status"]]).toEqual([
      404,
      "tunnel_unknown",
      'restante; error=destination_not_found; details="not forwarded"',
    ])
    expect((await second.status()).link.kind).toBe("connected")
  })

  test("and their routes are known after a restart of the edge, before any agent is back", async () => {
    await using folder = await temporaryFolder()
    await using upstream = await named("shop")
    const args = ["--hold", "1s"]
    await using edge = await startEdge({ args, dataDir: folder.path })
    await using agent = await startAgent({
      server: upstream.url,
      external: edge.url,
      tunnel: "shop",
      args: ["--route", "shop.example"],
    })
    await agent.attached()
    await until("the tunnel to be in the file", async () =>
      (await proxyOut("tunnel", "list", "--data-dir", folder.path)).stdout.includes("shop.example"),
    )
    await agent.program.kill()
    await edge.program.kill()
    await using again = await startEdge({ args, dataDir: folder.path })
    expect(await Promise.all([ask(again, "shop.example", "/"), ask(again, "other.example", "/")])).toEqual([
      "503",
      "404",
    ])
  })

  test("at two edges with one Redis are known at both at once, and a route has one holder", async () => {
    await using redis = await startRedis()
    await using upstream = await named("shop")
    const args = ["--redis", redis.url, "--hold", "1s"]
    await using here = await startEdge({ args })
    await using there = await startEdge({ args })
    const options = { server: upstream.url, args: ["--route", "shop.example"] }
    await using agent = await startAgent({ ...options, external: there.url, tunnel: "shop" })
    await agent.attached()
    const other = await until("the other edge to know it", async () => {
      const answer = await ask(here, "shop.example", "/")
      return answer === "shop / -" && answer
    })
    await using rival = await startAgent({ ...options, external: here.url, tunnel: "rival" })
    await until("the rival to be refused", () => rival.program.hasLogged("has this route already"))
    await agent.program.kill()
    const unknown = await ask(here, "nobody.example", "/")
    expect([other, unknown, rival.program.hasLogged("shop.example")]).toEqual(["shop / -", "404", true])
  })

  test("that were forgotten give their routes free, also while the edge runs", async () => {
    await using folder = await temporaryFolder()
    await using upstream = await named("new")
    await using edge = await startEdge({ dataDir: folder.path })
    const options = { server: upstream.url, external: edge.url, args: ["--route", "shop.example"] }
    await using first = await startAgent({ ...options, tunnel: "old" })
    await first.attached()
    await using second = await startAgent({ ...options, tunnel: "new" })
    await until("the second to be refused", () => second.program.hasLogged("has this route already"))
    first.program.signal("SIGTERM")
    await first.program.ended
    const forgotten = await until("the first to be in the file", async () => {
      const said = await proxyOut("tunnel", "forget", "old", "--data-dir", folder.path)
      return said.code === 0 && said.stdout
    })
    await second.attached()
    expect([forgotten, await ask(edge, "shop.example", "/")]).toEqual([
      "Tunnel old is forgotten.\n",
      "new / -",
    ])
  })
})

test("tunnel list says why Redis does not answer, and shows no password", async () => {
  await using redis = await startRedis({ args: ["--requirepass", "a-password-of-redis"] })
  const said = await proxyOut("tunnel", "list", "--redis", redis.url)
  expect(said).toMatchObject({ code: 1, stdout: "" })
  expect(said.stderr).toMatch(/^proxy-out: Redis does not do what it is asked: NOAUTH [^\n]+\n$/)
})
