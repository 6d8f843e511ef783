// Programs that people use every day, through the pair: git, npm, and a path that holds every body back until it is whole.
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { type IncomingMessage, request } from "node:http"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { mib, readBulk, writeBulk } from "../support/bulk.ts"
import { begin, fetchWhole } from "../support/client.ts"
import { succeed } from "../support/command.ts"
import { temporaryFolder } from "../support/folder.ts"
import { gitServer } from "../support/git-server.ts"
import { startAgent, startEdge, startPair, transports } from "../support/pair.ts"
import { startRegistry } from "../support/registry.ts"
import { bufferingProxy } from "../support/relay.ts"
import { bodyOf, httpUpstream } from "../support/upstream.ts"

const minute = 60_000

describe.for(transports)("over %s", { concurrent: true, timeout: minute }, (transport) => {
  test("git push and git clone over smart HTTP carry a repository unchanged", async () => {
    await using folder = await temporaryFolder()
    const server = join(folder.path, "server")
    const git = (cwd: string, ...args: string[]): Promise<string> =>
      succeed("git", args, {
        cwd,
        env: {
          HOME: folder.path,
          GIT_CONFIG_NOSYSTEM: "1",
          GIT_TERMINAL_PROMPT: "0",
          GIT_AUTHOR_NAME: "tester",
          GIT_AUTHOR_EMAIL: "tester@example.com",
          GIT_COMMITTER_NAME: "tester",
          GIT_COMMITTER_EMAIL: "tester@example.com",
        },
      })
    await mkdir(server)
    await git(server, "init", "--quiet", "--bare", "project.git")
    await using upstream = await gitServer(server)
    await using pair = await startPair({ server: upstream.url, transport })
    const remote = `${pair.url}/project.git`

    await git(folder.path, "clone", "--quiet", remote, "mine")
    const mine = join(folder.path, "mine")
    // More than git keeps in memory before it sends a body in chunks.
    const file = randomBytes(5 * mib)
    await writeFile(join(mine, "large"), file)
    await writeFile(join(mine, "read me"), "hello\n")
    await git(mine, "add", ".")
    await git(mine, "commit", "--quiet", "-m", "first")
    await git(mine, "push", "--quiet", "origin", "HEAD:main")
    await git(folder.path, "clone", "--quiet", "--branch", "main", remote, "theirs")
    const theirs = join(folder.path, "theirs")

    expect(await git(theirs, "rev-parse", "HEAD")).toBe(await git(mine, "rev-parse", "HEAD"))
    expect(file.equals(await readFile(join(theirs, "large")))).toBe(true)
    await git(theirs, "fsck", "--strict")
    // Once more, now that there is something to compare with.
    await writeFile(join(theirs, "read me"), "hello again\n")
    await git(theirs, "commit", "--quiet", "-am", "second")
    await git(theirs, "push", "--quiet")
    await git(mine, "pull", "--quiet", "origin", "main")
    expect(await readFile(join(mine, "read me"), "utf8")).toBe("hello again\n")
  })
})

test("npm publish and npm install work against a private registry", { timeout: 2 * minute }, async () => {
  await using folder = await temporaryFolder()
  await using registry = await startRegistry(folder.path)
  await using pair = await startPair({ server: registry.url })
  const npm = (cwd: string, ...args: string[]): Promise<string> =>
    succeed("npm", [...args, "--registry", `${pair.url}/`, "--no-audit", "--no-fund"], {
      cwd,
      env: {
        HOME: folder.path,
        npm_config_cache: join(folder.path, "cache"),
        npm_config_update_notifier: "false",
      },
    })
  const user = { name: "tester", password: "only-for-this-test" }
  const login = await fetchWhole(`${pair.url}/-/user/org.couchdb.user:tester`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(user),
  })
  const { token } = JSON.parse(login.text) as { token: string }
  await writeFile(join(folder.path, ".npmrc"), `//127.0.0.1:${pair.port}/:_authToken=${token}\n`)

  const published = join(folder.path, "greeting")
  await mkdir(published)
  const file = randomBytes(2 * mib)
  await writeFile(
    join(published, "package.json"),
    JSON.stringify({ name: "@private/greeting", version: "1.2.3" }),
  )
  await writeFile(join(published, "index.js"), `module.exports = "hello"\n`)
  await writeFile(join(published, "data.bin"), file)
  await npm(published, "publish", "--access", "public")

  const consumer = join(folder.path, "consumer")
  await mkdir(consumer)
  await writeFile(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }))
  await npm(consumer, "install", "@private/greeting@^1.0.0")
  expect(await succeed(process.execPath, ["-p", `require("@private/greeting")`], { cwd: consumer })).toBe(
    "hello\n",
  )
  expect(file.equals(await readFile(join(consumer, "node_modules/@private/greeting/data.bin")))).toBe(true)
  expect(await readFile(join(consumer, "package-lock.json"), "utf8")).toContain(`"resolved": "${pair.url}/`)
})

test.for([
  ["auto", true],
  ["poll", false],
] as const)(
  "behind a proxy that holds every body back until it is whole and knows no upgrades, --transport %s still serves everything",
  { timeout: minute },
  async ([transport, triesWebSocket]) => {
    const bytes = 20 * mib
    await using upstream = await httpUpstream(async (incoming, response) => {
      if (incoming.method === "PUT") response.end(JSON.stringify(await readBulk(incoming)))
      else if (incoming.url === "/download") await writeBulk(response, bytes)
      else if (incoming.url === "/events") response.write("data: at once\n\n")
      else response.end("small")
    })
    await using edge = await startEdge()
    await using proxy = await bufferingProxy(edge.port)
    await using agent = await startAgent({ server: upstream.url, external: proxy.url, transport })
    await agent.attached()
    expect((await fetchWhole(`${edge.url}/`)).text).toBe("small")
    const events = await begin(`${edge.url}/events`)
    expect(String((await once(events, "data"))[0])).toBe("data: at once\n\n")
    events.destroy()
    expect(await readBulk(await begin(`${edge.url}/download`))).toEqual({ bytes })
    const upload = request(`${edge.url}/`, {
      method: "PUT",
      headers: { "content-length": bytes },
      agent: false,
    })
    const [[answer]] = await Promise.all([
      once(upload, "response") as Promise<[IncomingMessage]>,
      writeBulk(upload, bytes),
    ])
    expect(JSON.parse((await bodyOf(answer)).toString())).toEqual({ bytes })
    expect((await agent.status()).carriedOn).toBe("poll")
    expect(proxy.refusedUpgrades() > 0).toBe(triesWebSocket)
  },
)
