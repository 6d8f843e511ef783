// How frames are packed: never cut, never copied without need, and never larger than the peer accepts.
import { describe, expect, test } from "vitest"
import { FrameWriter, type OpenFields, readFrames, wireLimits } from "../../src/wire/index.ts"
import { Recorder } from "./frame-record.ts"
import { randomIntegers } from "./seed.ts"

describe("take", () => {
  test("gives whole frames, in order, of at most the bytes asked for", () => {
    const writer = new FrameWriter({ batchBytes: 1, headroomBytes: 20 })
    for (let stream = 1; stream <= 10; stream++) writer.window(stream, 1)
    const streams = [25, 12, 1 << 20].map((maxBytes) => {
      const bytes = Buffer.concat(writer.take(maxBytes) ?? [])
      const recorder = new Recorder()
      readFrames(bytes, recorder, 20)
      return recorder.frames.length
    })
    expect(streams).toEqual([2, 1, 7])
    expect(writer.take()).toBeUndefined()
    expect(writer.bytes).toBe(0)
  })

  test("returns what was written, however it is split into batches", () => {
    const random = randomIntegers()
    for (let round = 0; round < 300; round++) {
      const headroomBytes = random(2) * 20
      const writer = new FrameWriter({ headroomBytes, batchBytes: 1 + random(40_000) })
      const written = new Recorder()
      const read = new Recorder()
      for (let count = random(60); count > 0; count--) {
        const bytes = Buffer.alloc(1 + random(random(2) === 0 ? 50 : 20_000), random(256))
        writer.data(1, bytes)
        written.onData(1, bytes)
        if (random(10) === 0) drain(writer, read, headroomBytes, random(30_000))
      }
      while (writer.bytes > 0) drain(writer, read, headroomBytes, random(30_000))
      expect(read.frames).toEqual(written.frames)
    }
  })
})

describe("bodies", () => {
  test("below 4 KiB are copied beside their frame, from there on referenced", () => {
    const writer = new FrameWriter()
    writer.data(1, Buffer.alloc(4095))
    writer.data(1, Buffer.alloc(4096))
    writer.data(1, Buffer.alloc(4095))
    expect(writer.take()?.map(({ length }) => length)).toEqual([8 + 4095 + 8, 4096, 8 + 4095])
  })

  test("larger than 256 KiB go in several DATA frames", () => {
    const writer = new FrameWriter()
    writer.data(1, Buffer.alloc(600 << 10))
    const recorder = new Recorder()
    readFrames(Buffer.concat(writer.take() ?? []), recorder)
    expect(recorder.frames.map((frame) => frame.type === "data" && frame.bytes.length >> 10)).toEqual([
      256, 256, 88,
    ])
  })

  test("that are empty make no DATA frame", () => {
    const writer = new FrameWriter()
    writer.data(1, Buffer.alloc(0))
    expect(writer.take()).toBeUndefined()
  })
})

describe("what the peer would refuse is refused before it is written", () => {
  const open: OpenFields = {
    kind: 1,
    exchangeId: "x",
    attempt: 1,
    scheme: "http",
    head: "",
    bodyFollows: false,
  }
  const cases: readonly [string, (writer: FrameWriter) => void][] = [
    ["request head", (w) => w.open(1, { ...open, head: "x".repeat(wireLimits.maxHeadBytes + 1) })],
    ["record", (w) => w.open(1, { ...open, tunnel: "x".repeat(wireLimits.maxRecordBytes) })],
    ["inline body", (w) => w.open(1, { ...open, body: Buffer.alloc(wireLimits.maxInlineBytes + 1) })],
    ["response head", (w) => w.head(1, 1, "x".repeat(wireLimits.maxHeadBytes + 1))],
    ["trailers", (w) => w.end(1, "x".repeat(wireLimits.maxTrailerBytes + 1))],
    [
      "body both inside and to follow",
      (w) => w.open(1, { ...open, bodyFollows: true, body: Buffer.alloc(1) }),
    ],
    ["body in a HEAD that is not final", (w) => w.head(1, 2, "", Buffer.alloc(1))],
    ["PING of 7 bytes", (w) => w.ping(Buffer.alloc(7))],
  ]

  test.each(cases)("%s", (_, write) => {
    const writer = new FrameWriter()
    expect(() => write(writer)).toThrow(expect.objectContaining({ name: "WireError" }))
    expect(writer.take()).toBeUndefined()
  })

  test("a RESET's detail is cut at 256 bytes, between characters", () => {
    const writer = new FrameWriter()
    writer.reset(1, "internal", `a${"é".repeat(200)}`)
    const recorder = new Recorder()
    readFrames(Buffer.concat(writer.take() ?? []), recorder)
    expect(recorder.frames).toEqual([
      { type: "reset", stream: 1, code: "internal", detail: `a${"é".repeat(127)}` },
    ])
  })
})

function drain(writer: FrameWriter, sink: Recorder, headroomBytes: number, maxBytes: number): void {
  const buffers = writer.take(maxBytes)
  if (buffers !== undefined) readFrames(Buffer.concat(buffers), sink, headroomBytes)
}
