// The TLS side of a port: makes the handshake with what connects, and hands on the connection with the protocol that both agreed
// on by ALPN (RFC 7301). Who speaks plain text there is handed on as well, to be told.
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { takeByFirstBytes } from "../first-bytes.ts"
import type { Certificates } from "./certificates.ts"

export interface TlsDoorOptions {
  readonly certificates: Certificates
  /** `socket` speaks TLS over `under`. Whoever asked for no protocol speaks HTTP/1. */
  readonly onSecure: (socket: TLSSocket, under: Socket, protocol: "h2" | "http/1.1") => void
  /** It begins like a request in the clear; what has come of it is the socket's to read. */
  readonly onPlain: (socket: Socket) => void
  /** How long all until then may take, in milliseconds. */
  readonly handshakeMs: number
}

export class TlsDoor {
  readonly #options: TlsDoorOptions
  /** Until the handshake is over. */
  readonly #pending = new Set<Socket>()

  constructor(options: TlsDoorOptions) {
    this.#options = options
  }

  /** A connection that was just accepted. One that makes no valid handshake in time is closed. */
  take(under: Socket): void {
    const { onPlain, handshakeMs } = this.#options
    this.#pending.add(under)
    const timer = setTimeout(() => under.destroy(), handshakeMs).unref()
    const done = (): void => {
      clearTimeout(timer)
      this.#pending.delete(under)
    }
    under.once("close", done)
    takeByFirstBytes(under, ([first = 0]) => {
      if (!isLetter(first)) return () => this.#handshake(under, done)
      return () => {
        done()
        under.off("close", done)
        onPlain(under)
        under.resume()
      }
    })
  }

  #handshake(under: Socket, done: () => void): void {
    const { certificates, onSecure } = this.#options
    const socket = new TLSSocket(under, {
      isServer: true,
      secureContext: certificates.for(undefined),
      ALPNProtocols: ["h2", "http/1.1"],
      SNICallback: (servername, answer) => answer(null, certificates.for(servername)),
    })
    under.on("error", ignoreError)
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

/** No record of TLS begins with one (RFC 8446 section 5.1), and every request line does. */
function isLetter(byte: number): boolean {
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
