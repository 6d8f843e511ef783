// The units of ops/systemd and those that proxy-in writes, checked by systemd's own systemd-analyze.
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, test as base } from "vitest"
import { Program } from "../support/program.ts"

const run = promisify(execFile)

const test = base.extend<{ folder: string }>({
  // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "restante-units-"))
    await use(folder)
    await rm(folder, { recursive: true })
  },
})

test.for(["proxy-out", "proxy-in"])("%s.service is what systemd understands", async (name, { folder }) => {
  const unit = await readFile(
    fileURLToPath(new URL(`../../ops/systemd/${name}.service`, import.meta.url)),
    "utf8",
  )
  expect(await problems(folder, name, unit)).toBe("")
})

test.for(["proxy-out", "proxy-in"])(
  "%s.service is shut in: exposure below 2 of 10",
  async (name, { folder }) => {
    const unit = await readFile(
      fileURLToPath(new URL(`../../ops/systemd/${name}.service`, import.meta.url)),
      "utf8",
    )
    expect(await exposure(folder, name, unit)).toBeLessThan(2)
  },
)

test("the unit that proxy-in writes is what systemd understands, and as shut in", async ({ folder }) => {
  const token = join(folder, "token")
  await writeFile(token, "a token\n")
  await using program = new Program({
    name: "proxy-in",
    args: [
      ...["service", "install", "--dry-run", "--run-as", "daemon"],
      ...["--server", "http://127.0.0.1:3000", "--external", "https://edge.example", "--token-file", token],
    ],
    token: undefined,
  })
  expect(await program.ended).toEqual({ code: 0, signal: null })
  const unit = program.said.join("\n")
  expect(await problems(folder, "proxy-in", unit)).toBe("")
  expect(await exposure(folder, "proxy-in", unit)).toBeLessThan(2)
})

/** What systemd has to say about a unit whose program is installed. */
async function problems(folder: string, name: string, unit: string): Promise<string> {
  const path = await written(folder, name, unit)
  const { stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", path])
  return stdout + stderr
}

async function exposure(folder: string, name: string, unit: string): Promise<number> {
  const path = await written(folder, name, unit)
  const { stdout } = await run("systemd-analyze", ["security", "--offline=true", "--no-pager", path])
  return Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
}

async function written(folder: string, name: string, unit: string): Promise<string> {
  const path = join(folder, `${name}.service`)
  await writeFile(path, unit.replaceAll(`/usr/local/bin/${name}`, process.execPath))
  return path
}
