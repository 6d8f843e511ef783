// Looks at what a connection begins with before anybody owns it: which protocol its client speaks.
import type { Socket } from "node:net"

/**
 * Asks `decide` with all bytes that have come so far until it says who takes the socket; those bytes are the socket's to read then, and it
 * is paused. A client that ends its side before that is closed. How long it may take is the caller's to watch.
 */
export function takeByFirstBytes(socket: Socket, decide: (read: Buffer) => (() => void) | undefined): void {
  let read: Buffer = noBytes
  const release = (): void => {
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
    const take = decide(read)
    if (take === undefined) return
    socket.pause()
    release()
    socket.unshift(read)
    take()
  }
  socket.on("data", onData)
  socket.on("end", onEnd)
  socket.on("error", ignoreError)
  socket.on("close", release)
}

const noBytes = Buffer.alloc(0)

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
