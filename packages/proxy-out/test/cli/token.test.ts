import { execFileSync } from "node:child_process"
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { describe, expect, test } from "vitest"
import { defaultDataDir } from "../../src/token.ts"
import { proxyOut, temporaryDirectory } from "./stand-ins.ts"

const given = "a-token-that-the-operator-chose"

describe("a token that is given", () => {
  test("comes from --token-file, and the command to copy names that file", async () => {
    const file = join(await temporaryDirectory(), "my token")
    await writeFile(file, `${given}\n`)
    const run = await proxyOut(["--token-file", file, "--host", "127.0.0.1", "--port", "8080"])
    expect(run.options?.token?.reveal()).toBe(given)
    expect(run.stdout).toContain(
      `  proxy-in --server http://127.0.0.1:8080 --external http://127.0.0.1:8080 --token-file '${file}'\n`,
    )
  })

  test("comes from RESTANTE_TOKEN, and nothing is written", async () => {
    const home = await temporaryDirectory()
    const run = await proxyOut([], { environment: { RESTANTE_TOKEN: given }, home })
    expect(run.options?.token?.reveal()).toBe(given)
    expect(run.stdout).toContain("RESTANTE_TOKEN has to hold the same token there")
    expect(await readdir(home)).toEqual([])
  })

  test("is never printed, logged or shown, not even on a terminal", async () => {
    const run = await proxyOut(["--log-level", "trace"], {
      environment: { RESTANTE_TOKEN: given },
      terminal: true,
    })
    expect(run.logged).toContain('"token":"[secret]"')
    expect(run.stdout + run.stderr + run.logged).not.toContain(given)
  })

  test("is warned about when it can be guessed", async () => {
    const run = await proxyOut([], { environment: { RESTANTE_TOKEN: "short" } })
    expect(run.options?.token?.reveal()).toBe("short")
    expect(run.logged).toContain("so short that it can be guessed")
  })

  test("may come through a pipe", async () => {
    const path = join(await temporaryDirectory(), "pipe")
    execFileSync("mkfifo", [path])
    const [run] = await Promise.all([proxyOut(["--token-file", path]), writeFile(path, `${given}\n`)])
    expect(run.options?.token?.reveal()).toBe(given)
  })

  test.each([
    ["missing", "no-such-file", "there is no such file"],
    ["a directory", ".", "it is a directory"],
    ["a device", "/dev/zero", "it is no regular file or pipe"],
  ])("a token file that is %s is one line and exit status 1", async (_what, name, reason) => {
    const run = await proxyOut(["--token-file", resolve(await temporaryDirectory(), name)])
    expect(run).toMatchObject({ exitCode: 1, options: undefined })
    expect(run.stderr).toMatch(/^proxy-out: --token-file: cannot read that file, [^\n]+\n$/)
    expect(run.stderr).toContain(reason)
  })

  test("an empty token file is refused", async () => {
    const file = join(await temporaryDirectory(), "empty")
    await writeFile(file, "\n")
    const run = await proxyOut(["--token-file", file])
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
    expect(run.stderr).toContain("The file of --token-file holds no token.")
  })

  test.each([
    ["--token", given],
    [`--token=${given}`],
    [`--auth-token=${given}`],
    [`RESTANTE_TOKEN=${given}`],
  ])("on the command line (%s) is refused with an explanation and not shown", async (...argv) => {
    const run = await proxyOut(argv)
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
    expect(run.stderr).toContain("where every user of this machine can read it")
    expect(run.stderr).not.toContain(given)
  })

  test("in the place of its file's name is not shown", async () => {
    const token = "l4YQ7u0rJm6nB3x9V2c8K1pZ5sT0wE6aHdGfRyUiOqM"
    const run = await proxyOut(["--token-file", token])
    expect(run.stderr).toContain("the name of a file that holds the token, not the token")
    expect(run.stderr).not.toContain(token)
  })

  test("without its option is not shown", async () => {
    const run = await proxyOut(["--port", "80", given])
    expect(run.stderr).toContain("There is a word without an option before it.")
    expect(run.stderr).not.toContain(given)
  })
})

describe("a token that proxy-out makes", () => {
  test("is 32 random bytes, kept for its owner only, in a directory for its owner only", async () => {
    const dataDir = join(await temporaryDirectory(), "state", "restante")
    const run = await proxyOut(["--data-dir", dataDir])
    const file = join(dataDir, "token")
    const token = (await readFile(file, "utf8")).trim()
    expect(Buffer.from(token, "base64url")).toHaveLength(32)
    expect(run.options?.token?.reveal()).toBe(token)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    expect(await readdir(dataDir)).toEqual(["token"])
  })

  test("is the same at the next start, and different elsewhere", async () => {
    const dataDir = await temporaryDirectory()
    const first = await proxyOut(["--data-dir", dataDir])
    const second = await proxyOut(["--data-dir", dataDir])
    const elsewhere = await proxyOut(["--data-dir", await temporaryDirectory()])
    expect(second.options?.token?.reveal()).toBe(first.options?.token?.reveal())
    expect(elsewhere.options?.token?.reveal()).not.toBe(first.options?.token?.reveal())
  })

  test("is one and the same for two programs that start for the first time together", async () => {
    const dataDir = await temporaryDirectory()
    const runs = await Promise.all(Array.from({ length: 8 }, () => proxyOut(["--data-dir", dataDir])))
    expect(new Set(runs.map(({ options }) => options?.token?.reveal())).size).toBe(1)
    expect(await readdir(dataDir)).toEqual(["token"])
  })

  test("is shown once: on a terminal, at the first start", async () => {
    const dataDir = await temporaryDirectory()
    const first = await proxyOut(["--data-dir", dataDir], { terminal: true })
    const token = first.options?.token?.reveal() ?? "(none)"
    const second = await proxyOut(["--data-dir", dataDir], { terminal: true })
    expect(first.stdout).toContain(token)
    expect(first.stderr + first.logged).not.toContain(token)
    expect(second.stdout).not.toContain(token)
    expect(second.stdout).toContain(`The token is in ${join(dataDir, "token")}`)
  })

  test("is not shown to a pipe, which gets the command that works on this machine", async () => {
    const dataDir = await temporaryDirectory()
    const run = await proxyOut(["--data-dir", dataDir, "--port", "0"], { ownAddress: "10.1.2.3" })
    expect(run.stdout).toContain("Listening on http://10.1.2.3:8080\n")
    expect(run.stdout).toContain(
      `proxy-in --server http://127.0.0.1:8080 --external http://10.1.2.3:8080 --token-file ${join(dataDir, "token")}\n`,
    )
    expect(run.stdout + run.stderr + run.logged).not.toContain(run.options?.token?.reveal())
  })

  test("that was opened to others is closed again", async () => {
    const dataDir = await temporaryDirectory()
    await proxyOut(["--data-dir", dataDir])
    await chmod(join(dataDir, "token"), 0o644)
    await proxyOut(["--data-dir", dataDir])
    expect((await stat(join(dataDir, "token"))).mode & 0o777).toBe(0o600)
  })

  test("that was emptied is not replaced behind the operator's back", async () => {
    const dataDir = await temporaryDirectory()
    await writeFile(join(dataDir, "token"), "")
    const run = await proxyOut(["--data-dir", dataDir])
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
    expect(run.stderr).toContain("holds no token")
  })

  test("that cannot be kept is one line with the remedy", async () => {
    const file = join(await temporaryDirectory(), "in-the-way")
    await mkdir(join(file, ".."), { recursive: true })
    await writeFile(file, "")
    const run = await proxyOut(["--data-dir", join(file, "restante")])
    expect(run).toMatchObject({ exitCode: 1, options: undefined })
    expect(run.stderr).toMatch(
      /^proxy-out: Cannot keep a token in [^\n]+ Name a directory of yours with --data-dir[^\n]+\n$/,
    )
  })

  test.each([
    [{ XDG_STATE_HOME: "/state" }, "/state/restante"],
    [{ XDG_STATE_HOME: "relative" }, "/home/ada/.local/state/restante"],
    [{}, "/home/ada/.local/state/restante"],
  ])("lies where the system keeps state: %j gives %s", (environment, expected) => {
    expect(defaultDataDir(environment, "/home/ada")).toBe(expected)
  })
})
