// Ends a connection without taking from its client what it has not read yet.
import type { Socket } from "node:net"

/** Ends our side behind what was written, and the connection when that has been read or its time is over. */
export function endedWithin(socket: Socket, mostMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), mostMs)
    socket.once("close", () => {
      clearTimeout(timer)
      resolve()
    })
    socket.destroySoon()
  })
}
