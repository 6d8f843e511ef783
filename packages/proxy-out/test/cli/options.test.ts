// What proxy-out's command line comes to: the options that reach the edge, those that are refused, and a start that fails.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { proxyOut, temporaryDirectory } from "./stand-ins.ts"

const environment = { RESTANTE_TOKEN: "a-token-for-these-tests" }

describe("options", () => {
  test("without any, the documented defaults are used", async () => {
    const { options, logLevel, exitCode } = await proxyOut([], { environment })
    expect(exitCode).toBe(0)
    expect(logLevel).toBe("info")
    expect(options).toMatchObject({
      host: "::",
      port: 80,
      redisUrl: undefined,
      dispatch: "queue",
      holdMs: 30_000,
      timeoutMs: 60_000,
      maxQueue: 10_000,
      maxBodyBytes: Number.POSITIVE_INFINITY,
      trustedProxies: [],
      patience: { headMs: 30_000, bodyMs: 60_000, idleMs: 75_000 },
    })
  })

  test.each([
    [["--port", "8080"], { port: 8080 }],
    [["--port=0"], { port: 0 }],
    [["--port", "65535"], { port: 65_535 }],
    [["--host", "127.0.0.1"], { host: "127.0.0.1" }],
    [["--host", "[::1]"], { host: "::1" }],
    [["--host", "localhost"], { host: "localhost" }],
    [["--redis", "redis://10.0.0.5:6379"], { redisUrl: "redis://10.0.0.5:6379" }],
    [["--redis", "rediss://queue.internal:6380/3"], { redisUrl: "rediss://queue.internal:6380/3" }],
    [
      ["--redis", "redis+sentinel://a:26379,b:26379/main"],
      { redisUrl: "redis+sentinel://a:26379,b:26379/main" },
    ],
    [["--dispatch", "direct"], { dispatch: "direct" }],
    [["--hold", "500ms"], { holdMs: 500 }],
    [["--hold", "0s"], { holdMs: 0 }],
    [["--timeout", "2m"], { timeoutMs: 120_000 }],
    [["--max-queue", "5000"], { maxQueue: 5000 }],
    [["--max-body-size", "64KiB"], { maxBodyBytes: 65_536 }],
    [["--max-body-size", "0"], { maxBodyBytes: 0 }],
    [["--max-body-size", "unlimited"], { maxBodyBytes: Number.POSITIVE_INFINITY }],
    [
      ["--trusted-proxies", "10.0.0.0/8", "--trusted-proxies", "::1"],
      {
        trustedProxies: [
          { address: "10.0.0.0", prefixBits: 8 },
          { address: "::1", prefixBits: 128 },
        ],
      },
    ],
    [["--head-timeout", "5s"], { patience: { headMs: 5000, bodyMs: 60_000, idleMs: 75_000 } }],
    [["--body-timeout", "2m"], { patience: { headMs: 30_000, bodyMs: 120_000, idleMs: 75_000 } }],
    [["--idle-timeout", "1s"], { patience: { headMs: 30_000, bodyMs: 60_000, idleMs: 1000 } }],
    [["--min-rate", "1KiB"], { patience: { minBytesPerSecond: 1024, minStreamBytesPerSecond: 0 } }],
    [["--min-stream-rate", "8B"], { patience: { minBytesPerSecond: 16, minStreamBytesPerSecond: 8 } }],
    [["--max-open-connections", "500"], { maxOpenConnections: 500 }],
    [["--domain", "Tunnels.Example"], { domain: "tunnels.example" }],
    [["--tokens-file", "/etc/restante/tokens.json"], { tokensFile: "/etc/restante/tokens.json" }],
    [["--default-token", "off"], { token: undefined }],
  ])("%j reaches the edge", async (argv, expected) => {
    const run = await proxyOut(argv, { environment })
    expect(run.stderr).toBe("")
    expect(run.options).toMatchObject(expected)
  })

  test("--log-level sets the log's level", async () => {
    expect((await proxyOut(["--log-level", "debug"], { environment })).logLevel).toBe("debug")
  })

  test.each([
    ["json", /^\{"level":30,.*"msg":"made"\}\n$/],
    ["auto", /^\{"level":30,.*"msg":"made"\}\n$/],
    ["pretty", /^\d\d:\d\d:\d\d info {2}made {2}options=/],
  ])("--log-format %s decides how the log of a pipe looks", async (format, looks) => {
    const run = await proxyOut(["--log-format", format], { environment })
    expect(run.logged + run.stderr).toMatch(looks)
  })

  test("--error-page is read at the start", async () => {
    const path = join(await temporaryDirectory(), "page.html")
    await writeFile(path, "<h1>{{status}}")
    const { options } = await proxyOut(["--error-page", path], { environment })
    expect(options?.errorPage).toBeDefined()
  })

  test("--error-page with a mistyped placeholder is one line with the nearest one", async () => {
    const path = join(await temporaryDirectory(), "page.html")
    await writeFile(path, "<h1>\n{{statsu}}")
    const run = await proxyOut(["--error-page", path], { environment })
    expect(run.stderr).toBe(
      `proxy-out: --error-page: ${path}: Line 2 has {{statsu}}, which is not known. Did you mean {{status}}?\n`,
    )
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
  })

  test("PROXY_OUT_REDIS may hold the password that --redis may not", async () => {
    const url = "redis://:pa55word@10.0.0.5:6379"
    const run = await proxyOut([], { environment: { ...environment, PROXY_OUT_REDIS: url } })
    expect(run.options?.redisUrl).toBe(url)
  })

  test("--redis wins over PROXY_OUT_REDIS", async () => {
    const run = await proxyOut(["--redis", "redis://flag"], {
      environment: { ...environment, PROXY_OUT_REDIS: "redis://variable" },
    })
    expect(run.options?.redisUrl).toBe("redis://flag")
  })
})

describe("refusals", () => {
  test.each([
    [["--prot", "80"], "There is no option --prot. Did you mean --port?"],
    [["--Port", "80"], "There is no option --Port. Did you mean --port?"],
    [["--maxqueue=5"], "There is no option --maxqueue. Did you mean --max-queue?"],
    [["--token_file", "f"], "There is no option --token_file. Did you mean --token-file?"],
    [["--verbose"], "There is no option --verbose. See --help for the ones there are."],
    [["-p", "80"], "There is no option -p. See --help for the ones there are."],
    [["--no-port"], "There is no option --no-port."],
    [["8080"], "There is a word without an option before it."],
    [["--", "--port", "8080"], "There is a word without an option before it."],
    [["--port"], "--port has no value. Write --port PORT."],
    [["--port", "--host", "::1"], "--port has no value. Write --port PORT."],
    [["--port="], "--port has no value. Write --port PORT."],
    [["--port", "1", "--port", "2"], "--port is given more than once. Keep one."],
    [["--port", "http"], '--port: "http" is not possible. Give a whole number from 0 to 65535.'],
    [["--port", "65536"], "Give a whole number from 0 to 65535."],
    [["--port", "-1"], "Give a whole number from 0 to 65535."],
    [["--port", "80.5"], "Give a whole number from 0 to 65535."],
    [["--port", "0x50"], "Give a whole number from 0 to 65535."],
    [["--host", "127.0.0.1:80"], "--host: This is not an address to listen on. Give one without port"],
    [["--host", "http://x"], "--host: This is not an address to listen on."],
    [["--domain", "a.example:80"], "--domain: This is not a domain. Give a name without port"],
    [["--domain", "*.a.example"], "--domain: This is not a domain."],
    [["--default-token", "no"], '--default-token: "no" is not one of on, off.'],
    [["--redis", "localhost:6379"], "--redis: This is not the URL of a Redis. Write redis://HOST:PORT"],
    [["--redis", "http://localhost"], "--redis: This is not the URL of a Redis."],
    [["--redis", "redis://host/queue"], "or redis://HOST:PORT/DB for another database."],
    [["--dispatch", "direkt"], '--dispatch: "direkt" is not one of queue, direct. Did you mean direct?'],
    [
      ["--hold", "30"],
      '--hold: "30" is not a duration. It needs a unit: 30s for seconds, 30ms for milliseconds.',
    ],
    [["--hold", "25h"], '--hold: "25h" is out of range. Give 0s to 24h.'],
    [["--timeout", "0s"], '--timeout: "0s" is out of range. Give 10ms to 24h.'],
    [["--max-queue", "0"], '--max-queue: "0" is not possible. Give a whole number from 1 to 1000000.'],
    [["--max-body-size", "10 apples"], '--max-body-size: "10 apples" is not a size.'],
    [["--max-body-size", "9000GiB"], "is out of range."],
    [
      ["--trusted-proxies", "10.0.0.0/33"],
      '--trusted-proxies: "10.0.0.0/33" is no range of addresses. Write one as in 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32.',
    ],
    [["--trusted-proxies", "proxy.internal"], '"proxy.internal" is no range of addresses.'],
    [["--head-timeout", "500ms"], '--head-timeout: "500ms" is out of range. Give 1s to 1h.'],
    [["--body-timeout", "0s"], '--body-timeout: "0s" is out of range. Give 1s to 24h.'],
    [["--idle-timeout", "75"], '--idle-timeout: "75" is not a duration.'],
    [["--log-format", "logfmt"], '--log-format: "logfmt" is not one of auto, pretty, json.'],
    [
      ["--log-level", "verbose"],
      '--log-level: "verbose" is not one of fatal, error, warn, info, debug, trace, silent.',
    ],
  ])("%j is refused in one line that says what to do", async (argv, line) => {
    const run = await proxyOut(argv, { environment })
    expect(run.stderr).toContain(line)
    expect(run.stderr).toMatch(/^proxy-out: [^\n]+\n$/)
    expect(run).toMatchObject({ exitCode: 2, options: undefined, stdout: "" })
  })

  test.each([
    [
      ["--redis", "redis://:pa55word@10.0.0.5:6379"],
      {},
      "--redis: A password does not belong on the command line",
    ],
    [[], { PROXY_OUT_REDIS: "http://:pa55word@host" }, "PROXY_OUT_REDIS: This is not the URL of a Redis."],
  ])("a Redis password is never shown: %j", async (argv, variables, line) => {
    const run = await proxyOut(argv, { environment: { ...environment, ...variables } })
    expect(run).toMatchObject({ exitCode: 2, options: undefined })
    expect(run.stderr).toContain(line)
    expect(run.stderr).not.toContain("pa55word")
  })
})

describe("options about TLS that do not fit together", () => {
  const pair = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]
  test.each([
    [
      ["--tls-cert", "cert.pem"],
      "proxy-out: --tls-key: every certificate needs its key: --tls-cert is given 1 times",
    ],
    [["--redirect-port", "8080"], "proxy-out: --redirect-port: there is no TLS port to send clients to."],
    [
      [...pair, "--port", "443", "--redirect-port", "443"],
      "proxy-out: --redirect-port: that is the port of --port",
    ],
    [[...pair, "--h2c"], "proxy-out: --h2c: with --tls-cert the port speaks TLS"],
  ])("%s is one line with the remedy and exit status 2", async (args, line) => {
    const run = await proxyOut(args, { environment })
    expect(run).toMatchObject({ exitCode: 2, stdout: "" })
    expect(run.stderr).toContain(line)
    expect(run.stderr).toMatch(/^[^\n]+\n$/)
  })
})

describe("a start that fails", () => {
  test.each([
    ["EACCES", "proxy-out: Cannot listen on [::]:80: ports below 1024 need root"],
    ["EADDRINUSE", "proxy-out: Cannot listen on [::]:80: another program listens there."],
  ])("%s is one line with the remedy and exit status 1", async (code, line) => {
    const start = (): Promise<never> => Promise.reject(Object.assign(new Error("listen"), { code }))
    const run = await proxyOut([], { environment, start })
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stops: 1 })
    expect(run.stderr).toContain(line)
    expect(run.stderr).toMatch(/^[^\n]+\n$/)
  })
})
