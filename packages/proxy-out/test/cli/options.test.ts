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

describe("help and version", () => {
  test.each(["--help", "-h"])(
    "%s lists every option in its group, with defaults and examples",
    async (flag) => {
      const run = await proxyOut([flag])
      expect(run).toMatchObject({ exitCode: 0, stderr: "", options: undefined })
      expect(run.stdout).toMatchInlineSnapshot(`
        "The public side of Restante. Takes HTTP requests on a public host, holds them in
        a queue, and answers them with what a proxy-in inside a firewall fetched from
        the private server.

        Usage: proxy-out [options]
               proxy-out COMMAND [options]   (proxy-out COMMAND --help tells more)

        Commands:
          token create NAME         make a token that lets agents in to certain tunnels,
                                    and print it this once
          token list                list the named tokens: what they allow, when they
                                    were made, when they end
          token revoke NAME         make a named token worthless; a running edge ends
                                    its sessions within seconds
          tunnel list               list the known tunnels: those that an agent has
                                    served at some time, and which requests are theirs
          tunnel forget NAME        forget a tunnel: its requests get 404 instead of
                                    waiting, and its routes are free
          config check FILE         looks through a file of --config and says everything
                                    that is wrong in it
          doctor                    says step by step whether proxy-out would work with
                                    these options

        Listening:
          --port PORT               TCP port that clients and agents connect to, 0 to
                                    65535; 0 lets the system choose a free one (default
                                    80)
          --host ADDRESS            address to listen on, as a number or name; without
                                    it all addresses of this machine
          --max-open-connections N  most connections to --port, 10 to 1000000; then
                                    those at rest make room. At most 85 % of ulimit -n
                                    (default 20000)
          --domain DOMAIN           the domain whose names are tunnels: NAME.DOMAIN.
                                    Names that nobody has served get 404. Without it the
                                    first label of any host may be a tunnel's name

        TLS and HTTP/2:
          --tls-cert FILE           --port speaks TLS with the certificate in this PEM
                                    file, its chain behind it; HTTP/2 comes with it.
                                    Several, each with its --tls-key, are chosen by the
                                    name that a client asks for. They are read again
                                    when they change (may be repeated)
          --tls-key FILE            the private key of --tls-cert in PEM, without a
                                    password; of several in the same order (may be
                                    repeated)
          --redirect-port PORT      with --tls-cert: a plain port, 0 to 65535, that
                                    sends every client to https with 308; without it
                                    there is none
          --h2c                     without --tls-cert: clients may begin with HTTP/2 at
                                    once (prior knowledge), as gRPC clients do without
                                    TLS

        Requests:
          --hold DURATION           how long a request may wait until an agent takes it,
                                    0s to 24h; then the client gets 503 (default 30s)
          --timeout DURATION        how long the private server may take to begin its
                                    answer, 10ms to 24h; then the client gets 504
                                    (default 60s)
          --max-queue N             most requests that may wait at once, 1 to 1000000;
                                    the next one gets 503 immediately (default 10000)
          --trusted-proxies CIDR    proxy in front of this edge, as in 10.0.0.0/8 or
                                    2001:db8::1: its X-Forwarded-For, -Proto, -Host and
                                    Forwarded are continued, everybody else's are
                                    replaced (may be repeated)
          --max-body-size SIZE      largest body of a request, 0 to 8192GiB or
                                    unlimited; a larger one gets 413 (default unlimited)
          --head-timeout DURATION   how long a client may take to send the head of a
                                    request, 1s to 1h; then it gets 408 (default 30s)
          --body-timeout DURATION   how long the body of a request may pause, 1s to 24h;
                                    then the client gets 408 (default 60s)
          --idle-timeout DURATION   how long a client's connection may lie idle between
                                    requests, 1s to 24h; then it is closed (default 75s)
          --min-rate SIZE           bytes per second that a body with a length must come
                                    with, and an answer be read with, 0 to 1MiB; slower
                                    than that is a pause (default 16B)
          --min-stream-rate SIZE    the same for bodies without a length; 0B because a
                                    live stream, as of gRPC, may have little to say
                                    (default 0B)
          --error-page FILE         an HTML page for browsers instead of the built-in
                                    one when the edge answers itself; it may say
                                    {{status}}, {{title}}, {{code}}, {{exchange}},
                                    {{advice}}, {{retry-after}} and {{refresh}}

        Ports:
          --tcp-ports FIRST-LAST    TCP ports that agents may ask for, as in 20000-20999
                                    or 20022; without it none. They are opened on --host
                                    when an agent asks, a named token has to allow them
                                    (may be repeated)
          --udp-ports FIRST-LAST    the same for UDP ports; without it none (may be
                                    repeated)
          --udp-timeout DURATION    how long a client of a UDP port may be silent, 1s to
                                    24h; then its flow is over (default 60s)
          --max-connections N       most connections, or clients of UDP, of one port at
                                    a time, 1 to 65535; the next one is reset at once,
                                    or not heard (default 1024)
          --max-per-address N       most of these of one client address (IPv6: of one
                                    /64 network) at one port, 1 to 65535. Behind a
                                    balancer all have its address (default 256)
          --keep-ports DURATION     how long a port stays open for its tunnel while no
                                    agent serves it, 0s to 24h; what comes meanwhile
                                    waits as long as --hold says (default 10m)

        Queue:
          --redis URL               keep the queue in this Redis, redis://HOST:PORT/DB
                                    (rediss:// for TLS), so that several edges share it;
                                    without it the queue is in memory. A URL with a
                                    password goes into PROXY_OUT_REDIS instead
          --dispatch queue|direct   with --redis: queue sends every request through
                                    Redis, direct gives it at once to an idle agent of
                                    this edge and queues the rest (default queue)

        Who may attach:
          --token-file FILE         file that holds the token agents must show; or set
                                    RESTANTE_TOKEN. Without both one is made and kept in
                                    --data-dir
          --tokens-file FILE        file of the named tokens that proxy-out token create
                                    makes; without it tokens.json in --data-dir
          --default-token on|off    on: the token of --token-file, of RESTANTE_TOKEN or
                                    of --data-dir opens every tunnel; off: there is
                                    none, only named tokens let an agent in (default on)
          --data-dir DIR            where proxy-out keeps what it made; without it
                                    $XDG_STATE_HOME/restante or ~/.local/state/restante

        What one sees:
          --admin-token-file FILE   file that holds the token for status and metrics
                                    (Authorization: Bearer); or set
                                    PROXY_OUT_ADMIN_TOKEN. Without both only this
                                    machine itself may see them
          admin-token TOKEN         the token itself, as PROXY_OUT_ADMIN_TOKEN or
                                    admin-token: TOKEN in the file of --config
                                    (environment or file only)
          --admin-port PORT         a port of its own for status, health and metrics,
                                    beside the public one, 0 to 65535; without it there
                                    is none
          --admin-host ADDRESS      address that --admin-port listens on (default
                                    127.0.0.1)
          --access-log off|combined|json
                                    a line for every request that ended: combined as web
                                    servers write it, or json with durations and the
                                    error's code (default off)
          --access-log-file FILE    where --access-log goes, opened anew when it is
                                    renamed; without it standard output
          --access-log-query keep|drop
                                    drop leaves out of --access-log what stands behind
                                    the ? of a target, for it may be secret (default
                                    keep)

        Configuration:
          --config FILE             YAML file of options, each under its name without
                                    the dashes. --print-config shows what comes of all
                                    sources

        Logging:
          --log-level LEVEL         least important kind of line to log (on standard
                                    error): fatal, error, warn, info, debug, trace,
                                    silent (default info)
          --log-format auto|pretty|json
                                    how the log looks: json is one JSON object a line,
                                    pretty is for people, auto is pretty on a terminal
                                    and json elsewhere (default auto)

        Other:
          -h, --help                this text
          -V, --version             the version

        Examples:
          proxy-out --port 8080
              an edge with its queue in memory; it prints the proxy-in command to copy
          proxy-out --port 80 --redis redis://10.0.0.5:6379 --token-file /etc/restante/token
              one of several edges that share a queue and a token
          proxy-out --hold 2m --max-queue 50000
              keep more clients waiting, and longer, while no agent is there

        Every option may also come from the environment (PROXY_OUT_MAX_QUEUE for
        --max-queue) or from the file of --config (max-queue: 500). The command line
        wins over the environment, that over the file. SIGHUP reads all of them again.

        SIGTERM or Ctrl-C stops it politely: nothing new is taken, what runs may finish.
        A second one stops it at once.

        Exit status: 0 stopped as asked, 1 could not start, 2 wrong command line, 130 or
        143 stopped at once.
        "
      `)
    },
  )

  test("help wins over everything else on the line", async () => {
    const run = await proxyOut(["--prot", "80", "--help"])
    expect(run).toMatchObject({ exitCode: 0, options: undefined })
  })

  test.each(["--version", "-V"])("%s is the package's version and nothing else", async (flag) => {
    expect(await proxyOut([flag])).toMatchObject({ exitCode: 0, stdout: "1.2.3\n", stderr: "" })
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
