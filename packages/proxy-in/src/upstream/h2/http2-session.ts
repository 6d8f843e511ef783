// One HTTP/2 connection to the upstream, from dialling until it is closed.
import { connect, type ClientHttp2Session } from "node:http2"
import net from "node:net"
import tls from "node:tls"
import type { UpstreamAddress } from "../../agent-options.ts"
import { brokenConnection, connectFailure } from "../failures.ts"
import type { ConnectStage, UpstreamFailure } from "../failures.ts"

export class Http2Session {
  readonly session: ClientHttp2Session
  readonly scheme: "http" | "https"
  readonly #socket: net.Socket
  readonly #waiting = new Set<() => void>()
  #stage: ConnectStage | "ready" | "closed"
  #error: Error | undefined
  #leaving = false
  #streams = 0
  #idleSince = Number.POSITIVE_INFINITY

  /** `onClosed` is called once, when it can serve no more and nothing runs on it. */
  constructor(address: Extract<UpstreamAddress, { readonly kind: "tcp" }>, onClosed: () => void) {
    this.scheme = address.tls ? "https" : "http"
    this.#stage = net.isIP(address.host) === 0 ? "resolving" : "connecting"
    const socket = dial(address)
    this.#socket = socket
      .once("lookup", () => this.#advance("connecting"))
      .once("connect", () => this.#advance(address.tls ? "securing" : "greeting"))
      .on("error", (error) => (this.#error ??= error))
    this.session = connect(`${this.scheme}://upstream`, { ...sessionOptions, createConnection: () => socket })
    this.session
      .once("connect", () => this.#connected())
      .once("remoteSettings", () => this.#ready())
      .once("goaway", () => this.close())
      .on("error", (error: Error) => (this.#error ??= error))
      .once("close", () => {
        this.#stage = this.#stage === "ready" ? "closed" : this.#stage
        this.#leaving = true
        for (const told of this.#waiting) told()
        this.#waiting.clear()
        socket.destroy()
        onClosed()
      })
  }

  get ready(): boolean {
    return this.#stage === "ready"
  }

  /** It takes one more exchange at once. Of one that is being made nobody knows how many: a first guess is enough. */
  get roomy(): boolean {
    if (this.#leaving) return false
    const most = this.ready ? (this.session.remoteSettings.maxConcurrentStreams ?? 100) : 100
    return this.#streams < most
  }

  get streams(): number {
    return this.#streams
  }

  /** The upstream takes WebSockets (RFC 8441 section 3). */
  get takesConnect(): boolean {
    return this.session.remoteSettings.enableConnectProtocol === true
  }

  get stage(): ConnectStage {
    return this.#stage === "ready" || this.#stage === "closed" ? "greeting" : this.#stage
  }

  /** An exchange uses it until `left`. `told` is called when it is ready, or never will be. */
  enter(told: () => void): void {
    this.#streams += 1
    this.#idleSince = Number.POSITIVE_INFINITY
    if (!this.ready) this.#waiting.add(told)
  }

  left(told: () => void): void {
    this.#streams -= 1
    this.#waiting.delete(told)
    if (this.#streams === 0 && this.#stage !== "ready") this.session.destroy() // nobody waits for it
  }

  /** What went wrong with it; `begun`: a byte of the response had arrived. */
  failure(begun: boolean): UpstreamFailure {
    if (this.#stage === "ready" || this.#stage === "closed") return brokenConnection(this.#error, begun)
    return connectFailure(this.#error, this.#stage)
  }

  tick(now: number, idleMs: number): void {
    if (this.#streams > 0 || this.#leaving) return
    if (this.#idleSince === Number.POSITIVE_INFINITY) this.#idleSince = now
    else if (now - this.#idleSince >= idleMs) this.close()
  }

  /** Takes no further exchange; closes when none runs. */
  close(): void {
    if (this.#leaving) return
    this.#leaving = true
    if (this.#streams === 0 && !this.ready) this.session.destroy()
    else this.session.close()
  }

  #advance(stage: ConnectStage): void {
    if (this.#stage !== "ready" && this.#stage !== "closed") this.#stage = stage
  }

  /** Before the server's first byte. */
  #connected(): void {
    // RFC 9113 section 3.2: over TLS it has to be agreed on; what comes otherwise would only be misread.
    if (this.#socket instanceof tls.TLSSocket && this.#socket.alpnProtocol !== "h2") {
      this.#error = Object.assign(new Error("no h2"), { code: "ERR_SSL_NO_APPLICATION_PROTOCOL" })
      this.session.destroy()
      return
    }
    this.#advance("greeting")
    this.session.setLocalWindowSize(connectionWindowBytes)
  }

  #ready(): void {
    this.#stage = "ready"
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const told of waiting) told()
  }
}

const streamWindowBytes = 256 * 1024
const connectionWindowBytes = 16 * 1024 * 1024
const mostFields = 264
const maxSessionMemoryMib = 64
const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: streamWindowBytes },
  strictSingleValueFields: false,
  maxHeaderListPairs: mostFields,
  maxSessionMemory: maxSessionMemoryMib,
} as const
/** TCP keep-alive: an upstream that vanished without a word is noticed. */
const probeAfterMs = 30_000

function dial(address: Extract<UpstreamAddress, { readonly kind: "tcp" }>): net.Socket {
  const { host, port, ca } = address
  const place = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: probeAfterMs }
  if (!address.tls) return net.connect(place)
  return tls.connect({
    ...place,
    ALPNProtocols: ["h2"],
    ...(net.isIP(host) === 0 ? { servername: host } : {}), // RFC 6066 section 3: no literal addresses in SNI
    ...(ca === undefined ? {} : { ca }),
  })
}
