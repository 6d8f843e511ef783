// What a session promises to its owner, one promise at a time. (That nothing is lost or doubled: resume.test.ts.)
import { describe, expect, test } from "vitest"
import { ReorderBuffer } from "../../src/session/reorder.ts"
import { RetainedMessages } from "../../src/session/retained.ts"
import { Session, type SessionOptions } from "../../src/session/index.ts"
import {
  FrameWriter,
  messageAck,
  messageHeaderBytes,
  messageNumber,
  putMessageHeader,
  WireError,
  type WireErrorCode,
  wireLimits,
} from "../../src/wire/index.ts"
import { Recorder } from "../wire/frame-record.ts"

describe("output", () => {
  test("is announced once, until all of it was taken", () => {
    const { session, outputs } = end()
    session.taken(1)
    session.taken(2)
    expect(outputs.count).toBe(1)
    expect(session.nextMessage(1)).toBeDefined()
    session.taken(3)
    expect(outputs.count).toBe(2)
  })

  test("of many small frames is one message in one buffer", () => {
    const { session } = end()
    for (let stream = 1; stream <= 16; stream++) session.head(stream, 1, "HTTP/1.1 204 No Content\r\n\r\n")
    expect(session.nextMessage(1)).toHaveLength(1)
    expect(session.hasOutput).toBe(false)
  })

  test("of so much that the peer could begin with it is told at every eighth DATA, counted anew from each message", () => {
    const batches = { count: 0 }
    const { session } = end({ onBatch: () => batches.count++ })
    const say = (times: number): void => {
      for (let time = 1; time <= times; time++) session.data(1, Buffer.alloc(1))
    }
    say(7)
    session.nextMessage(1)
    say(7)
    const before = batches.count
    say(9)
    expect([before, batches.count]).toEqual([0, 2])
  })

  test("of a large body goes by reference, not by copy", () => {
    const { session } = end()
    const body = Buffer.alloc(200_000)
    session.data(1, body)
    const buffers = session.nextMessage(1) ?? []
    expect(buffers.map(({ length }) => length)).toEqual([28, body.length])
    expect(buffers[1]).toBe(body)
  })

  test("carries the acknowledgement of everything received so far", () => {
    const { session } = end()
    session.receive(message(1, 0, taken(1)))
    session.receive(message(2, 0, taken(2)))
    expect(session.ackDue).toBe(true)
    session.taken(1)
    expect(messageAck(Buffer.concat(session.nextMessage(1) ?? []))).toBe(2)
    expect(session.ackDue).toBe(false)
  })

  test("stops at 1024 unacknowledged messages and goes on after an acknowledgement", () => {
    const { session, outputs } = end()
    for (let count = 0; count < wireLimits.maxUnacknowledgedMessages; count++) {
      session.taken(1)
      session.nextMessage(1)
    }
    const before = outputs.count
    session.taken(1)
    expect(session.hasOutput).toBe(false)
    expect(session.nextMessage(1)).toBeUndefined()
    expect(outputs.count).toBe(before)

    session.receive(message(0, 1, noFrames))
    expect(outputs.count).toBe(before + 1)
    expect(numberOf(session.nextMessage(1))).toBe(1025)
  })

  test("stops once 16 MiB are unacknowledged", () => {
    const { session } = end()
    session.data(1, Buffer.alloc(40 << 20))
    while (session.nextMessage(1) !== undefined) continue
    expect(session.unacknowledgedBytes).toBeGreaterThanOrEqual(16 << 20)
    expect(session.unacknowledgedBytes).toBeLessThan((16 << 20) + wireLimits.maxMessageBytes)
  })

  test("whose memory may be used again is named once the peer has it, not before", () => {
    const released: Buffer[] = []
    const { session } = end({ onReleased: (buffers) => released.push(...buffers) })
    const body = Buffer.alloc(10_000)
    session.data(1, body)
    session.nextMessage(1)
    session.carrierLost(1)
    session.nextMessage(2)
    expect(released).toEqual([])
    session.receive(message(0, 1, noFrames))
    expect(released.filter((buffer) => buffer === body)).toHaveLength(1)
  })

  test("counts what waits and what is unacknowledged", () => {
    const { session } = end()
    session.data(1, Buffer.alloc(100))
    expect([session.queuedBytes, session.unacknowledgedBytes]).toEqual([108, 0])
    session.nextMessage(1)
    expect([session.queuedBytes, session.unacknowledgedBytes]).toEqual([0, 128])
    session.receive(message(0, 1, noFrames))
    expect([session.queuedBytes, session.unacknowledgedBytes]).toEqual([0, 0])
    expect(session.progress).toBe(1)
  })
})

describe("a lost carrier", () => {
  test("has only its own unacknowledged messages sent again, with their numbers and a fresh acknowledgement", () => {
    const { session } = end()
    const sent = [1, 2, 1, 2].map((carrier) => {
      session.taken(carrier)
      return numberOf(session.nextMessage(carrier))
    })
    expect(sent).toEqual([1, 2, 3, 4])
    session.receive(message(1, 1, taken(9)))
    session.carrierLost(1)
    const again = Buffer.concat(session.nextMessage(2) ?? [])
    expect([messageNumber(again), messageAck(again)]).toEqual([3, 1])
    expect(session.nextMessage(2)).toBeUndefined()
  })

  test("announces output and makes an acknowledgement due, for the last one may be lost with it", () => {
    const { session, outputs } = end()
    session.receive(message(1, 0, taken(9)))
    session.ackMessage()
    session.taken(1)
    session.nextMessage(1)
    const before = outputs.count
    session.carrierLost(1)
    expect(outputs.count).toBe(before + 1)
    expect(session.ackDue).toBe(true)
  })

  test("whose messages turn out to have arrived causes nothing to be sent again", () => {
    const { session, outputs } = end()
    session.taken(1)
    session.nextMessage(1)
    session.carrierLost(1)
    session.receive(message(0, 1, noFrames))
    expect(session.hasOutput).toBe(false)
    const before = outputs.count
    session.taken(2)
    expect(outputs.count).toBe(before + 1)
  })

  test("keeps its place in a long history of acknowledged messages", () => {
    const retained = new RetainedMessages(false)
    for (let number = 1; number <= 300; number++) retained.add(number % 2, [numbered(number)], 20)
    retained.resendAll()
    for (let number = 1; number <= 200; number++) retained.nextResend(1, 0)
    retained.acknowledge(190)
    retained.carrierLost(0)
    const rest: number[] = []
    for (let next = retained.nextResend(2, 0); next !== undefined; next = retained.nextResend(2, 0))
      rest.push(numberOf(next))
    expect(rest).toEqual(Array.from({ length: 100 }, (_, index) => 201 + index))
  })
})

describe("receiving", () => {
  test("puts early messages in order and says that one is missing meanwhile", () => {
    const { session, recorder } = end()
    session.receive(message(2, 0, taken(2)))
    expect(session.missing).toBe(true)
    expect(recorder.frames).toEqual([])
    session.receive(message(1, 0, taken(1)))
    expect(session.missing).toBe(false)
    expect(recorder.frames).toEqual([
      { type: "taken", stream: 1 },
      { type: "taken", stream: 2 },
    ])
  })

  test("takes a message in parts as it takes it whole, now or early", () => {
    const { session, recorder } = end()
    session.receive(cut(message(2, 0, taken(2))))
    session.receive(cut(message(1, 0, taken(1))))
    expect(recorder.frames).toEqual([
      { type: "taken", stream: 1 },
      { type: "taken", stream: 2 },
    ])
  })

  test("drops a duplicate but acknowledges it again", () => {
    const { session, recorder } = end()
    session.receive(message(1, 0, taken(1)))
    session.ackMessage()
    session.receive(message(1, 0, taken(1)))
    expect(recorder.frames).toHaveLength(1)
    expect(session.ackDue).toBe(true)
  })

  test("does not hold a large read for the sake of a small early message in it", () => {
    const early = new ReorderBuffer(wireLimits)
    const read = Buffer.alloc(1 << 20)
    early.add(2, read.subarray(100, 200), 0)
    expect(early.take(2)?.buffer.byteLength).toBeLessThanOrEqual(64 << 10)
  })

  test("answers PING with the same bytes, unnumbered, and hands PONG on", () => {
    const pongs: string[] = []
    const first = end({ onPong: (bytes) => pongs.push(bytes.toString()) })
    const second = end()
    first.session.ping(Buffer.from("12345678"))
    const ping = Buffer.concat(first.session.nextMessage(1) ?? [])
    expect(messageNumber(ping)).toBe(0)
    second.session.receive(ping)
    expect(second.outputs.count).toBe(1)
    first.session.receive(Buffer.concat(second.session.nextMessage(1) ?? []))
    expect(pongs).toEqual(["12345678"])
    expect(first.session.unacknowledgedBytes).toBe(0)
  })

  test("of RESEND sends everything unacknowledged again", () => {
    const { session } = end()
    for (const stream of [1, 2, 3]) {
      session.taken(stream)
      session.nextMessage(1)
    }
    const asking = end()
    asking.session.receive(message(1, 0, taken(1)))
    session.receive(asking.session.ackMessage({ resend: true }))
    expect([1, 2, 3].map(() => numberOf(session.nextMessage(1)))).toEqual([2, 3, 0])
  })
})

describe("a peer that breaks the rules ends the session", () => {
  const cases: readonly [string, WireErrorCode, (session: Session) => void][] = [
    ["a message cut short", "message_truncated", (s) => s.receive(Buffer.alloc(19))],
    [
      "a length field that lies",
      "message_size",
      (s) => s.receive(Buffer.concat([message(1, 0, taken(1)), taken(1)])),
    ],
    ["a message beyond 4 MiB", "message_size", (s) => s.receive(withLength(0xffff_ffff))],
    [
      "a number beyond 2^53",
      "number_out_of_range",
      (s) => s.receive(withHighByte(message(1, 0, taken(1)), 4)),
    ],
    [
      "an acknowledgement beyond 2^53",
      "number_out_of_range",
      (s) => s.receive(withHighByte(message(1, 0, taken(1)), 12)),
    ],
    ["an acknowledgement of what was not sent", "ack_unsent", (s) => s.receive(message(0, 1, noFrames))],
    ["a number too far ahead", "number_beyond_window", (s) => s.receive(message(1026, 0, taken(1)))],
    [
      "a stream frame in an unnumbered message",
      "frame_unexpected",
      (s) => s.receive(message(0, 0, taken(1))),
    ],
    ["more bytes ahead of a gap than may be in flight", "reorder_overflow", overflow],
    ["a broken frame", "frame_truncated", (s) => s.receive(message(1, 0, Buffer.from([1, 0])))],
  ]

  test.each(cases)("%s: %s", (_, code, act) => {
    const { session } = end()
    session.taken(1)
    const failed = expect.objectContaining({ name: "WireError", code })
    expect(() => act(session)).toThrow(failed)
    // Broken for good: nothing more goes out, and nothing more is believed.
    expect(() => session.receive(message(1, 0, taken(1)))).toThrow(failed)
    expect(session.nextMessage(1)).toBeUndefined()
    expect(session.hasOutput).toBe(false)
  })

  test("and so does a sink that finds one, as when credit is exceeded", () => {
    const recorder = new Recorder()
    recorder.onData = () => {
      throw new WireError("credit_exceeded")
    }
    const session = new Session({ sink: recorder, onOutput: () => {} })
    const writer = new FrameWriter()
    writer.data(1, Buffer.alloc(3))
    expect(() => session.receive(message(1, 0, Buffer.concat(writer.take() ?? [])))).toThrow(
      "credit_exceeded",
    )
  })
})

const noFrames = Buffer.alloc(0)

function end(options: Partial<SessionOptions> = {}): {
  session: Session
  recorder: Recorder
  outputs: { count: number }
} {
  const recorder = new Recorder()
  const outputs = { count: 0 }
  const session = new Session({ sink: recorder, onOutput: () => outputs.count++, ...options })
  return { session, recorder, outputs }
}

function taken(stream: number): Buffer {
  const writer = new FrameWriter()
  writer.taken(stream)
  return Buffer.concat(writer.take() ?? [])
}

function message(number: number, ack: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(messageHeaderBytes)
  putMessageHeader(header, payload.length, number, ack)
  return Buffer.concat([header, payload])
}

function cut(bytes: Buffer): Buffer[] {
  return [bytes.subarray(0, 21), bytes.subarray(21, 25), bytes.subarray(25)]
}

function numbered(number: number): Buffer {
  return message(number, 0, noFrames)
}

/** 0 when there is no message. */
function numberOf(buffers: readonly Buffer[] | undefined): number {
  return buffers === undefined ? 0 : messageNumber(Buffer.concat(buffers))
}

function withLength(payloadBytes: number): Buffer {
  const bytes = message(1, 0, noFrames)
  bytes.writeUInt32BE(payloadBytes, 0)
  return bytes
}

function withHighByte(bytes: Buffer, offset: number): Buffer {
  bytes[offset] = 1
  return bytes
}

function overflow(session: Session): void {
  const large = Buffer.alloc(3 << 20)
  for (let number = 2; number < 20; number++) session.receive(message(number, 0, large))
}
