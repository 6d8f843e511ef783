// The command line of proxy-in: every option with its default, range and help, in one table.
import {
  CommandError,
  logFormats,
  logLevels,
  readChoice,
  readCommandLine,
  readCount,
  type CommandLine,
  type LogFormat,
  type Option,
} from "@restante/protocol"
import yargs from "yargs"
import { parseExternal, parseHostHeader, parseUpstream } from "./addresses.ts"
import { transports, type Transport } from "./agent-options.ts"
import { parseForwardProxy, type ForwardProxy } from "./attach/forward-proxy.ts"

/** Reads the words after `proxy-in`. Raises `CommandError("usage")`. `columns` is the width of the help. */
export function parseAgentArguments(
  argv: readonly string[],
  program: { readonly version: string; readonly columns: number },
): Promise<CommandLine<AgentTable>> {
  return readCommandLine(yargs(), { ...agentProgram, version: program.version }, argv, program.columns)
}

/** Where the status page listens when `--port` is not given and it is free there. */
export const defaultStatusPort = 8081

/** Enough that hundreds of slow requests do not wait for each other. */
const defaultConcurrency = "1024"

const agentTable = {
  server: {
    group: "The two ends",
    placeholder: "URL",
    help:
      "the private server: http://HOST:PORT, https://HOST:PORT or unix:/path/of.sock. A path (unix:/path/of.sock:/path) " +
      "is put before every request's",
    required: true,
    read: parseUpstream,
  },
  external: {
    group: "The two ends",
    placeholder: "URL",
    help: "the edge, a running proxy-out: http://HOST:PORT or https://HOST",
    required: true,
    read: parseExternal,
  },
  tunnel: {
    group: "The two ends",
    placeholder: "NAME",
    help: "the tunnel to serve, 1 to 63 of a-z, 0-9 and -",
    default: "default",
    read: parseTunnel,
  },
  "token-file": {
    group: "Trust",
    placeholder: "FILE",
    help: "file that holds the edge's token; or set RESTANTE_TOKEN. One of them is needed; proxy-out says where its token is",
    read: (text: string): string => text,
  },
  "ca-file": {
    group: "Trust",
    placeholder: "FILE",
    help: "PEM certificates to trust for an https --server, instead of the system's",
    read: (text: string): string => text,
  },
  "external-ca-file": {
    group: "Trust",
    placeholder: "FILE",
    help: "PEM certificates to trust for an https --external, instead of the system's",
    read: (text: string): string => text,
  },
  "external-cert-file": {
    group: "Trust",
    placeholder: "FILE",
    help: "PEM certificate to show to an https --external that asks who we are, followed by those of its authorities",
    read: (text: string): string => text,
  },
  "external-key-file": {
    group: "Trust",
    placeholder: "FILE",
    help: "PEM private key of --external-cert-file, without password",
    read: (text: string): string => text,
  },
  proxy: {
    group: "The way out",
    placeholder: "URL|none",
    help:
      "forward proxy on the way to the edge: http://HOST:PORT or https://HOST:PORT; none goes without. Without it HTTPS_PROXY, " +
      "HTTP_PROXY, ALL_PROXY and NO_PROXY count. A URL with a password goes into PROXY_IN_PROXY instead",
    read: parseProxyArgument,
  },
  "proxy-ca-file": {
    group: "The way out",
    placeholder: "FILE",
    help: "PEM certificates to trust for an https:// proxy, instead of the system's",
    read: (text: string): string => text,
  },
  transport: {
    group: "Requests",
    placeholder: "auto|poll|websocket",
    help: "how requests come in: auto begins with poll and moves to websocket where that works",
    default: "auto",
    read: (text: string): Transport => readChoice(text, transports),
  },
  concurrency: {
    group: "Requests",
    placeholder: "N",
    help: "most requests given to the private server at the same time, 1 to 65535; the edge holds the rest",
    default: defaultConcurrency,
    read: (text: string): number => readCount(text, 1, 65_535),
  },
  "host-header": {
    group: "Requests",
    placeholder: "preserve|upstream|VALUE",
    help: "which Host the private server sees: preserve the client's, upstream for the one of --server, or a fixed value",
    default: "preserve",
    read: parseHostHeader,
  },
  port: {
    group: "Watching it",
    placeholder: "PORT",
    help:
      "port on 127.0.0.1 for the status page and /status.json, 0 to 65535; 0 lets the system choose, off means none. " +
      `Without it ${defaultStatusPort}, or none when that is taken`,
    read: parseStatusPort,
  },
  "log-level": {
    group: "Watching it",
    placeholder: "LEVEL",
    help: `least important kind of line to log (on standard error): ${logLevels.join(", ")}`,
    default: "info",
    read: (text: string): (typeof logLevels)[number] => readChoice(text, logLevels),
  },
  "log-format": {
    group: "Watching it",
    placeholder: "auto|pretty|json",
    help: "how the log looks: json is one JSON object a line, pretty is for people, auto is pretty on a terminal and json elsewhere",
    default: "auto",
    read: (text: string): LogFormat => readChoice(text, logFormats),
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>

export type AgentTable = typeof agentTable

const agentProgram = {
  name: "proxy-in",
  summary:
    "The private side of Restante. Collects requests from a proxy-out on a public host, gives them to a private server, and " +
    "takes the answers back. It only connects outwards: no port of the firewall has to be opened.",
  options: agentTable,
  examples: [
    {
      command:
        "proxy-in --server http://127.0.0.1:3000 --external https://edge.example --token-file restante.token",
      meaning: "what listens on port 3000 here is reachable at https://edge.example",
    },
    {
      command: "proxy-in --server unix:/run/app.sock --external http://203.0.113.7:8080 --transport poll",
      meaning:
        "a server on a socket, through a network that lets only plain requests pass; the token is in RESTANTE_TOKEN",
    },
    {
      command:
        "proxy-in --server https://intranet --ca-file ca.pem --host-header upstream --external https://edge.example",
      meaning: "an https server with an own certificate authority that wants to see its own name",
    },
  ],
  notes: [
    "When the edge or the network goes away it reconnects for ever. SIGTERM or Ctrl-C stops it politely: what runs may finish. A second one stops it at once.",
    "Exit status: 0 stopped as asked, 1 could not start, 2 wrong command line, 130 or 143 stopped at once.",
  ],
}

/** What `--proxy`, or PROXY_IN_PROXY, says. Raises `CommandError("usage")` without showing the URL, which may hold a password. */
export function parseProxy(text: string): ForwardProxy | "none" {
  return text === "none" ? "none" : parseForwardProxy(text, "--proxy")
}

function parseProxyArgument(text: string): ForwardProxy | "none" {
  const proxy = parseProxy(text)
  if (proxy === "none" || proxy.credentials === undefined) return proxy
  throw new CommandError(
    "usage",
    "A password does not belong on the command line, where every user of this machine can read it. Set PROXY_IN_PROXY to this URL instead.",
  )
}

function parseTunnel(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text
  throw new CommandError(
    "usage",
    "This is not a tunnel's name. Use 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends.",
  )
}

function parseStatusPort(text: string): number | "off" {
  return text === "off" ? "off" : readCount(text, 0, 65_535)
}
