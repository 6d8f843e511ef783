// Writes bytes in pieces, each in a turn of its own.
import type { Socket } from "node:net"

/** `splits`: where it is cut, as parts of the whole. */
export async function writeSplit(socket: Socket, bytes: Buffer, splits: readonly number[]): Promise<void> {
  const ends = [
    ...splits.map((part) => Math.floor(part * bytes.length)).toSorted((a, b) => a - b),
    bytes.length,
  ]
  let at = 0
  for (const end of ends) {
    if (end === at || socket.destroyed) continue
    if (at > 0) {
      // oxlint-disable-next-line no-await-in-loop -- a later turn is what it is about
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!socket.destroyed) socket.write(bytes.subarray(at, end))
    at = end
  }
}
