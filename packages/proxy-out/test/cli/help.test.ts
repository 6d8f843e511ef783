// What proxy-out says of itself: its help, word for word, and its version.
import { describe, expect, test } from "vitest"
import { proxyOut } from "./stand-ins.ts"

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
