// proxy-in service install, uninstall and status: with real files, and a systemctl that only notes what it is told.
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test as base } from "vitest"
import { machine } from "../../src/service/machine.ts"
import type { ServiceHost } from "../../src/service/service-host.ts"
import { proxyIn, type Run } from "../cli/stand-ins.ts"

interface Place {
  readonly folder: string
  /** The unit of a user's own service. */
  readonly unit: string
  /** What systemctl was told, in order. */
  calls(): Promise<string[]>
  run(words: readonly string[], host?: Partial<ServiceHost>): Promise<Run>
  /** What systemctl does: lines of a shell script. */
  systemctl(script: string): Promise<void>
}

const test = base.extend<{ place: Place }>({
  // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
  place: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "restante-service-"))
    const log = join(folder, "calls")
    const systemctl = async (script: string): Promise<void> => {
      const path = join(folder, "bin", "systemctl")
      await writeFile(path, `#!/bin/sh\necho "$@" >>${log}\n${script}\n`)
      await chmod(path, 0o755)
    }
    await mkdir(join(folder, "bin"))
    await writeFile(log, "")
    await writeFile(join(folder, "token"), "the-secret-token-of-this-test\n", { mode: 0o600 })
    await systemctl("exit 0")
    const real = machine({
      platform: "linux",
      execPath: process.execPath,
      argv: [process.execPath, process.execPath],
      env: { PATH: `${join(folder, "bin")}:/usr/bin:/bin`, XDG_CONFIG_HOME: folder },
      cwd: () => folder,
    })
    await use({
      folder,
      unit: join(folder, "systemd", "user", "proxy-in.service"),
      calls: async () => (await readFile(log, "utf8")).trim().split("\n"),
      systemctl,
      run: (words, host = {}) => proxyIn(words, { serviceHost: { ...real, systemdRuns: true, ...host } }),
    })
    await rm(folder, { recursive: true })
  },
})

const given = ["--server", "http://127.0.0.1:3000", "--external", "https://edge.example"]
const systemInstall = ["service", "install", ...given, "--token-file", "token"]
const install = [...systemInstall, "--user"]

test("install writes a unit, starts it now and at every boot, and says where its log is", async ({
  place,
}) => {
  const run = await place.run(install)
  expect(run).toMatchObject({ exitCode: 0, stderr: "" })
  expect(await place.calls()).toEqual([
    "--user daemon-reload",
    "--user enable proxy-in.service",
    "--user restart proxy-in.service",
  ])
  expect(run.stdout).toContain("Log: journalctl --user -u proxy-in -f")
})

test("a file of --config means the same as where it was tried: names in it begin in the same folder", async ({
  place,
}) => {
  const file = join(place.folder, "agent.yaml")
  await writeFile(file, "token-file: token\n")
  const withFile = await place.run(["service", "install", "--config", file, ...given, "--user"])
  const fromFile = await readFile(place.unit, "utf8")
  await place.run(install)
  expect(withFile).toMatchObject({ exitCode: 0, stderr: "" })
  expect(fromFile).toContain(`\nWorkingDirectory=${place.folder}\n`)
  expect(await readFile(place.unit, "utf8")).not.toContain("WorkingDirectory")
})

test("the unit names the token's file with its whole path and never the token", async ({ place }) => {
  await place.run(install)
  const unit = await readFile(place.unit, "utf8")
  expect(unit).toContain(`--token-file ${join(place.folder, "token")}`)
  expect(unit).not.toContain("the-secret-token")
})

test("several services stand side by side by their names", async ({ place }) => {
  await place.run(install)
  await place.run([...install, "--name", "wiki"])
  const units = await readdir(join(place.folder, "systemd", "user"))
  expect(units.toSorted()).toEqual(["proxy-in.service", "wiki.service"])
})

test("--dry-run prints the unit and changes nothing, also where there is no systemd", async ({ place }) => {
  const run = await place.run([...install, "--dry-run"], { systemdRuns: false })
  expect(run.stdout).toContain("ExecStart=")
  expect(await place.calls()).toEqual([""])
  await expect(access(place.unit)).rejects.toThrow("ENOENT")
})

test("a token from the environment is not enough: a service would not see it", async ({ place }) => {
  const run = await place.run(["service", "install", "--user", ...given])
  expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("give --token-file") })
})

test("a file that is not there is found before anything is written", async ({ place }) => {
  const run = await place.run(["service", "install", "--user", ...given, "--token-file", "tokn"])
  expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("There is no file") })
  await expect(access(place.unit)).rejects.toThrow("ENOENT")
})

test("what systemctl complains of is told in one line", async ({ place }) => {
  await place.systemctl("echo 'Failed to connect to bus' >&2; exit 1")
  const run = await place.run(install)
  expect(run.stderr).toBe("proxy-in: systemctl --user daemon-reload failed: Failed to connect to bus\n")
  expect(run.exitCode).toBe(1)
})

test("without systemd it says so, and what to do instead", async ({ place }) => {
  const run = await place.run(install, { systemdRuns: false })
  expect(run).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/not run by systemd.*service manager or container/),
  })
})

test("elsewhere than on Linux it says that services are systemd's only", async ({ place }) => {
  const run = await place.run(install, { platform: "darwin" })
  expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("This is not Linux") })
})

test("a system's service runs as a user of its own, which gets a copy of the token", async ({ place }) => {
  const unitDirectories = { system: join(place.folder, "etc"), user: "/nowhere" }
  const program = ["/usr/bin/node", "/usr/lib/proxy-in.js"]
  await place.run(systemInstall, {
    unitDirectories,
    program,
    readableByAll: () => Promise.resolve(true),
  })
  const unit = await readFile(join(place.folder, "etc", "proxy-in.service"), "utf8")
  expect(unit).toContain("DynamicUser=yes")
  expect(unit).toContain(`LoadCredential=token-file:${join(place.folder, "token")}`)
})

test.for(["root", "home", "tmp"])(
  "a program below /%s is out of reach for such a user, and it says so",
  async (folder, { place }) => {
    const run = await place.run(systemInstall, {
      program: [join("/", folder, "me", "bin", "node")],
      readableByAll: () => Promise.resolve(true),
    })
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--run-as USER") })
  },
)

test("a program in a closed folder is out of reach for such a user, and it says so", async ({ place }) => {
  const program = join(place.folder, "closed", "proxy-in.js")
  await mkdir(join(place.folder, "closed"), { mode: 0o700 })
  await writeFile(program, "")
  const real = machine(process)
  expect(await real.readableByAll(program)).toBe(false)
  expect(await real.readableByAll("/etc/passwd")).toBe(true)
})

test("a folder that cannot be written names the remedy", async ({ place }) => {
  const unitDirectories = { system: join(place.folder, "token", "units"), user: "/nowhere" }
  const run = await place.run([...systemInstall, "--run-as", "www-data"], { unitDirectories })
  expect(run).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/Cannot write .* use sudo, or --user/),
  })
})

test("uninstall stops the service and removes its unit and nothing else", async ({ place }) => {
  await place.run(install)
  await place.run([...install, "--name", "wiki"])
  const run = await place.run(["service", "uninstall", "--user"])
  expect(run).toMatchObject({ exitCode: 0, stdout: `Stopped proxy-in and removed ${place.unit}.\n` })
  expect((await place.calls()).slice(-2)).toEqual([
    "--user disable --now proxy-in.service",
    "--user daemon-reload",
  ])
  await expect(access(place.unit)).rejects.toThrow("ENOENT")
  await access(join(place.folder, "systemd", "user", "wiki.service"))
  await access(join(place.folder, "token"))
})

test.for([install, ["service", "uninstall", "--user"]])(
  "a unit that somebody else wrote is left alone by %s %s",
  async (words, { place }) => {
    await mkdir(join(place.folder, "systemd", "user"), { recursive: true })
    await writeFile(place.unit, "[Service]\n")
    expect(await place.run(words)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("was not written by proxy-in"),
    })
    expect(await readFile(place.unit, "utf8")).toBe("[Service]\n")
    expect(await place.calls()).toEqual([""])
  },
)

test("status is one line and exit status 0 while it runs", async ({ place }) => {
  await place.run(install)
  await place.systemctl(
    "echo MainPID=42; echo ActiveState=active; echo SubState=running; echo 'ActiveEnterTimestamp=Sat 2026-11-21 10:00:00 UTC'",
  )
  expect(await place.run(["service", "status", "--user"])).toMatchObject({
    exitCode: 0,
    stdout:
      "proxy-in runs since Sat 2026-11-21 10:00:00 UTC (process 42). Log: journalctl --user -u proxy-in -f\n",
  })
})

test("status is one line and exit status 3 when it does not run", async ({ place }) => {
  await place.run(install)
  await place.systemctl("echo ActiveState=failed; echo SubState=failed; echo ExecMainStatus=2")
  expect(await place.run(["service", "status", "--user"])).toMatchObject({
    exitCode: 3,
    stdout:
      "proxy-in is failed (failed); its last exit status was 2. Log: journalctl --user -u proxy-in -f\n",
  })
})

test("status of a service that is not there says which options matter", async ({ place }) => {
  expect(await place.run(["service", "status", "--user", "--name", "wiki"])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("There is no service wiki"),
  })
})
