// What an agent needs to know to run. cli-options.ts makes it from the command line; tests make it by hand.
import type { OpenPort, Secret } from "@restante/protocol"
import type { Logger } from "pino"
import type { ClientIdentity } from "./attach/client-identity.ts"
import type { ForwardProxy } from "./attach/forward-proxy.ts"
import type { ReplayTracing } from "./observe/replay-tracing.ts"
import type { RequestListener } from "./observe/settled-request.ts"
import type { PortMapping } from "./ports.ts"

export interface AgentOptions {
  /** The private server that requests are replayed to; undefined: it takes no requests, only what comes in at its ports. */
  readonly server: UpstreamAddress | undefined
  /** The edge: scheme http: or https:, host and port; a path is kept and goes before `/.restante/`. Never holds a user or password. */
  readonly external: URL
  /** PEM certificates to trust for an https edge instead of the system's; undefined: the system's. */
  readonly externalCa: string | undefined
  /** What an https edge is shown when it asks who we are; undefined: nothing. */
  readonly externalIdentity?: ClientIdentity | undefined
  /** The forward proxy on the way to the edge; undefined: none. */
  readonly proxy?: ForwardProxy | undefined
  /** The tunnel to serve: 1 to 63 of a-z, 0-9 and "-", not beginning or ending with "-". */
  readonly tunnel: string
  /** Where requests for it come in, as `routeText` writes them; none: at its name. */
  readonly routes?: readonly string[] | undefined
  /** Whether a route's prefix is cut from the path that the private server sees. */
  readonly stripPrefix?: boolean | undefined
  /** What the edge wants to see before it lets this agent attach. */
  readonly token: Secret
  /** "auto" begins with poll and moves to websocket where that works; the others stay with one. */
  readonly transport: Transport
  /** Most requests replayed at the same time, 1 to 65,535. */
  readonly concurrency: number
  /** Most connections that have switched protocols (WebSockets) at a time, beside `concurrency`; 0 to 65,535. Default `defaultMaxUpgrades`. */
  readonly maxUpgrades?: number | undefined
  /** Ports of the edge that lead here. Default: none. */
  readonly ports?: readonly PortMapping[] | undefined
  /** What TCP servers are told of their client before its first byte. Default: nothing. */
  readonly proxyProtocol?: boolean | undefined
  /** Most connections of ports at a time, beside `concurrency`; 1 to 65,535. Default `defaultMaxConnections`. */
  readonly maxConnections?: number | undefined
  /** Told of the edge's ports whenever it opened them for this agent. */
  readonly onPorts?: ((ports: readonly OpenPort[]) => void) | undefined
  readonly hostHeader: HostHeader
  /** Makes a span of every request; undefined: none, and trace fields cross untouched. */
  readonly tracing?: ReplayTracing | undefined
  readonly log: Logger
  /** Every request is a line of the log at level info; otherwise at level debug. */
  readonly logRequests?: boolean | undefined
  /** Told of every request that ends. */
  readonly onRequest?: RequestListener | undefined
}

/** Each holds a connection to the private server, and memory only while it speaks. */
export const defaultMaxUpgrades = 4096
export const defaultMaxConnections = 4096

/** Where the private server listens. `basePath` is "" or begins with "/" and does not end with it; it is put before every request's path, byte for byte. */
export type UpstreamAddress =
  | {
      readonly kind: "tcp"
      /** Name, IPv4 or IPv6 address without brackets. */
      readonly host: string
      readonly port: number
      readonly tls: boolean
      /** It is spoken to in HTTP/2: over TLS by ALPN, without TLS at once (RFC 9113 section 3.3). Default false. */
      readonly http2?: boolean
      readonly basePath: string
      /** PEM certificates to trust instead of the system's, for an upstream with an own CA; undefined: the system's. */
      readonly ca: string | undefined
    }
  | { readonly kind: "unix"; readonly path: string; readonly basePath: string }

/** Which Host the upstream sees: the client's own, the upstream's address, or a fixed one (RFC 9110 section 7.2). */
export type HostHeader =
  | { readonly kind: "preserve" }
  | { readonly kind: "upstream" }
  | { readonly kind: "value"; readonly value: string }

export const transports = ["auto", "poll", "websocket"] as const
export type Transport = (typeof transports)[number]
