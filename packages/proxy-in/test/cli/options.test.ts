import { writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { certificate } from "../upstream/certificate.ts"
import { proxyIn, temporaryDirectory } from "./stand-ins.ts"

const token = "a-token-for-these-tests"
const environment = { RESTANTE_TOKEN: token }
const ends = ["--server", "http://127.0.0.1:3000", "--external", "http://127.0.0.1:8080"]
const quiet = [...ends, "--port", "off"]

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

  test("a file that is not there is one line", async () => {
    const run = await proxyIn([...httpsEnds, "--external-ca-file", "/no/such/ca.pem"], { environment })
    expect(run.stderr).toBe(
      'proxy-in: --external-ca-file: cannot read "/no/such/ca.pem", there is no such file.\n',
    )
    expect(run.exitCode).toBe(1)
  })
})

describe("the status page", () => {
  test("is served on the given port while the agent runs, and its address is printed", async () => {
    const run = await proxyIn([...ends, "--tunnel", "shop", "--port", "0"], {
      environment,
      whileRunning: tunnelIsShop,
    })
    expect(run).toMatchObject({ exitCode: 0, stderr: "", stops: 1 })
  })

  test("on a port that is taken is one line with the remedy, and no agent is left running", async () => {
    const port = await takenPort(0)
    const run = await proxyIn([...ends, "--port", String(port)], { environment })
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stops: 1 })
    expect(run.stderr).toBe(
      `proxy-in: Cannot listen on 127.0.0.1:${port}: another program listens there. Stop it, or choose another port with --port.\n`,
    )
  })

  test("that nobody asked for is left out when its usual port is taken", async () => {
    // Whoever else has the port serves the test as well.
    await takenPort(8081).catch(() => {})
    const run = await proxyIn(ends, { environment })
    expect(run).toMatchObject({ exitCode: 0, stderr: "" })
    expect(run.stdout).not.toContain("Status on")
    expect(run.logged).toContain("no status page")
  })
})

describe("help and version", () => {
  test.each(["--help", "-h"])(
    "%s lists every option in its group, with defaults and examples",
    async (flag) => {
      const run = await proxyIn([flag])
      expect(run).toMatchObject({ exitCode: 0, stderr: "", options: undefined })
      expect(run.stdout).toMatchInlineSnapshot(`
        "The private side of Restante. Collects requests from a proxy-out on a public
        host, gives them to a private server, and takes the answers back. It only
        connects outwards: no port of the firewall has to be opened.

        Usage: proxy-in [options]
               proxy-in COMMAND [options]   (proxy-in COMMAND --help tells more)

        Commands:
          doctor                    says step by step whether proxy-in would work with
                                    these options, and what to do where it would not
          service install           keep this program running with these options as a
                                    service of systemd
          service uninstall         stop and remove a service that service install made;
                                    token and other files stay
          service status            say whether a service that service install made
                                    runs, since when, and where its log is
          config check FILE         looks through a file of --config and says everything
                                    that is wrong in it

        The two ends:
          --server URL              the private server: http://HOST:PORT,
                                    https://HOST:PORT, h2c://HOST:PORT and
                                    h2://HOST:PORT (the same in HTTP/2, for gRPC), or
                                    unix:/path/of.sock. A path
                                    (unix:/path/of.sock:/path) is put before every
                                    request's (required without --tcp or --udp)
          --external URL            the edge, a running proxy-out: http://HOST:PORT or
                                    https://HOST (required)
          --tunnel NAME             the tunnel to serve, 1 to 63 of a-z, 0-9 and -
                                    (default default)
          --route ROUTE             requests that come to this tunnel: HOST, *.HOST,
                                    HOST/PREFIX, *.HOST/PREFIX or /PREFIX, up to 64 of
                                    them. Without one: those for the host that begins
                                    with the tunnel's name, and for the tunnel default
                                    all that no other one gets (may be repeated)
          --strip-prefix            cut a route's /PREFIX from the path before the
                                    private server sees it; X-Forwarded-Prefix tells it

        Trust:
          --token-file FILE         file that holds the edge's token; or set
                                    RESTANTE_TOKEN. One of them is needed; proxy-out
                                    says where its token is
          --ca-file FILE            PEM certificates to trust for an https --server,
                                    instead of the system's
          --external-ca-file FILE   PEM certificates to trust for an https --external,
                                    instead of the system's
          --external-cert-file FILE
                                    PEM certificate to show to an https --external that
                                    asks who we are, followed by those of its
                                    authorities
          --external-key-file FILE  PEM private key of --external-cert-file, without
                                    password

        The way out:
          --proxy URL|none          forward proxy on the way to the edge:
                                    http://HOST:PORT or https://HOST:PORT; none goes
                                    without. Without it HTTPS_PROXY, HTTP_PROXY,
                                    ALL_PROXY and NO_PROXY count. A URL with a password
                                    goes into PROXY_IN_PROXY instead
          --proxy-ca-file FILE      PEM certificates to trust for an https:// proxy,
                                    instead of the system's

        Requests:
          --transport auto|poll|websocket
                                    how requests come in: auto begins with poll and
                                    moves to websocket where that works (default auto)
          --concurrency N           most requests given to the private server at the
                                    same time, 1 to 65535; the edge holds the rest
                                    (default 1024)
          --max-upgrades N          most WebSockets and other switched connections at a
                                    time, 0 to 65535; they do not count against
                                    --concurrency (default 4096)
          --host-header preserve|upstream|VALUE
                                    which Host the private server sees: preserve the
                                    client's, upstream for the one of --server, or a
                                    fixed value (default preserve)

        Ports:
          --tcp PORT=HOST:PORT      a TCP port of the edge that leads to a private
                                    server, as in 20022=127.0.0.1:22 or
                                    auto=127.0.0.1:22 (the edge chooses), also to
                                    unix:/run/app.sock; proxy-out has to be started with
                                    --tcp-ports (may be repeated)
          --udp PORT=HOST:PORT      the same for a UDP port, as in 20053=127.0.0.1:53;
                                    proxy-out has to be started with --udp-ports (may be
                                    repeated)
          --proxy-protocol off|v2   v2 tells the servers of --tcp the client's address
                                    by the PROXY protocol; they have to expect it
                                    (default off)
          --max-connections N       most connections of ports at a time, 1 to 65535; the
                                    edge holds the rest. They do not count against
                                    --concurrency (default 4096)

        Watching it:
          --port PORT               port on 127.0.0.1 for the status page and
                                    /status.json, 0 to 65535; 0 lets the system choose,
                                    off means none. Without it 8081, or none when that
                                    is taken
          --log-level LEVEL         least important kind of line to log (on standard
                                    error): fatal, error, warn, info, debug, trace,
                                    silent (default info)
          --log-requests            a line of the log for every request, at level info;
                                    without it they are at level debug
          --log-format auto|pretty|json
                                    how the log looks: json is one JSON object a line,
                                    pretty is for people, auto is pretty on a terminal
                                    and json elsewhere (default auto)

        Configuration:
          --config FILE             YAML file of options, each under its name without
                                    the dashes. --print-config shows what comes of all
                                    sources

        Other:
          -h, --help                this text
          -V, --version             the version

        Examples:
          proxy-in --server http://127.0.0.1:3000 --external https://edge.example --token-file restante.token
              what listens on port 3000 here is reachable at https://edge.example
          proxy-in --server unix:/run/app.sock --external http://203.0.113.7:8080 --transport poll
              a server on a socket, through a network that lets only plain requests
              pass; the token is in RESTANTE_TOKEN
          proxy-in --server https://intranet --ca-file ca.pem --host-header upstream --external https://edge.example
              an https server with an own certificate authority that wants to see its
              own name

        Every option may also come from the environment (PROXY_IN_LOG_LEVEL for
        --log-level) or from the file of --config (log-level: debug). The command line
        wins over the environment, that over the file. SIGHUP reads all of them again.

        When the edge or the network goes away it reconnects for ever. SIGTERM or Ctrl-C
        stops it politely: what runs may finish. A second one stops it at once.

        Exit status: 0 stopped as asked, 1 could not start, 2 wrong command line, 130 or
        143 stopped at once.
        "
      `)
    },
  )

  test.each(["--version", "-V"])("%s is the package's version and nothing else", async (flag) => {
    expect(await proxyIn([flag])).toMatchObject({ exitCode: 0, stdout: "1.2.3\n", stderr: "" })
  })
})

async function tunnelIsShop(stdout: string): Promise<void> {
  const url = /^Status on (http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(stdout)?.[1] ?? "(not printed)"
  expect(await (await fetch(new URL("status.json", url))).json()).toMatchObject({ tunnel: "shop" })
}

async function takenPort(port: number): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : port
}

async function certificateFile(): Promise<string> {
  const file = join(await temporaryDirectory(), "ca.pem")
  await writeFile(file, certificate)
  return file
}
