// Large bodies without files: bytes that depend on their position, produced as they are taken and compared as they arrive.
import { randomBytes } from "node:crypto"
import type { Readable, Writable } from "node:stream"

export const mib = 1024 * 1024

/** One round of the bytes; its length is a prime, so that no buffer size of the way divides it. */
const round = randomBytes(1_048_573)
const pieceBytes = 256 * 1024
/** More than one round, so that a piece from any position is one slice. */
const rounds = Buffer.concat([round, round.subarray(0, pieceBytes)])

/** `length` of the bytes from `from` on, or fewer: at most 256 KiB. */
function piece(from: number, length: number): Buffer {
  const start = from % round.length
  return rounds.subarray(start, start + Math.min(length, pieceBytes))
}

/** Writes the first `bytes` of it as fast as they are taken, and ends. Stops when the other side goes away. */
export async function writeBulk(
  target: Writable,
  bytes: number,
  onWritten?: (bytes: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes && !target.destroyed;) {
    const next = piece(at, bytes - at)
    at += next.length
    onWritten?.(at)
    if (!target.write(next)) await drained(target)
  }
  target.end()
}

export interface Received {
  readonly bytes: number
  /** Position of the first byte that is not what was sent there. */
  readonly firstWrong: number | undefined
}

/** Reads it to its end and compares every byte. Rejects when it breaks off. */
export async function readBulk(
  source: Readable,
  onBytes?: (bytes: number) => void | Promise<void>,
): Promise<Received> {
  const comparison = new Comparison()
  for await (const chunk of source as AsyncIterable<Buffer>) {
    comparison.add(chunk)
    await onBytes?.(comparison.bytes)
  }
  return { bytes: comparison.bytes, firstWrong: comparison.firstWrong }
}

class Comparison implements Received {
  bytes = 0
  firstWrong: number | undefined

  add(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const expected = piece(this.bytes, chunk.length - at)
      const actual = chunk.subarray(at, at + expected.length)
      if (this.firstWrong === undefined && !actual.equals(expected))
        this.firstWrong = this.bytes + actual.findIndex((byte, index) => byte !== expected[index])
      at += expected.length
      this.bytes += expected.length
    }
  }
}

function drained(target: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      target.off("drain", done).off("close", done)
      resolve()
    }
    target.on("drain", done).on("close", done)
  })
}
