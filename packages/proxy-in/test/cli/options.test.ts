// What proxy-in's command line comes to: the options that reach the agent, and those that are refused.
import { describe, expect, test } from "vitest"
import { ends, environment, proxyIn, quiet, token } from "./stand-ins.ts"

describe("options", () => {
  test("with just the two ends, the documented defaults are used", async () => {
    const { options, logLevel, exitCode, stdout } = await proxyIn(quiet, { environment })
    expect(exitCode).toBe(0)
    expect(logLevel).toBe("info")
    expect(options).toMatchObject({
      server: { kind: "tcp", host: "127.0.0.1", port: 3000, tls: false, basePath: "", ca: undefined },
      externalCa: undefined,
      tunnel: "default",
      transport: "auto",
      concurrency: 1024,
      maxUpgrades: 4096,
      hostHeader: { kind: "preserve" },
    })
    expect(options?.external.href).toBe("http://127.0.0.1:8080/")
    expect(options?.token.reveal()).toBe(token)
    expect(stdout).toBe("http://127.0.0.1:8080 -> http://127.0.0.1:3000 (tunnel default)\n")
  })

  test("a tunnel of ports alone is not said to lead its requests anywhere", async () => {
    const args = ["--port", "off", "--external", "http://edge.example", "--tcp", "20022=127.0.0.1:22"]
    const { stdout } = await proxyIn(args, { environment })
    expect(stdout).toBe("http://edge.example -> takes no requests, ports only (tunnel default)\n")
  })

  test.each([
    [["--tunnel", "shop-2"], { tunnel: "shop-2" }],
    [
      ["--route", "App.example/api/", "--route", "/x"],
      { routes: ["app.example/api", "/x"], stripPrefix: false },
    ],
    [["--route", "/x", "--strip-prefix"], { routes: ["/x"], stripPrefix: true }],
    [["--transport", "poll"], { transport: "poll" }],
    [["--transport", "websocket"], { transport: "websocket" }],
    [["--concurrency", "1"], { concurrency: 1 }],
    [["--concurrency", "65535"], { concurrency: 65_535 }],
    [["--max-upgrades", "0"], { maxUpgrades: 0 }],
    [["--host-header", "upstream"], { hostHeader: { kind: "upstream" } }],
    [["--host-header", "app.internal"], { hostHeader: { kind: "value", value: "app.internal" } }],
  ])("%j reaches the agent", async (argv, expected) => {
    const run = await proxyIn([...quiet, ...argv], { environment })
    expect(run.stderr).toBe("")
    expect(run.options).toMatchObject(expected)
  })

  test.each([
    [[], false],
    [["--log-requests"], true],
  ])("%j: every request is a line at level info: %j", async (argv, expected) => {
    expect((await proxyIn([...quiet, ...argv], { environment })).options?.logRequests).toBe(expected)
  })

  test("--log-level sets the log's level", async () => {
    expect((await proxyIn([...quiet, "--log-level", "trace"], { environment })).logLevel).toBe("trace")
  })

  test.each([
    ["json", /^\{"level":30,.*"msg":"made"\}\n$/],
    ["auto", /^\{"level":30,.*"msg":"made"\}\n$/],
    ["pretty", /^\d\d:\d\d:\d\d info {2}made {2}options=/],
  ])("--log-format %s decides how the log of a pipe looks", async (format, looks) => {
    const run = await proxyIn([...quiet, "--log-format", format], { environment })
    expect(run.logged + run.stderr).toMatch(looks)
  })
})

describe("refusals", () => {
  test.each([
    [[], "--server is missing. Add --server URL: the private server: http://HOST:PORT"],
    [["--server", "http://127.0.0.1:3000"], "--external is missing. Add --external URL: the edge"],
    [[...ends, "--sever", "x"], "There is no option --sever. Did you mean --server?"],
    [[...ends, "--extrenal=x"], "There is no option --extrenal. Did you mean --external?"],
    [[...ends, "--concurency", "5"], "There is no option --concurency. Did you mean --concurrency?"],
    [["http://127.0.0.1:3000"], "There is a word without an option before it."],
    [["--server"], "--server has no value. Write --server URL."],
    [["--server", "localhost:3000"], "--server: Begin with http:// or https://"],
    [
      ["--server", "ftp://files.internal"],
      "--server: Begin with http:// or https:// (in HTTP/2: h2c:// or h2://), or unix:, as in http://127.0.0.1:3000,",
    ],
    [["--tcp", "0=127.0.0.1:22"], "--tcp: Write PORT=HOST:PORT, as in 20022=127.0.0.1:22"],
    [
      ["--udp", "00=127.0.0.1:53"],
      "--udp: Write PORT=HOST:PORT, as in 20022=127.0.0.1:22: first the edge's port, or auto,",
    ],
    [["--server", "http://a", "--external", "edge"], "--external: Begin with http:// or https://"],
    [[...ends, "--tunnel", "Shop"], "--tunnel: This is not a tunnel's name. Use 1 to 63 of a-z, 0-9 and -"],
    [[...ends, "--route", "https://a.example"], "--route: This is not a route. Write HOST, *.HOST,"],
    [[...ends, "--route", "/"], "--route: This is not a route."],
    [
      [...ends, ...Array.from({ length: 65 }, (_, index) => `--route=/${index}`)],
      "--route: a tunnel has 64 routes at most.",
    ],
    [
      [...ends, "--route", "a.example", "--strip-prefix"],
      "--strip-prefix is only for a --route with a /PREFIX.",
    ],
    [[...ends, "--tunnel=-shop"], "--tunnel: This is not a tunnel's name."],
    [[...ends, "--tunnel", "a".repeat(64)], "--tunnel: This is not a tunnel's name."],
    [[...ends, "--transport", "websockets"], "Did you mean websocket?"],
    [[...ends, "--transport", "carrier-pigeon"], '"carrier-pigeon" is not one of auto, poll, websocket.'],
    [[...ends, "--concurrency", "0"], "Give a whole number from 1 to 65535."],
    [[...ends, "--max-upgrades", "65536"], "Give a whole number from 0 to 65535."],
    [[...ends, "--host-header", "upstrem"], "--host-header: Write preserve, upstream, or a host name"],
    [[...ends, "--port", "of"], '--port: "of" is not possible. Give a whole number from 0 to 65535'],
    [[...ends, "--log-format", "xml"], '--log-format: "xml" is not one of auto, pretty, json.'],
    [[...ends, "--log-level", "loud"], '--log-level: "loud" is not one of fatal,'],
    [[...ends, "--ca-file", "ca.pem"], "--ca-file is only for an https:// --server."],
    [
      ["--server", "unix:/s", ...ends.slice(2), "--ca-file", "ca.pem"],
      "--ca-file is only for an https:// --server.",
    ],
    [[...ends, "--external-ca-file", "ca.pem"], "--external-ca-file is only for an https:// --external."],
  ])("%j is refused in one line that says what to do", async (argv, line) => {
    const run = await proxyIn(argv, { environment })
    expect(run.stderr).toContain(line)
    expect(run.stderr).toMatch(/^proxy-in: [^\n]+\n$/)
    expect(run).toMatchObject({ exitCode: 2, options: undefined, stdout: "" })
  })
})
