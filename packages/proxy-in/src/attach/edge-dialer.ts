// Opens the sockets to the edge, for both transports alike: straight or through a forward proxy, plain or with TLS.
// HTTP and websocket on them are undici's and ws'; what fails here is told as a LinkError that says at which hop.
import net from "node:net"
import tls from "node:tls"
import type { Secret } from "@restante/protocol"
import type { ClientIdentity } from "./client-identity.ts"
import type { ForwardProxy } from "./forward-proxy.ts"
import { LinkError } from "./link-error.ts"
import { edgePlace } from "./place.ts"
import type { Place } from "./place.ts"
import { openTunnel, proxyAuthorization } from "./proxy-tunnel.ts"

export interface EdgeDialerOptions {
  readonly external: URL
  /** PEM; undefined: the system's. */
  readonly ca: string | undefined
  /** What we show to an edge that asks who we are. */
  readonly identity?: ClientIdentity | undefined
  /** Undefined: straight to the edge. */
  readonly proxy?: ForwardProxy | undefined
  /** Instead of the system's resolver. */
  readonly lookup?: net.LookupFunction | undefined
  /** How long all of it may take; default 10 s. */
  readonly connectTimeoutMs?: number | undefined
}

/** "requests" may be passed on by a proxy one by one; what a "websocket" needs is a connection to the edge itself. */
export type DialPurpose = "requests" | "websocket"

type Opened = [error: LinkError, socket: null] | [error: null, socket: net.Socket]

export class EdgeDialer {
  /** What goes before the path of every request: the edge's origin where a proxy passes requests on (RFC 9112 section 3.2.2), else "". */
  readonly requestPrefix: string
  /** What a proxy that passes requests on wants to see with each of them. */
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly #options: EdgeDialerOptions

  constructor(options: EdgeDialerOptions) {
    this.#options = options
    const { external, proxy } = options
    const passedOn = proxy !== undefined && external.protocol === "http:"
    this.requestPrefix = passedOn ? external.origin : ""
    this.requestHeaders = passedOn ? proxyAuthorization(proxy) : {}
  }

  /** A connection on which requests, or the websocket's, can be written at once. Raises LinkError. */
  async dial(purpose: DialPurpose): Promise<net.Socket> {
    const signal = AbortSignal.timeout(this.#options.connectTimeoutMs ?? defaultTimeoutMs)
    const { external, proxy } = this.#options
    const secure = external.protocol === "https:"
    if (proxy === undefined) {
      const socket = await toEdge(this.#connect(edgePlace(external), signal))
      return secure ? toEdge(this.#secureEdge(socket, signal)) : socket
    }
    const socket = await toProxy(this.#connectProxy(proxy, signal))
    if (!secure && purpose === "requests") return socket
    const tunnel = await toProxy(openTunnel(socket, proxy, edgePlace(external), signal))
    return secure ? toEdge(this.#secureEdge(tunnel, signal)) : tunnel
  }

  /** The same, for libraries that want to be called back. Never rejects. */
  async open(purpose: DialPurpose, opened: (...result: Opened) => void): Promise<void> {
    let socket: net.Socket
    try {
      socket = await this.dial(purpose)
    } catch (reason) {
      opened(LinkError.from(reason), null)
      return
    }
    opened(null, socket)
  }

  async #connectProxy(proxy: ForwardProxy, signal: AbortSignal): Promise<net.Socket> {
    const socket = await this.#connect(proxy, signal)
    return proxy.tls ? secured(socket, { host: proxy.host, ca: proxy.ca }, signal) : socket
  }

  #connect(place: Place, signal: AbortSignal): Promise<net.Socket> {
    return connected(place, { lookup: this.#options.lookup, signal })
  }

  #secureEdge(socket: net.Socket, signal: AbortSignal): Promise<net.Socket> {
    const { external, ca, identity } = this.#options
    return secured(socket, { host: edgePlace(external).host, ca, identity }, signal)
  }
}

/** Tries the addresses of both families, the next one a quarter of a second after the last (RFC 8305). Rejects with the system's error. */
export function connected(
  { host, port }: Place,
  { lookup, signal }: { readonly lookup?: net.LookupFunction | undefined; readonly signal: AbortSignal },
): Promise<net.Socket> {
  const socket = net.connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: nextAddressMs,
    ...(lookup === undefined ? {} : { lookup }),
  })
  return ready(socket, "connect", signal)
}

/** Makes TLS of it. Rejects with Node's error; `socket` is closed then. */
function secured(
  socket: net.Socket,
  { host, ca, identity }: Trust,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  const secure = tls.connect({
    socket,
    host,
    ALPNProtocols: ["http/1.1"],
    ...(net.isIP(host) === 0 ? { servername: host } : {}), // RFC 6066 section 3: no literal addresses in SNI
    ...(ca === undefined ? {} : { ca }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key.reveal() }),
  })
  return ready(secure, "secureConnect", signal)
}

export interface Trust {
  /** Whose certificate it has to be. */
  readonly host: string
  /** PEM; undefined: the system's. */
  readonly ca: string | undefined
  readonly identity?: { readonly certificate: string; readonly key: Secret } | undefined
}

const defaultTimeoutMs = 10_000
/** TCP keep-alive: also a websocket that is quiet for long stays known to the firewalls on its way. */
const probeAfterMs = 30_000
const nextAddressMs = 250

function ready<S extends net.Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const give = (): void => void socket.destroy(new DOMException("not in time", "TimeoutError"))
    const leave = (): void => signal.removeEventListener("abort", give)
    // It stays: between here and who uses the socket nobody else would listen, and an edge that does not like our certificate says so
    // only after the handshake (RFC 8446 section 4.4.2.4). Without destroy the end that follows would hide why.
    socket.on("error", (error) => {
      leave()
      reject(error)
      socket.destroy(error)
    })
    socket.once("close", () => {
      leave()
      reject(new Error("closed before it was ready"))
    })
    socket.once(event, () => {
      leave()
      resolve(socket)
    })
    if (signal.aborted) give()
    else signal.addEventListener("abort", give, { once: true })
  })
}

function toEdge<T>(step: Promise<T>): Promise<T> {
  return step.catch((reason: unknown) => {
    throw LinkError.from(reason)
  })
}

function toProxy<T>(step: Promise<T>): Promise<T> {
  return step.catch((reason: unknown) => {
    throw LinkError.atProxy(reason)
  })
}
