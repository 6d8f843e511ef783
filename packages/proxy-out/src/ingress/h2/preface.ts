// Which HTTP a client on a plain port begins with: HTTP/2 has a preface that is no HTTP/1 request (RFC 9113 section 3.4).
import type { Socket } from "node:net"

/** Calls one of the two once its first bytes tell; they are the socket's to read then. Nothing is called for one that says nothing within `waitMs`. */
export function takeByPreface(socket: Socket, waitMs: number, http2: () => void, http1: () => void): void {
  let read: Buffer = noBytes
  const timer = setTimeout(() => socket.destroy(), waitMs).unref()
  const release = (): void => {
    clearTimeout(timer)
    socket.off("data", onData)
    socket.off("end", onEnd)
    socket.off("error", ignoreError)
    socket.off("close", release)
  }
  const onEnd = (): void => {
    release()
    socket.destroy()
  }
  const onData = (bytes: Buffer): void => {
    read = read.length === 0 ? bytes : Buffer.concat([read, bytes])
    const same = Math.min(read.length, preface.length)
    const fits = preface.subarray(0, same).equals(read.subarray(0, same))
    if (fits && same < preface.length) return
    socket.pause()
    release()
    socket.unshift(read)
    if (fits) return http2()
    http1()
    socket.resume()
  }
  socket.on("data", onData)
  socket.on("end", onEnd)
  socket.on("error", ignoreError)
  socket.on("close", release)
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
const noBytes = Buffer.alloc(0)

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
