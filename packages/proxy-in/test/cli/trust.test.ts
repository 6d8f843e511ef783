// What proxy-in trusts and is trusted by: where its token and certificates come from, and that no secret is shown.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { certificate } from "../upstream/certificate.ts"
import { environment, proxyIn, quiet, temporaryDirectory, token } from "./stand-ins.ts"

describe("the token", () => {
  test("comes from --token-file, which wins over RESTANTE_TOKEN", async () => {
    const file = join(await temporaryDirectory(), "token")
    await writeFile(file, "from-the-file-this-time\n")
    const run = await proxyIn([...quiet, "--token-file", file], { environment })
    expect(run.options?.token.reveal()).toBe("from-the-file-this-time")
  })

  test("missing is one line that says how to give it", async () => {
    const run = await proxyIn(quiet)
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
    expect(run.stderr).toMatch(
      /^proxy-in: The edge's token is missing\. [^\n]*--token-file FILE[^\n]*RESTANTE_TOKEN[^\n]*\n$/,
    )
  })

  test.each([
    ["--token", token],
    [`--token=${token}`],
    [`--external-token=${token}`],
    [`RESTANTE_TOKEN=${token}`],
  ])("on the command line (%s) is refused with an explanation and not shown", async (...argv) => {
    const run = await proxyIn([...quiet, ...argv])
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
    expect(run.stderr).toContain("where every user of this machine can read it")
    expect(run.stderr).not.toContain(token)
  })

  test("is never printed or logged", async () => {
    const run = await proxyIn([...quiet, "--log-level", "trace"], { environment })
    expect(run.logged).toContain('"token":"[secret]"')
    expect(run.stdout + run.stderr + run.logged).not.toContain(token)
  })

  test.each([
    ["http://edge.example", true],
    ["https://edge.example", false],
    ["http://localhost:8080", false],
    ["http://[::1]:8080", false],
  ])("crossing a network in the clear is warned about: %s %s", async (external, warned) => {
    const run = await proxyIn(
      ["--server", "http://127.0.0.1:3000", "--external", external, "--port", "off"],
      { environment },
    )
    expect(run.logged.includes("unencrypted")).toBe(warned)
  })
})

describe("certificates", () => {
  const httpsEnds = [
    "--server",
    "https://app.internal",
    "--external",
    "https://edge.example",
    "--port",
    "off",
  ]

  test("of both ends reach the agent", async () => {
    const file = await certificateFile()
    const run = await proxyIn([...httpsEnds, "--ca-file", file, "--external-ca-file", file], { environment })
    expect(run.stderr).toBe("")
    expect(run.options?.server).toMatchObject({ ca: expect.stringContaining("BEGIN CERTIFICATE") })
    expect(run.options?.externalCa).toContain("BEGIN CERTIFICATE")
  })

  test.each([
    ["no certificate at all", "hello\n"],
    ["a broken one", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ["a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
  ])("a file that holds %s is noticed at start", async (_what, text) => {
    const file = join(await temporaryDirectory(), "ca.pem")
    await writeFile(file, text)
    const run = await proxyIn([...httpsEnds, "--ca-file", file], { environment })
    expect(run).toMatchObject({ exitCode: 1, options: undefined })
    expect(run.stderr).toMatch(
      /^proxy-in: --ca-file: "[^"]+ca\.pem" holds no valid certificates\. It wants PEM[^\n]+\n$/,
    )
  })

  test("a device, which has no end, is one line", async () => {
    const run = await proxyIn([...httpsEnds, "--ca-file", "/dev/zero"], { environment })
    expect(run.stderr).toBe('proxy-in: --ca-file: cannot read "/dev/zero", it is no regular file or pipe.\n')
    expect(run.exitCode).toBe(1)
  })

  test("a file that is not there is one line", async () => {
    const run = await proxyIn([...httpsEnds, "--external-ca-file", "/no/such/ca.pem"], { environment })
    expect(run.stderr).toBe(
      'proxy-in: --external-ca-file: cannot read "/no/such/ca.pem", there is no such file.\n',
    )
    expect(run.exitCode).toBe(1)
  })
})

async function certificateFile(): Promise<string> {
  const file = join(await temporaryDirectory(), "ca.pem")
  await writeFile(file, certificate)
  return file
}
