// `proxy-out doctor` as a person calls it: exit codes, lines, JSON.
import { expect, test } from "vitest"
import { closedPort } from "../../../../test/support/upstream.ts"
import { proxyOut, temporaryDirectory } from "./stand-ins.ts"

test("where nothing fails the exit code is 0 and the last line says so", async () => {
  const argv = [
    "doctor",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--data-dir",
    await temporaryDirectory(),
    "--max-queue",
    "10",
  ]
  const { exitCode, stdout } = await proxyOut(argv)
  expect([exitCode, stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "All is well."])
})

test("where a step fails the exit code is 1, and --json says which", async () => {
  const redis = `redis://127.0.0.1:${await closedPort()}`
  const argv = ["doctor", "--port", "0", "--data-dir", await temporaryDirectory(), "--redis", redis, "--json"]
  const { exitCode, stdout } = await proxyOut(argv)
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    1,
    { ok: false, findings: expect.arrayContaining([expect.objectContaining({ code: "redis_unreachable" })]) },
  ])
})
