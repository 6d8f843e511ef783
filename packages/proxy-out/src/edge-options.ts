// What an edge needs to know to run. cli-options.ts makes it from the command line; tests make it by hand.
import type { Secret, TracingSettings } from "@restante/protocol"
import type { Logger } from "pino"
import type { AccessLog } from "./observe/access-settings.ts"
import type { Patience } from "./ingress/patience.ts"
import type { Certificates } from "./ingress/tls/certificates.ts"
import type { AddressRange } from "./ingress/trusted-proxies.ts"
import type { PortRange } from "./ports/port-range.ts"
import type { ErrorPage } from "./exchange/error-page.ts"

export interface EdgeOptions {
  /** Address to listen on, "0.0.0.0" or "::" for all. */
  readonly host: string
  /** TCP port to listen on, 0 to 65535; 0 lets the system choose, `Edge.start()` says which. */
  readonly port: number
  /** With them `port` speaks TLS, with HTTP/2 and HTTP/1.1 by ALPN. The edge stops them with itself. Default: plain HTTP. */
  readonly certificates?: Certificates | undefined
  /** A plain port beside a TLS port that sends every client there, 0 to 65535. Default: none. */
  readonly redirectPort?: number | undefined
  /** Most connections of clients and agents at a time, at least 10. Default 20,000. */
  readonly maxOpenConnections?: number | undefined
  /** Without TLS: clients may begin with HTTP/2 at once (prior knowledge). Default false. */
  readonly h2c?: boolean | undefined
  /** `redis://` or `rediss://` URL of the shared queue; undefined: the queue lives in this process. May hold a password: never log it. */
  readonly redisUrl: string | undefined
  /** "queue": every request passes through the broker; "direct": an idle agent of this edge gets it on the spot. */
  readonly dispatch: Dispatch
  /** How long a request may wait until an agent takes it, in milliseconds; then 503. */
  readonly holdMs: number
  /** How long the upstream may take to begin its answer, in milliseconds; then 504. */
  readonly timeoutMs: number
  /** Most requests that may wait at once; the next one gets 503 immediately. At least 1. */
  readonly maxQueue: number
  /** Largest body of a request, in bytes; a larger one gets 413. Default: no limit. */
  readonly maxBodyBytes?: number | undefined
  /** Proxies in front of this edge whose X-Forwarded-* and Forwarded lines are continued. Default: none. */
  readonly trustedProxies?: readonly AddressRange[] | undefined
  /** How long clients may take, see `Patience`. Default: `defaultPatience`. */
  readonly patience?: Partial<Patience> | undefined
  /** Lets an agent attach to any tunnel; undefined: only the tokens of `tokensFile` let somebody in. */
  readonly token: Secret | undefined
  /** File of named tokens, see credentials/tokens-file.ts; it need not be there. Undefined: there are none. */
  readonly tokensFile?: string | undefined
  /** Opens the pages about the inside to other machines; undefined: to nobody but this one. */
  readonly adminToken?: Secret | undefined
  /** A port of its own for these pages, beside the public one. Undefined: none. */
  readonly admin?: { readonly host: string; readonly port: number } | undefined
  /** A line for every request; undefined: none. The edge ends it when it stops. */
  readonly accessLog?: AccessLog | undefined
  /** Where traces go, and which; undefined: none are made. */
  readonly tracing?: TracingSettings | undefined
  /** Ports that agents may ask for. Default: none. */
  readonly ports?: PortOptions | undefined
  readonly log: Logger
  /** Where the edge keeps what it has to know after a restart; undefined: nowhere. */
  readonly dataDir?: string | undefined
  /** Names below it are tunnels' names: `NAME.DOMAIN`. Lower case; undefined: the first label of any host may be one. */
  readonly domain?: string | undefined
  /** What browsers see instead of our own page when the edge answers itself. */
  readonly errorPage?: ErrorPage | undefined
}

export interface PortOptions {
  /** What may be asked for; none: no such ports are opened. */
  readonly tcp?: readonly PortRange[] | undefined
  readonly udp?: readonly PortRange[] | undefined
  /** Most connections, or flows, of one port at a time, at least 1. Default `defaultMaxConnections`. */
  readonly maxConnections?: number | undefined
  /** Of these of one IPv4 address or IPv6 network of 64 bits, at least 1. Default `defaultMaxPerAddress`. */
  readonly maxPerAddress?: number | undefined
  /** How long a client of UDP may be silent, in milliseconds; then its flow is over. Default `defaultFlowMs`. */
  readonly flowMs?: number | undefined
  /** How long a port stays its tunnel's without an agent that serves it, in milliseconds. Default `defaultKeepMs`. */
  readonly keepMs?: number | undefined
}

export const defaultMaxConnections = 1024
export const defaultMaxPerAddress = 256
export const defaultFlowMs = 60_000
export const defaultKeepMs = 600_000

/** The limits of what waits; see `EdgeOptions`. */
export type EdgeLimits = Pick<EdgeOptions, "holdMs" | "timeoutMs" | "maxQueue">

/** What can change while an edge runs; see `EdgeOptions`. */
export type EdgeSettings = EdgeLimits &
  Pick<EdgeOptions, "maxBodyBytes" | "trustedProxies" | "patience" | "errorPage" | "token" | "adminToken">

export const dispatches = ["queue", "direct"] as const
export type Dispatch = (typeof dispatches)[number]
