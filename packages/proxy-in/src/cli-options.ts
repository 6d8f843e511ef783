// Every option of proxy-in with its default, range and help, in one table. A new one also wants a line in
// test/options, and `npm run schemas`.
import {
  anyText,
  CommandError,
  choice,
  configFile,
  logFormats,
  logLevels,
  maxRoutes,
  onOrOff,
  parseRoute,
  routeForms,
  routeText,
  tunnelNamePattern,
  wholeNumber,
  type Option,
} from "@restante/protocol"
import { parseExternal, parseHostHeader, parseUpstream } from "./addresses.ts"
import { defaultMaxConnections, defaultMaxUpgrades, transports } from "./agent-options.ts"
import { parseForwardProxy, type ForwardProxy } from "./attach/forward-proxy.ts"
import { parseTcpArgument, parseUdpArgument } from "./ports.ts"

/** Where the status page listens when `--port` is not given and it is free there. */
export const defaultStatusPort = 8081

/** Enough that hundreds of slow requests do not wait for each other. */
const defaultConcurrency = "1024"
const portNumber = wholeNumber(0, 65_535)

export const agentTable = {
  server: {
    group: "The two ends",
    live: true,
    perTunnel: true,
    placeholder: "URL",
    help:
      "the private server: http://HOST:PORT, https://HOST:PORT, h2c://HOST:PORT and h2://HOST:PORT (the same in HTTP/2, for gRPC), or unix:/path/of.sock. A path (unix:/path/of.sock:/path) " +
      "is put before every request's",
    required: true,
    instead: ["tcp", "udp"],
    schema: { type: "string", pattern: "^([Hh][Tt][Tt][Pp][Ss]?://|[Hh]2[Cc]?://|[Uu][Nn][Ii][Xx]:/)" },
    read: parseUpstream,
  },
  external: {
    group: "The two ends",
    live: true,
    placeholder: "URL",
    help: "the edge, a running proxy-out: http://HOST:PORT or https://HOST",
    required: true,
    schema: { type: "string", pattern: "^[Hh][Tt][Tt][Pp][Ss]?://" },
    read: parseExternal,
  },
  tunnel: {
    group: "The two ends",
    live: true,
    placeholder: "NAME",
    help: "the tunnel to serve, 1 to 63 of a-z, 0-9 and -",
    default: "default",
    schema: { type: ["string", "integer"], pattern: tunnelNamePattern.source },
    read: parseTunnel,
  },
  route: {
    group: "The two ends",
    live: true,
    placeholder: "ROUTE",
    help:
      `requests that come to this tunnel: ${routeForms}, up to ${maxRoutes} of them. Without one: those for the host that begins ` +
      "with the tunnel's name, and for the tunnel default all that no other one gets",
    list: true,
    perTunnel: true,
    schema: { type: "string", pattern: "^(?!.*//)[^?#:]+$" },
    read: parseRouteArgument,
  },
  "strip-prefix": {
    group: "The two ends",
    live: true,
    help: "cut a route's /PREFIX from the path before the private server sees it; X-Forwarded-Prefix tells it",
    flag: true,
    perTunnel: true,
    ...onOrOff,
  },
  "token-file": {
    group: "Trust",
    live: true,
    placeholder: "FILE",
    help: "file that holds the edge's token; or set RESTANTE_TOKEN. One of them is needed; proxy-out says where its token is",
    ...anyText,
  },
  "ca-file": {
    group: "Trust",
    live: true,
    perTunnel: true,
    placeholder: "FILE",
    help: "PEM certificates to trust for an https --server, instead of the system's",
    ...anyText,
  },
  "external-ca-file": {
    group: "Trust",
    live: true,
    placeholder: "FILE",
    help: "PEM certificates to trust for an https --external, instead of the system's",
    ...anyText,
  },
  "external-cert-file": {
    group: "Trust",
    live: true,
    placeholder: "FILE",
    help: "PEM certificate to show to an https --external that asks who we are, followed by those of its authorities",
    ...anyText,
  },
  "external-key-file": {
    group: "Trust",
    live: true,
    placeholder: "FILE",
    help: "PEM private key of --external-cert-file, without password",
    ...anyText,
  },
  proxy: {
    group: "The way out",
    live: true,
    placeholder: "URL|none",
    help:
      "forward proxy on the way to the edge: http://HOST:PORT or https://HOST:PORT; none goes without. Without it HTTPS_PROXY, " +
      "HTTP_PROXY, ALL_PROXY and NO_PROXY count. A URL with a password goes into PROXY_IN_PROXY instead",
    secret: holdsCredentials,
    schema: { type: "string", pattern: "^(none|[Hh][Tt][Tt][Pp][Ss]?://.*)$" },
    read: parseProxy,
  },
  "proxy-ca-file": {
    group: "The way out",
    live: true,
    placeholder: "FILE",
    help: "PEM certificates to trust for an https:// proxy, instead of the system's",
    ...anyText,
  },
  transport: {
    group: "Requests",
    live: true,
    placeholder: "auto|poll|websocket",
    help: "how requests come in: auto begins with poll and moves to websocket where that works",
    default: "auto",
    ...choice(transports),
  },
  concurrency: {
    group: "Requests",
    live: true,
    perTunnel: true,
    placeholder: "N",
    help: "most requests given to the private server at the same time, 1 to 65535; the edge holds the rest",
    default: defaultConcurrency,
    ...wholeNumber(1, 65_535),
  },
  "max-upgrades": {
    group: "Requests",
    live: true,
    perTunnel: true,
    placeholder: "N",
    help: "most WebSockets and other switched connections at a time, 0 to 65535; they do not count against --concurrency",
    default: String(defaultMaxUpgrades),
    ...wholeNumber(0, 65_535),
  },
  "host-header": {
    group: "Requests",
    live: true,
    perTunnel: true,
    placeholder: "preserve|upstream|VALUE",
    help: "which Host the private server sees: preserve the client's, upstream for the one of --server, or a fixed value",
    default: "preserve",
    schema: { type: "string", pattern: "^[^/]+$" },
    read: parseHostHeader,
  },
  tcp: {
    group: "Ports",
    live: true,
    perTunnel: true,
    placeholder: "PORT=HOST:PORT",
    help:
      "a TCP port of the edge that leads to a private server, as in 20022=127.0.0.1:22 or auto=127.0.0.1:22 (the edge chooses), " +
      "also to unix:/run/app.sock; proxy-out has to be started with --tcp-ports",
    list: true,
    schema: { type: "string", pattern: "^([0-9]{1,5}|[Aa][Uu][Tt][Oo])=." },
    read: parseTcpArgument,
  },
  udp: {
    group: "Ports",
    live: true,
    perTunnel: true,
    placeholder: "PORT=HOST:PORT",
    help: "the same for a UDP port, as in 20053=127.0.0.1:53; proxy-out has to be started with --udp-ports",
    list: true,
    schema: { type: "string", pattern: "^([0-9]{1,5}|[Aa][Uu][Tt][Oo])=." },
    read: parseUdpArgument,
  },
  "proxy-protocol": {
    group: "Ports",
    live: true,
    perTunnel: true,
    placeholder: "off|v2",
    help: "v2 tells the servers of --tcp the client's address by the PROXY protocol; they have to expect it",
    default: "off",
    ...choice(["off", "v2"]),
  },
  "max-connections": {
    group: "Ports",
    live: true,
    perTunnel: true,
    placeholder: "N",
    help: "most connections of ports at a time, 1 to 65535; the edge holds the rest. They do not count against --concurrency",
    default: String(defaultMaxConnections),
    ...wholeNumber(1, 65_535),
  },
  port: {
    group: "Watching it",
    placeholder: "PORT",
    help:
      "port on 127.0.0.1 for the status page and /status.json, 0 to 65535; 0 lets the system choose, off means none. " +
      `Without it ${defaultStatusPort}, or none when that is taken`,
    schema: { anyOf: [portNumber.schema, { enum: ["off"] }] },
    read: parseStatusPort,
  },
  config: configFile,
  "log-level": {
    group: "Watching it",
    live: true,
    placeholder: "LEVEL",
    help: `least important kind of line to log (on standard error): ${logLevels.join(", ")}`,
    default: "info",
    ...choice(logLevels),
  },
  "log-requests": {
    group: "Watching it",
    live: true,
    help: "a line of the log for every request, at level info; without it they are at level debug",
    flag: true,
    perTunnel: true,
    ...onOrOff,
  },
  "log-format": {
    group: "Watching it",
    placeholder: "auto|pretty|json",
    help: "how the log looks: json is one JSON object a line, pretty is for people, auto is pretty on a terminal and json elsewhere",
    default: "auto",
    ...choice(logFormats),
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>

export type AgentTable = typeof agentTable

/** What `--proxy`, or PROXY_IN_PROXY, says. Raises `CommandError("usage")` without showing the URL, which may hold a password. */
function parseProxy(text: string): ForwardProxy | "none" {
  return text === "none" ? "none" : parseForwardProxy(text, "--proxy")
}

/** False for a text that is no URL: reading it says so without showing it. */
function holdsCredentials(text: string): boolean {
  try {
    const proxy = parseProxy(text)
    return proxy !== "none" && proxy.credentials !== undefined
  } catch {
    return false
  }
}

function parseRouteArgument(text: string): string {
  const route = parseRoute(text)
  if (route !== undefined) return routeText(route)
  throw new CommandError(
    "usage",
    `This is not a route. Write ${routeForms}: a name without scheme and port, a path without "?" and "#".`,
  )
}

function parseTunnel(text: string): string {
  if (tunnelNamePattern.test(text)) return text
  throw new CommandError(
    "usage",
    "This is not a tunnel's name. Use 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends.",
  )
}

function parseStatusPort(text: string): number | "off" {
  return text === "off" ? "off" : portNumber.read(text)
}
