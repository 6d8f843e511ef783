// Which HTTP a client on a plain port begins with: HTTP/2 has a preface that is no HTTP/1 request (RFC 9113 section 3.4).
import type { Socket } from "node:net"
import { takeByFirstBytes } from "../first-bytes.ts"

/** Calls one of the two once its first bytes tell; they are the socket's to read then. Nothing is called for one that says nothing within `waitMs`. */
export function takeByPreface(socket: Socket, waitMs: number, http2: () => void, http1: () => void): void {
  const timer = setTimeout(() => socket.destroy(), waitMs).unref()
  const known = (): void => clearTimeout(timer)
  socket.once("close", known)
  takeByFirstBytes(socket, (read) => {
    const same = Math.min(read.length, preface.length)
    const fits = preface.subarray(0, same).equals(read.subarray(0, same))
    if (fits && same < preface.length) return undefined
    return () => {
      known()
      socket.off("close", known)
      if (fits) return http2()
      http1()
      socket.resume()
    }
  })
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
