// The two built programs as they are configured: sources and their precedence, looking at it, checking a file, reading it again.
import { chmod, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { temporaryFolder } from "./support/folder.ts"
import { token } from "./support/pair.ts"
import { Program } from "./support/program.ts"
import { until } from "./support/until.ts"
import { httpUpstream } from "./support/upstream.ts"

interface Ran {
  readonly code: number | null
  readonly said: string
  readonly logged: string
}

/** Runs a program to its end. */
async function ran(
  name: "proxy-out" | "proxy-in",
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  await using program = new Program({ name, args, token: undefined, environment })
  const { code } = await program.ended
  return { code, said: program.said.join("\n"), logged: program.logged.join("\n") }
}

async function folderOfTest(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(await folderOfTest(), name)
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

test("a flag wins over the environment, that over the file, and that over the default", async () => {
  const path = await file("out.yaml", "port: 1001\nhold: 11s\ntimeout: 12s\n")
  const { code, said } = await ran("proxy-out", ["--print-config", "--config", path, "--port", "3003"], {
    PROXY_OUT_PORT: "2002",
    PROXY_OUT_HOLD: "22s",
  })
  expect(code).toBe(0)
  const lines = said.split("\n").map((line) => line.replaceAll(/ +/g, " "))
  expect(lines).toContain("port: 3003 # flag")
  expect(lines).toContain("hold: 22s # environment PROXY_OUT_HOLD")
  expect(lines).toContain(`timeout: 12s # file ${path}:3`)
  expect(lines).toContain("max-queue: 10000 # default")
})

test("what --print-config prints is a file that gives the same", async () => {
  const path = await file(
    "in.yaml",
    "external: http://127.0.0.1:1\ntunnels:\n  a:\n    server: http://127.0.0.1:2\n  b:\n    server: unix:/x\n    concurrency: 3\n",
  )
  const first = await ran("proxy-in", ["--print-config", "--config", path])
  const again = await ran("proxy-in", ["--print-config", "--config", await file("again.yaml", first.said)])
  const values = ({ said }: Ran): string[] =>
    said
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .map((line) => line.replace(/ +#.*$/, ""))
  expect(values(again)).toEqual(values(first))
  expect(values(first)).toContain("    concurrency: 3")
})

test("--print-config hides secrets, and says what is missing with exit status 0", async () => {
  const edge = await ran("proxy-out", ["--print-config"], { PROXY_OUT_REDIS: "redis://:pa55word@10.0.0.5" })
  expect(edge).toMatchObject({ code: 0, logged: "" })
  expect(edge.said).toContain('redis: "[secret]"')
  expect(edge.said).not.toContain("pa55word")
  const agent = await ran("proxy-in", ["--print-config"])
  expect(agent).toMatchObject({ code: 0, logged: "" })
  expect(agent.said).toContain("# server: missing, and required")
})

test("--print-config with something wrong prints the rest, the error, and ends with 2", async () => {
  const { code, said, logged } = await ran("proxy-out", ["--print-config", "--hold", "soon"])
  expect(code).toBe(2)
  expect(said).toContain("port: 80")
  expect(logged).toContain('proxy-out: --hold: "soon" is not a duration.')
})

test("variables that Kubernetes sets for a service called proxy-out are no configuration", async () => {
  const { code, said } = await ran("proxy-out", ["--print-config"], {
    PROXY_OUT_PORT: "tcp://10.0.0.1:80",
    PROXY_OUT_SERVICE_HOST: "10.0.0.1",
    PROXY_OUT_SERVICE_PORT: "80",
    PROXY_OUT_SERVICE_PORT_HTTP: "80",
    PROXY_OUT_PORT_80_TCP: "tcp://10.0.0.1:80",
    PROXY_OUT_PORT_80_TCP_PROTO: "tcp",
    PROXY_OUT_PORT_80_TCP_PORT: "80",
    PROXY_OUT_PORT_80_TCP_ADDR: "10.0.0.1",
  })
  expect(code).toBe(0)
  expect(said).toMatch(/^port: 80 +# default$/m)
})

test.each([
  [
    { PROXY_OUT_HLOD: "3s" },
    "The environment holds PROXY_OUT_HLOD, which is no option. Did you mean PROXY_OUT_HOLD?",
  ],
  [{ PROXY_OUT_TOKEN: "x" }, "PROXY_OUT_TOKEN is no option. Did you mean RESTANTE_TOKEN?"],
  [{ PROXY_OUT_HOLD: "3" }, 'PROXY_OUT_HOLD: "3" is not a duration. It needs a unit'],
  [
    { PROXY_OUT_CONFIG: "/nowhere.yaml" },
    'Cannot read the configuration "/nowhere.yaml": there is no such file.',
  ],
])("the environment %j is refused in one line that says what to do", async (environment, line) => {
  const { code, said, logged } = await ran("proxy-out", [], environment)
  expect([0, said]).not.toEqual([code, said])
  expect(logged).toContain(`proxy-out: ${line}`)
  expect(logged).not.toContain("\n")
})

test("config check says everything that is wrong in a file, a line each", async () => {
  const path = await file(
    "bad.yaml",
    "prot: 1\nhold: 30\nport: 99999\nport: 1\ntimeout: [1]\nmax-queue:\n  a: 1\nlog-level:\n",
  )
  const { code, said, logged } = await ran("proxy-out", ["config", "check", path])
  expect([code, said]).toEqual([2, ""])
  expect(logged.split("\n").map((line) => line.replace(path, "FILE"))).toEqual([
    "FILE:1:1: There is no option prot. Did you mean port?",
    'FILE:2:7: hold: "30" is not a duration. It needs a unit: 30s for seconds, 30ms for milliseconds.',
    'FILE:3:7: port: "99999" is not possible. Give a whole number from 0 to 65535.',
    "FILE:4:1: This name stands there twice, first on line 3. Keep one.",
    "FILE:5:10: timeout wants one value, not a list. Write  timeout: DURATION",
    "FILE:7:3: max-queue wants one value, not options of its own. Write  max-queue: N",
    "FILE:8:11: log-level has no value. Write  log-level: LEVEL  or leave the line out.",
  ])
})

test("config check of a file that is fine says so, and what has to come from elsewhere", async () => {
  const path = await file("in.yaml", "external: https://edge.example\n")
  expect(await ran("proxy-in", ["config", "check", path])).toEqual({
    code: 0,
    said: `${path} is fine\nNot in it, and needed by flag or environment: server`,
    logged: "",
  })
})

test("config check says which named files are not there and which options do not fit, a line each", async () => {
  const path = await file(
    "in.yaml",
    [
      "external: http://edge.example",
      "external-ca-file: /no/ca.pem",
      "token-file: /no/token",
      "tunnels:",
      "  a:",
      "    server: http://a",
      "    strip-prefix: true",
      "  b:",
      "    server: https://b",
      "    ca-file: /no/b.pem\n",
    ].join("\n"),
  )
  const { code, logged } = await ran("proxy-in", ["config", "check", path])
  expect(code).toBe(2)
  expect(logged.split("\n").map((line) => line.replace(path, "FILE"))).toEqual([
    "FILE:2:19: --external-ca-file is only for an https:// --external. Leave it out, or write https://.",
    expect.stringMatching(/^FILE:3:13: --token-file: cannot read that file, there is no such file\./),
    expect.stringMatching(/^FILE:7:19: --strip-prefix is only for a --route with a \/PREFIX\./),
    'FILE:10:14: --ca-file: cannot read "/no/b.pem", there is no such file.',
  ])
})

test("config check of an edge's file looks into the files that it names, and makes none", async () => {
  const path = await file("out.yaml", "tls-cert: /no/cert.pem\ntoken-file: /no/token\nerror-page: /no/page\n")
  const { code, logged } = await ran("proxy-out", ["config", "check", path])
  expect(code).toBe(2)
  expect(logged.split("\n").map((line) => line.replace(path, "FILE"))).toEqual([
    expect.stringMatching(/--tls-key: every certificate needs its key/),
    expect.stringMatching(/^FILE:2:13: --token-file: cannot read that file, there is no such file\./),
    expect.stringMatching(/^FILE:3:13: --error-page: \/no\/page cannot be read: there is no such file\./),
  ])
})

test("a file with a secret that others may read is warned about", async () => {
  const path = await file("out.yaml", "redis: redis://:pa55word@127.0.0.1\n", 0o644)
  const { code, said } = await ran("proxy-out", ["config", "check", path])
  expect(code).toBe(0)
  expect(said).toContain(`${path} holds a secret and others may read it: chmod 600 it`)
})

test("a directory, no YAML, and far too large a file are one line each", async () => {
  const folder = await folderOfTest()
  await mkdir(join(folder, "dir"))
  const broken = await file("broken.yaml", "port: 1: 2\n")
  const large = await file("large.yaml", "#".repeat(1024 * 1024 + 1))
  const runs = await Promise.all(
    [join(folder, "dir"), broken, large].map((path) => ran("proxy-out", ["--config", path])),
  )
  expect(runs.map(({ code }) => code)).toEqual([1, 2, 2])
  expect(runs.map(({ logged }) => logged)).toEqual([
    expect.stringMatching(/^proxy-out: Cannot read the configuration "[^"]+": it is a directory\. [^\n]+$/),
    expect.stringMatching(/^proxy-out: [^\n]+broken\.yaml:1:7: This is not YAML: [^\n]+$/),
    expect.stringMatching(/^proxy-out: "[^"]+" is larger than 1 MiB: [^\n]+$/),
  ])
})

const quiet = ["--host", "127.0.0.1", "--port", "0", "--log-format", "json"]

test("SIGHUP changes what can change, and says what needs a restart", async () => {
  const path = await file("out.yaml", "hold: 20s\n")
  await using edge = new Program({ name: "proxy-out", args: [...quiet, "--config", path], token })
  const url = await edge.line(/(http:\/\/127\.0\.0\.1:\d+)/)
  await writeFile(path, "hold: 50ms\ndispatch: direct\nlog-level: debug\n")
  edge.signal("SIGHUP")
  await until("the edge to read it again", () => edge.hasLogged("configuration read again"))
  // No agent is there: only the new, short hold lets this end in time.
  expect((await fetch(url)).status).toBe(503)
  expect(edge.logged.find((line) => line.includes("configuration read again"))).toContain(
    '"changed":["--hold","--log-level"]',
  )
  await until("the edge to ask for a restart", () => edge.hasLogged('"options":["--dispatch"]'))
})

test("a broken file on SIGHUP changes nothing and is logged", async () => {
  const path = await file("out.yaml", "hold: 50ms\n")
  await using edge = new Program({ name: "proxy-out", args: [...quiet, "--config", path], token })
  const url = await edge.line(/(http:\/\/127\.0\.0\.1:\d+)/)
  await writeFile(path, "hold: 20s\nprot: 1\n")
  edge.signal("SIGHUP")
  await until("the edge to refuse it", () => edge.hasLogged("There is no option prot. Did you mean port?"))
  expect((await fetch(url)).status).toBe(503)
})

test("SIGHUP adds and removes single tunnels of an agent", async () => {
  await using upstream = await httpUpstream(() => "hello")
  await using edge = new Program({ name: "proxy-out", args: quiet, token })
  const url = await edge.line(/(http:\/\/127\.0\.0\.1:\d+)/)
  const tunnel = (name: string): string => `  ${name}:\n    server: ${upstream.url}\n`
  const path = await file("in.yaml", `external: ${url}\ntunnels:\n${tunnel("one")}${tunnel("two")}`)
  const args = ["--config", path, "--port", "off", "--log-format", "json"]
  await using agent = new Program({ name: "proxy-in", args, token })
  await until(
    "both tunnels to attach",
    () => edge.hasLogged('"tunnel":"one"') && edge.hasLogged('"tunnel":"two"'),
  )
  await writeFile(path, `external: ${url}\ntunnels:\n${tunnel("one")}${tunnel("three")}`)
  agent.signal("SIGHUP")
  await until("the third tunnel to attach", () => edge.hasLogged('"tunnel":"three"'))
  expect(agent.logged.find((line) => line.includes("tunnels changed"))).toContain(
    '"added":["three"],"removed":["two"],"changed":[]',
  )
})
