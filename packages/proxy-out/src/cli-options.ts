// Every option of proxy-out with its default, range and help, in one table. A new one also wants a line in
// test/options, and `npm run schemas`.
import {
  anyText,
  choice,
  configFile,
  duration,
  logFormats,
  logLevels,
  onOrOff,
  parseToken,
  wholeNumber,
  type Option,
  type Secret,
} from "@restante/protocol"
import { defaultMaxConnections, defaultMaxPerAddress, dispatches } from "./edge-options.ts"
import { defaultMaxOpenConnections } from "./ingress/admission.ts"
import { defaultPatience } from "./ingress/patience.ts"
import { accessLogFormats } from "./observe/access-line.ts"
import {
  bodySize,
  checkRedisUrl,
  holdsPassword,
  parseDomain,
  parseHost,
  parseTrustedProxy,
  portRange,
  rate,
} from "./option-readers.ts"

const hourMs = 3_600_000

export const edgeTable = {
  port: {
    group: "Listening",
    placeholder: "PORT",
    help: "TCP port that clients and agents connect to, 0 to 65535; 0 lets the system choose a free one",
    default: "80",
    ...wholeNumber(0, 65_535),
  },
  host: {
    group: "Listening",
    placeholder: "ADDRESS",
    help: "address to listen on, as a number or name; without it all addresses of this machine",
    schema: { type: "string", pattern: "^[^/]+$" },
    read: parseHost,
  },
  "max-open-connections": {
    group: "Listening",
    placeholder: "N",
    help: "most connections to --port, 10 to 1000000; then those at rest make room. At most 85 % of ulimit -n",
    default: String(defaultMaxOpenConnections),
    ...wholeNumber(10, 1_000_000),
  },
  domain: {
    group: "Listening",
    placeholder: "DOMAIN",
    help:
      "the domain whose names are tunnels: NAME.DOMAIN. Names that nobody has served get 404. Without it the first label of any " +
      "host may be a tunnel's name",
    schema: { type: "string", pattern: "^[^:/*]+$" },
    read: parseDomain,
  },
  "tls-cert": {
    group: "TLS and HTTP/2",
    placeholder: "FILE",
    help:
      "--port speaks TLS with the certificate in this PEM file, its chain behind it; HTTP/2 comes with it. Several, each with its " +
      "--tls-key, are chosen by the name that a client asks for. They are read again when they change",
    list: true,
    ...anyText,
  },
  "tls-key": {
    group: "TLS and HTTP/2",
    placeholder: "FILE",
    help: "the private key of --tls-cert in PEM, without a password; of several in the same order",
    list: true,
    ...anyText,
  },
  "redirect-port": {
    group: "TLS and HTTP/2",
    placeholder: "PORT",
    help: "with --tls-cert: a plain port, 0 to 65535, that sends every client to https with 308; without it there is none",
    ...wholeNumber(0, 65_535),
  },
  h2c: {
    group: "TLS and HTTP/2",
    help: "without --tls-cert: clients may begin with HTTP/2 at once (prior knowledge), as gRPC clients do without TLS",
    flag: true,
    ...onOrOff,
  },
  hold: {
    group: "Requests",
    live: true,
    placeholder: "DURATION",
    help: "how long a request may wait until an agent takes it, 0s to 24h; then the client gets 503",
    default: "30s",
    ...duration({ leastMs: 0, mostMs: 24 * hourMs }),
  },
  timeout: {
    group: "Requests",
    live: true,
    placeholder: "DURATION",
    help: "how long the private server may take to begin its answer, 10ms to 24h; then the client gets 504",
    default: "60s",
    ...duration({ leastMs: 10, mostMs: 24 * hourMs }),
  },
  "max-queue": {
    group: "Requests",
    live: true,
    placeholder: "N",
    help: "most requests that may wait at once, 1 to 1000000; the next one gets 503 immediately",
    default: "10000",
    ...wholeNumber(1, 1_000_000),
  },
  "trusted-proxies": {
    group: "Requests",
    live: true,
    placeholder: "CIDR",
    help:
      "proxy in front of this edge, as in 10.0.0.0/8 or 2001:db8::1: its X-Forwarded-For, -Proto, -Host and Forwarded are continued, " +
      "everybody else's are replaced",
    list: true,
    schema: { type: "string", pattern: "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$" },
    read: parseTrustedProxy,
  },
  "max-body-size": {
    group: "Requests",
    live: true,
    placeholder: "SIZE",
    help: "largest body of a request, 0 to 8192GiB or unlimited; a larger one gets 413",
    default: "unlimited",
    ...bodySize,
  },
  "head-timeout": {
    group: "Requests",
    live: true,
    placeholder: "DURATION",
    help: "how long a client may take to send the head of a request, 1s to 1h; then it gets 408",
    default: "30s",
    ...duration({ leastMs: 1000, mostMs: hourMs }),
  },
  "body-timeout": {
    group: "Requests",
    live: true,
    placeholder: "DURATION",
    help: "how long the body of a request may pause, 1s to 24h; then the client gets 408",
    default: "60s",
    ...duration({ leastMs: 1000, mostMs: 24 * hourMs }),
  },
  "idle-timeout": {
    group: "Requests",
    live: true,
    placeholder: "DURATION",
    help: "how long a client's connection may lie idle between requests, 1s to 24h; then it is closed",
    default: "75s",
    ...duration({ leastMs: 1000, mostMs: 24 * hourMs }),
  },
  "min-rate": {
    group: "Requests",
    live: true,
    placeholder: "SIZE",
    help: "bytes per second that a body with a length must come with, and an answer be read with, 0 to 1MiB; slower than that is a pause",
    ...rate(defaultPatience.minBytesPerSecond),
  },
  "min-stream-rate": {
    group: "Requests",
    live: true,
    placeholder: "SIZE",
    help: "the same for bodies without a length; 0B because a live stream, as of gRPC, may have little to say",
    ...rate(defaultPatience.minStreamBytesPerSecond),
  },
  "error-page": {
    group: "Requests",
    live: true,
    placeholder: "FILE",
    help:
      "an HTML page for browsers instead of the built-in one when the edge answers itself; it may say {{status}}, {{title}}, {{code}}, " +
      "{{exchange}}, {{advice}}, {{retry-after}} and {{refresh}}",
    ...anyText,
  },
  "tcp-ports": {
    group: "Ports",
    placeholder: "FIRST-LAST",
    help:
      "TCP ports that agents may ask for, as in 20000-20999 or 20022; without it none. They are opened on --host when an agent asks, " +
      "a named token has to allow them",
    list: true,
    ...portRange,
  },
  "udp-ports": {
    group: "Ports",
    placeholder: "FIRST-LAST",
    help: "the same for UDP ports; without it none",
    list: true,
    ...portRange,
  },
  "udp-timeout": {
    group: "Ports",
    placeholder: "DURATION",
    help: "how long a client of a UDP port may be silent, 1s to 24h; then its flow is over",
    default: "60s",
    ...duration({ leastMs: 1000, mostMs: 24 * hourMs }),
  },
  "max-connections": {
    group: "Ports",
    placeholder: "N",
    help: "most connections, or clients of UDP, of one port at a time, 1 to 65535; the next one is reset at once, or not heard",
    default: String(defaultMaxConnections),
    ...wholeNumber(1, 65_535),
  },
  "max-per-address": {
    group: "Ports",
    placeholder: "N",
    help: "most of these of one client address (IPv6: of one /64 network) at one port, 1 to 65535. Behind a balancer all have its address",
    default: String(defaultMaxPerAddress),
    ...wholeNumber(1, 65_535),
  },
  "keep-ports": {
    group: "Ports",
    placeholder: "DURATION",
    help: "how long a port stays open for its tunnel while no agent serves it, 0s to 24h; what comes meanwhile waits as long as --hold says",
    default: "10m",
    ...duration({ leastMs: 0, mostMs: 24 * hourMs }),
  },
  redis: {
    group: "Queue",
    placeholder: "URL",
    help:
      "keep the queue in this Redis, redis://HOST:PORT/DB (rediss:// for TLS), so that several edges share it; " +
      "without it the queue is in memory. A URL with a password goes into PROXY_OUT_REDIS instead",
    secret: holdsPassword,
    schema: { type: "string", pattern: "^rediss?([+](sentinel|cluster))?://" },
    read: checkRedisUrl,
  },
  dispatch: {
    group: "Queue",
    placeholder: "queue|direct",
    help:
      "with --redis: queue sends every request through Redis, direct gives it at once to an idle agent of this edge " +
      "and queues the rest",
    default: "queue",
    ...choice(dispatches),
  },
  "token-file": {
    group: "Who may attach",
    live: true,
    placeholder: "FILE",
    help: "file that holds the token agents must show; or set RESTANTE_TOKEN. Without both one is made and kept in --data-dir",
    ...anyText,
  },
  "tokens-file": {
    group: "Who may attach",
    placeholder: "FILE",
    help: "file of the named tokens that proxy-out token create makes; without it tokens.json in --data-dir",
    ...anyText,
  },
  "default-token": {
    group: "Who may attach",
    live: true,
    placeholder: "on|off",
    help:
      "on: the token of --token-file, of RESTANTE_TOKEN or of --data-dir opens every tunnel; off: there is none, only named " +
      "tokens let an agent in",
    default: "on",
    ...choice(["on", "off"]),
  },
  "data-dir": {
    group: "Who may attach",
    placeholder: "DIR",
    help: "where proxy-out keeps what it made; without it $XDG_STATE_HOME/restante or ~/.local/state/restante",
    ...anyText,
  },
  "admin-token-file": {
    group: "What one sees",
    live: true,
    placeholder: "FILE",
    help:
      "file that holds the token for status and metrics (Authorization: Bearer); or set PROXY_OUT_ADMIN_TOKEN. Without both only this " +
      "machine itself may see them",
    ...anyText,
  },
  "admin-token": {
    group: "What one sees",
    live: true,
    placeholder: "TOKEN",
    help: "the token itself, as PROXY_OUT_ADMIN_TOKEN or admin-token: TOKEN in the file of --config",
    secret: true,
    schema: { type: "string", pattern: "^[!-~]{1,1024}$" },
    read: (text: string): Secret => parseToken(text, "The admin token"),
  },
  "admin-port": {
    group: "What one sees",
    placeholder: "PORT",
    help: "a port of its own for status, health and metrics, beside the public one, 0 to 65535; without it there is none",
    ...wholeNumber(0, 65_535),
  },
  "admin-host": {
    group: "What one sees",
    placeholder: "ADDRESS",
    help: "address that --admin-port listens on",
    default: "127.0.0.1",
    schema: { type: "string", pattern: "^[^/]+$" },
    read: parseHost,
  },
  "access-log": {
    group: "What one sees",
    placeholder: "off|combined|json",
    help: "a line for every request that ended: combined as web servers write it, or json with durations and the error's code",
    default: "off",
    ...choice(accessLogFormats),
  },
  "access-log-file": {
    group: "What one sees",
    placeholder: "FILE",
    help: "where --access-log goes, opened anew when it is renamed; without it standard output",
    ...anyText,
  },
  "access-log-query": {
    group: "What one sees",
    placeholder: "keep|drop",
    help: "drop leaves out of --access-log what stands behind the ? of a target, for it may be secret",
    default: "keep",
    ...choice(["keep", "drop"]),
  },
  config: configFile,
  "log-level": {
    group: "Logging",
    live: true,
    placeholder: "LEVEL",
    help: `least important kind of line to log (on standard error): ${logLevels.join(", ")}`,
    default: "info",
    ...choice(logLevels),
  },
  "log-format": {
    group: "Logging",
    placeholder: "auto|pretty|json",
    help: "how the log looks: json is one JSON object a line, pretty is for people, auto is pretty on a terminal and json elsewhere",
    default: "auto",
    ...choice(logFormats),
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>

export type EdgeTable = typeof edgeTable
