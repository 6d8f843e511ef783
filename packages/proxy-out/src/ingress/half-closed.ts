// A client that has ended its sending side either still reads (printf … | nc -N) or has left: on the wire both look the same until
// something is written to it, which a client that left answers with RST. So it is served as long as its answer comes.
import type { Socket } from "node:net"

/** Shorter than the second within which a client's leaving has to reach the upstream. */
const silenceMs = 500

/** Calls `onSilent` once nothing has been written to this half-closed socket for a while. A socket that is destroyed is left alone. */
export function awaitSilence(socket: Socket, onSilent: () => void): void {
  const writtenBytes = socket.bytesWritten
  setTimeout(() => {
    if (socket.destroyed) return
    // Bytes that it has not taken yet are the kernel's to deliver, and the ingress' to lose patience with.
    if (socket.bytesWritten === writtenBytes && socket.writableLength === 0) onSilent()
    else awaitSilence(socket, onSilent)
  }, silenceMs).unref()
}
