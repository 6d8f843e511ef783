// The TLS side of a port: makes the handshake with what connects, and hands on the connection with the protocol that both agreed
// on by ALPN (RFC 7301).
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import type { Certificates } from "./certificates.ts"

export interface TlsDoorOptions {
  readonly certificates: Certificates
  /** `socket` speaks TLS over `under`. Whoever asked for no protocol speaks HTTP/1. */
  readonly onSecure: (socket: TLSSocket, under: Socket, protocol: "h2" | "http/1.1") => void
  /** How long the handshake may take, in milliseconds. */
  readonly handshakeMs: number
}

export class TlsDoor {
  readonly #options: TlsDoorOptions
  /** In the middle of the handshake. */
  readonly #pending = new Set<Socket>()

  constructor(options: TlsDoorOptions) {
    this.#options = options
  }

  /** A connection that was just accepted. One that makes no valid handshake in time is closed. */
  take(under: Socket): void {
    const { certificates, onSecure, handshakeMs } = this.#options
    this.#pending.add(under)
    const socket = new TLSSocket(under, {
      isServer: true,
      secureContext: certificates.for(undefined),
      ALPNProtocols: ["h2", "http/1.1"],
      SNICallback: (servername, done) => done(null, certificates.for(servername)),
    })
    const timer = setTimeout(() => under.destroy(), handshakeMs).unref()
    const done = (): void => {
      clearTimeout(timer)
      this.#pending.delete(under)
    }
    under.on("error", ignoreError)
    under.once("close", done)
    socket.on("error", () => under.destroy())
    socket.once("secure", () => {
      done()
      if (under.destroyed) return
      // Only Node's own TLS server says so by itself, and node:http2 waits for it.
      Object.assign(socket, { secureConnecting: false })
      onSecure(socket, under, socket.alpnProtocol === "h2" ? "h2" : "http/1.1")
    })
  }

  /** Ends what has not come through. */
  stop(): void {
    for (const socket of this.#pending) socket.destroy()
  }
}

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
