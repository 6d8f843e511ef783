// Datagrams in a stream: whole, wherever it is cut.
import { expect, test } from "vitest"
import { DatagramReader, framedDatagram, maxDatagramBytes } from "../../src/ports/index.ts"

function read(pieces: readonly Buffer[]): { datagrams: readonly Buffer[]; accepted: boolean } {
  const datagrams: Buffer[] = []
  const reader = new DatagramReader((datagram) => datagrams.push(datagram))
  return { accepted: pieces.every((piece) => reader.push(piece)), datagrams }
}

const sent = [Buffer.from("abc"), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.alloc(maxDatagramBytes, 9)]
const stream = Buffer.concat(sent.map((datagram) => framedDatagram(datagram)))

test.each([1, 2, 3, 5, 299, 65_536, stream.length])(
  "a stream in pieces of %i bytes gives the datagrams that went in",
  (size) => {
    const pieces: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) pieces.push(stream.subarray(at, at + size))
    expect(read(pieces)).toEqual({ datagrams: sent, accepted: true })
  },
)

test("a length that no datagram has is refused", () => {
  expect(read([Buffer.from([0xff, 0xe4, 1])])).toEqual({ datagrams: [], accepted: false })
})
