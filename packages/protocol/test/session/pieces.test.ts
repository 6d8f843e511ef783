// A message that no carrier brings through whole goes in pieces. Checked with carriers that end after a number of bytes, and
// with pieces that come in any order.
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { PartialMessage } from "../../src/session/partial-message.ts"
import { Session, type SessionOptions } from "../../src/session/index.ts"
import {
  FrameWriter,
  MessageDecoder,
  messageHeaderBytes,
  messageNumber,
  pieceUnitBytes,
  putMessageHeader,
  readFrames,
} from "../../src/wire/index.ts"
import { Recorder, type RecordedFrame } from "../wire/frame-record.ts"
import { seed } from "../wire/seed.ts"

describe("over carriers that end early", () => {
  test("messages far larger than what one carries arrive, and none twice", () => {
    const pair = new Pair()
    const bodies = [1_000_000, 700_000, 100, 300_000].map((bytes, index) => body(bytes, index))
    for (const bytes of bodies) pair.send(bytes)
    // Three times whole and then in pieces, for each of the large ones.
    pair.carryUntilQuiet(150_000, 60)
    expect(pair.arrived.equals(Buffer.concat(bodies))).toBe(true)
  })

  test("whatever they carry, from 20 kB on, all arrives in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 20_000, max: 300_000 }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (sizes, carried, told) => {
          const pair = new Pair()
          const bodies = sizes.map((bytes, index) => body(bytes, index))
          for (const bytes of bodies) pair.send(bytes)
          for (const bytes of carried) pair.carry(bytes, { told })
          pair.carryUntilQuiet(20_000, 500)
          expect(pair.arrived.equals(Buffer.concat(bodies))).toBe(true)
        },
      ),
      { seed, numRuns: 60 },
    )
  })

  test("a peer that takes no pieces is sent none", () => {
    const pair = new Pair({ pieces: false })
    pair.send(body(200_000, 1))
    for (let round = 0; round < 10; round++) pair.carry(150_000)
    expect([pair.arrived.length, pair.pieces]).toEqual([0, 0])
  })

  test("a message that was lost twice goes whole once more", () => {
    const pair = new Pair()
    pair.send(body(200_000, 1))
    for (let round = 0; round < 2; round++) pair.carry(150_000)
    pair.carry(Infinity)
    expect([pair.arrived.length, pair.pieces]).toEqual([200_000, 0])
  })

  test("pieces stay small, however often one is lost", () => {
    const pair = new Pair()
    pair.send(body(400_000, 1))
    for (let round = 0; round < 10; round++) pair.carry(10_000)
    const largest = Array.from({ length: 60 }, () => pair.carry(10_000))
    expect(Math.max(...largest)).toBeLessThan(17_000)
  })

  test("new messages are small while large ones do not get through, and large again after a calm while", () => {
    const pair = new Pair()
    pair.send(body(200_000, 1))
    pair.carryUntilQuiet(150_000, 10)
    const sizes: number[] = []
    for (let sent = 0; sent < 40; sent++) {
      pair.send(body(1_000_000, sent))
      sizes.push(pair.carry(Infinity))
    }
    expect(sizes[0]).toBeLessThan(100_000)
    expect(sizes.at(-1)).toBeGreaterThan(500_000)
  })

  test("what the peer has in pieces counts as progress", () => {
    const pair = new Pair()
    pair.send(body(1_000_000, 1))
    for (let round = 0; round < 3; round++) pair.carry(150_000)
    const before = pair.sender.progress
    pair.carry(150_000)
    expect(pair.sender.progress).toBeGreaterThan(before)
  })
})

describe("pieces", () => {
  test("in any order and more than once make the message, no sooner than all are there", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 * pieceUnitBytes }),
        fc.array(fc.tuple(fc.nat({ max: 11 }), fc.integer({ min: 1, max: 4 })), { maxLength: 40 }),
        (payloadBytes, some) => {
          const payload = body(payloadBytes, 3)
          const units = Math.ceil(payloadBytes / pieceUnitBytes)
          const partial = new PartialMessage(1, payloadBytes)
          const present = new Set<number>()
          const inOrder = Array.from({ length: units }, (_, index) => [index, 1] as const)
          let whole: Buffer | undefined
          for (const [first, count] of [...some, ...inOrder]) {
            if (first >= units || whole !== undefined) continue
            const offset = first * pieceUnitBytes
            const bytes = payload.subarray(offset, offset + count * pieceUnitBytes)
            whole = partial.add({ number: 1, payloadBytes, offset, bytes })
            for (let index = first; index < Math.min(units, first + count); index++) present.add(index)
            expect(whole !== undefined).toBe(present.size === units)
          }
          expect(whole?.subarray(messageHeaderBytes).equals(payload)).toBe(true)
        },
      ),
      { seed, numRuns: 300 },
    )
  })

  test("are told of with every bare acknowledgement, before RESEND", () => {
    const { session } = receiver()
    session.receive(unnumbered((writer) => writer.piece(piece(1, 0))))
    expect(framesOf(session.ackMessage({ resend: true }))).toEqual([
      { type: "have", number: 1, payloadBytes: pieceUnitBytes },
      { type: "resend" },
    ])
    expect(framesOf(session.ackMessage())).toEqual([
      { type: "have", number: 1, payloadBytes: pieceUnitBytes },
    ])
  })

  test("that leave a gap are told of up to it", () => {
    const { session } = receiver()
    session.receive(unnumbered((writer) => writer.piece(piece(1, 0))))
    session.receive(unnumbered((writer) => writer.piece(piece(1, 2))))
    expect(framesOf(Buffer.concat(session.nextMessage(1) ?? []))).toEqual([
      { type: "have", number: 1, payloadBytes: pieceUnitBytes },
    ])
  })

  test("of a message that is here already are dropped, and it is acknowledged again", () => {
    const { session, recorder } = receiver()
    session.receive(numbered(1))
    session.ackMessage()
    session.receive(unnumbered((writer) => writer.piece(piece(1, 0))))
    expect([session.ackDue, recorder.frames.length]).toEqual([true, 1])
  })

  test("of a message that comes whole after all are forgotten", () => {
    const { session, recorder } = receiver()
    session.receive(unnumbered((writer) => writer.piece(piece(1, 0))))
    session.receive(numbered(1))
    expect([framesOf(session.ackMessage()), recorder.frames.length]).toEqual([[], 1])
  })

  test("of a message whose predecessors are not here break the session", () => {
    const { session } = receiver()
    expect(() => session.receive(unnumbered((writer) => writer.piece(piece(2, 0))))).toThrow(
      "frame_unexpected",
    )
  })

  test("that disagree about their message's size break the session", () => {
    const { session } = receiver()
    session.receive(unnumbered((writer) => writer.piece(piece(1, 0))))
    const other = { ...piece(1, 1), payloadBytes: 9 * pieceUnitBytes }
    expect(() => session.receive(unnumbered((writer) => writer.piece(other)))).toThrow("frame_malformed")
  })
})

/** Bytes of which no two stretches are alike. */
function body(bytes: number, start: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  for (let index = 0; index < words.length; index++)
    words[index] = Math.imul(index + start * 1_000_003, 2_654_435_761)
  return Buffer.from(words.buffer, 0, bytes)
}

function piece(
  number: number,
  unit: number,
): { number: number; payloadBytes: number; offset: number; bytes: Buffer } {
  return {
    number,
    payloadBytes: 8 * pieceUnitBytes,
    offset: unit * pieceUnitBytes,
    bytes: Buffer.alloc(pieceUnitBytes),
  }
}

function unnumbered(write: (writer: FrameWriter) => void): Buffer {
  return message(0, write)
}

function numbered(number: number): Buffer {
  return message(number, (writer) => writer.taken(1))
}

function message(number: number, write: (writer: FrameWriter) => void): Buffer {
  const writer = new FrameWriter({ headroomBytes: messageHeaderBytes })
  write(writer)
  const bytes = Buffer.concat(writer.take() ?? [])
  putMessageHeader(bytes, bytes.length - messageHeaderBytes, number, 0)
  return bytes
}

/** The frames of a whole message. */
function framesOf(bytes: Buffer): RecordedFrame[] {
  const recorder = new Recorder()
  readFrames(bytes, recorder, messageHeaderBytes)
  return recorder.frames
}

function receiver(): { session: Session; recorder: Recorder } {
  const recorder = new Recorder()
  return { session: new Session({ sink: recorder, onOutput: () => {} }), recorder }
}

/** A sender and a receiver, and carriers between them that end after some bytes. */
class Pair {
  readonly sender: Session
  readonly #receiver: Session
  readonly #bodies: Buffer[] = []
  #carrier = 0
  /** Messages that went out and were not numbered. */
  pieces = 0

  constructor(options: Partial<SessionOptions> = {}) {
    this.sender = new Session({ sink: new Recorder(), onOutput: () => {}, pieces: true, ...options })
    const recorder = new Recorder()
    recorder.onData = (_stream, bytes) => void this.#bodies.push(Buffer.from(bytes))
    this.#receiver = new Session({ sink: recorder, onOutput: () => {} })
  }

  get arrived(): Buffer {
    return Buffer.concat(this.#bodies)
  }

  send(bytes: Buffer): void {
    this.sender.data(1, bytes)
  }

  /**
   * One carrier takes all there is and ends after so many bytes. The sender notices, and is told what arrived, unless that
   * was lost as well. Returns the size of the largest message that it took.
   */
  carry(bytes: number, { told = true }: { readonly told?: boolean } = {}): number {
    const carrier = ++this.#carrier
    const decoder = new MessageDecoder({ preamble: false })
    let left = bytes
    let largest = 0
    for (let next = this.sender.nextMessage(carrier); next; next = this.sender.nextMessage(carrier)) {
      const whole = Buffer.concat(next)
      largest = Math.max(largest, whole.length)
      if (messageNumber(whole) === 0) this.pieces++
      // A socket takes more than the far end will ever see.
      for (const one of decoder.push(Buffer.from(whole.subarray(0, left)))) this.#receiver.receive(one)
      left -= Math.min(left, whole.length)
    }
    if (left === 0) this.sender.carrierLost(carrier)
    if (told) this.sender.receive(this.#receiver.ackMessage())
    return largest
  }

  carryUntilQuiet(bytes: number, mostCarriers: number): void {
    for (let count = 0; this.sender.hasOutput || this.sender.unacknowledgedBytes > 0; count++) {
      if (count === mostCarriers) throw new Error(`${this.sender.unacknowledgedBytes} bytes never arrived`)
      this.carry(bytes)
    }
  }
}
