// `proxy-in doctor` as a person calls it: exit codes, lines, JSON.
import { expect, test } from "vitest"
import { closedPort } from "../../../../test/support/upstream.ts"
import { proxyIn, type Run } from "./stand-ins.ts"

const environment = { RESTANTE_TOKEN: "a-token-of-these-tests-0123456789" }

async function doctor(...more: readonly string[]): Promise<Run> {
  const nothing = `http://127.0.0.1:${await closedPort()}`
  return proxyIn(["doctor", "--server", nothing, "--external", nothing, "--quick", ...more], { environment })
}

test("where a step fails the exit code is 1, and every finding is one line with its remedy", async () => {
  const { exitCode, stdout, stderr } = await doctor()
  expect([exitCode, stderr]).toEqual([1, ""])
  expect(stdout).toMatch(
    /^failed +tcp +nothing listens at the edge's address \(.*\)\. .*check the port in --external/m,
  )
  expect(stdout.trimEnd().split("\n")).toHaveLength(12)
})

test("where --tcp and --udp lead is looked at, also without --server", async () => {
  const nobody = await closedPort()
  const { stdout } = await proxyIn(
    [
      ...["doctor", "--external", `http://127.0.0.1:${nobody}`, "--quick"],
      ...["--tcp", `20022=127.0.0.1:${nobody}`, "--udp", "auto=no-such-server.invalid:53"],
    ],
    { environment },
  )
  expect(stdout).toContain(
    `failed   --tcp 20022 nothing listens there (127.0.0.1:${nobody}: ECONNREFUSED). Start the private server, or change --tcp 20022.\n`,
  )
  expect(stdout).toContain("failed   --udp auto its name does not resolve (no-such-server.invalid:53: ")
  expect(stdout).not.toMatch(/ upstream /)
})

test("--json is one object that a program can read, without the token", async () => {
  const { stdout } = await doctor("--json")
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    findings: expect.arrayContaining([expect.objectContaining({ step: "tcp", code: "tcp_refused" })]),
  })
  expect(stdout).not.toContain(environment.RESTANTE_TOKEN)
})

test("a mistyped option is told as everywhere", async () => {
  const { exitCode, stderr } = await doctor("--quik")
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Did you mean --quick?")])
})
