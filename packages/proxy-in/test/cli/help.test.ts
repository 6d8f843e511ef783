// What proxy-in says of itself: its help, word for word, and its version.
import { describe, expect, test } from "vitest"
import { proxyIn } from "./stand-ins.ts"

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
