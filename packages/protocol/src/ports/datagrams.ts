// Datagrams as they travel in a stream of kind udp: each with its length before it, so that it stays whole wherever DATA is cut.
import { getU16, putU16 } from "../wire/bytes.ts"

/** The most that UDP over IPv4 carries. */
export const maxDatagramBytes = 65_507

/** Bytes before each datagram. */
export const datagramHeaderBytes = 2

/** The datagram with its length before it. At most `maxDatagramBytes` long. */
export function framedDatagram(datagram: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(datagramHeaderBytes + datagram.length)
  putU16(framed, 0, datagram.length)
  datagram.copy(framed, datagramHeaderBytes)
  return framed
}

/** Puts datagrams together again. */
export class DatagramReader {
  readonly #onDatagram: (datagram: Buffer) => void
  /** The beginning of a datagram, with its length. */
  #rest: Buffer | undefined

  /** `onDatagram` gets each whole one; it may keep it. */
  constructor(onDatagram: (datagram: Buffer) => void) {
    this.#onDatagram = onDatagram
  }

  /** False when the bytes cannot be datagrams: nothing that follows can be trusted. */
  push(bytes: Buffer): boolean {
    let all = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes])
    this.#rest = undefined
    while (all.length >= datagramHeaderBytes) {
      const length = getU16(all, 0)
      if (length > maxDatagramBytes) return false
      const end = datagramHeaderBytes + length
      if (all.length < end) break
      this.#onDatagram(all.subarray(datagramHeaderBytes, end))
      all = all.subarray(end)
    }
    if (all.length > 0) this.#rest = all
    return true
  }
}
