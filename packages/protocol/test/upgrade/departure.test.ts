// A WebSocket is left between two frames, wherever the network cut its bytes, and nothing follows the Close.
import { array, assert, boolean, constantFrom, integer, nat, oneof, property, record } from "fast-check"
import { describe, expect, test } from "vitest"
import { Departure } from "../../src/upgrade/index.ts"

interface Frame {
  readonly opcode: number
  readonly payloadBytes: number
  readonly masked: boolean
}

/** RFC 6455 section 5.2, written out. */
function encoded({ opcode, payloadBytes, masked }: Frame): Buffer {
  const mask = masked ? 0x80 : 0
  const head = [0x80 | opcode]
  if (payloadBytes < 126) head.push(mask | payloadBytes)
  else if (payloadBytes < 65_536) head.push(mask | 126, payloadBytes >> 8, payloadBytes & 0xff)
  else
    head.push(mask | 127, 0, 0, 0, 0, 0, payloadBytes >> 16, (payloadBytes >> 8) & 0xff, payloadBytes & 0xff)
  if (masked) head.push(1, 2, 3, 4)
  return Buffer.concat([Buffer.from(head), Buffer.alloc(payloadBytes, opcode)])
}

const text = (payloadBytes: number): Buffer => encoded({ opcode: 1, payloadBytes, masked: false })
const close = Buffer.from([0x88, 0x02, 0x03, 0xe9])

const anyFrame = record<Frame>({
  opcode: constantFrom(0, 1, 2, 9, 10),
  payloadBytes: oneof(nat(300), constantFrom(0, 125, 126, 65_535, 65_536)),
  masked: boolean(),
})

/** The bytes in pieces of these sizes, the last one with all that is left. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let rest = bytes
  for (const size of sizes) {
    if (rest.length === 0) break
    pieces.push(rest.subarray(0, size))
    rest = rest.subarray(size)
  }
  return rest.length > 0 ? [...pieces, rest] : pieces
}

test("whatever is cut where, all that goes out is whole frames and one Close", () => {
  assert(
    property(
      array(anyFrame, { minLength: 1, maxLength: 6 }),
      array(integer({ min: 1, max: 200 }), { maxLength: 40 }),
      nat(40),
      (frames, sizes, leaveAfter) => {
        const encodings = frames.map(encoded)
        const departure = new Departure()
        const out: Buffer[] = []
        for (const [index, piece] of cut(Buffer.concat(encodings), sizes).entries()) {
          if (index === leaveAfter) out.push(departure.leave())
          out.push(departure.pass(piece))
        }
        out.push(departure.leave())
        const wholeFrames = encodings.map((_, count) => Buffer.concat([...encodings.slice(0, count), close]))
        wholeFrames.push(Buffer.concat([...encodings, close]))
        const sent = Buffer.concat(out)
        expect(departure.left).toBe(true)
        expect(wholeFrames.some((possible) => possible.equals(sent))).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

describe("leaving", () => {
  test("before anything was said, the Close is the first frame", () => {
    const departure = new Departure()
    expect(departure.leave()).toEqual(close)
    expect(departure.pass(text(5))).toHaveLength(0)
  })

  test("in the middle of a frame waits for its end, and for no more", () => {
    const departure = new Departure()
    const bytes = text(10)
    departure.pass(bytes.subarray(0, 4))
    expect(departure.leave()).toHaveLength(0)
    expect(departure.left).toBe(false)
    expect(departure.pass(Buffer.concat([bytes.subarray(4), text(3)]))).toEqual(
      Buffer.concat([bytes.subarray(4), close]),
    )
  })

  test("in the middle of a header waits for the frame's end too", () => {
    const departure = new Departure()
    departure.pass(text(300).subarray(0, 3))
    departure.leave()
    expect(departure.pass(text(300).subarray(3)).subarray(-4)).toEqual(close)
  })

  test("says nothing behind a Close of the peer's own", () => {
    const departure = new Departure()
    departure.pass(close)
    expect([departure.leave().length, departure.left]).toEqual([0, true])
  })

  test("from client to server the Close is masked, with the given bytes", () => {
    const departure = new Departure(() => Buffer.from([1, 2, 3, 4]))
    expect(departure.leave()).toEqual(Buffer.from([0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe9 ^ 2]))
  })

  test("twice says one Close", () => {
    const departure = new Departure()
    departure.leave()
    expect(departure.leave()).toHaveLength(0)
  })
})
