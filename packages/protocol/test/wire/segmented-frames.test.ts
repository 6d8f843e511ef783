// A message that lies in several buffers says the same as one that lies in one, wherever it is cut.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { FrameWriter, readFrames, readSegmentedFrames, WireError } from "../../src/wire/index.ts"
import { Recorder, type RecordedFrame } from "./frame-record.ts"
import { randomIntegers } from "./seed.ts"

interface Golden {
  readonly frames: readonly { readonly hex: string }[]
  readonly refused: readonly { readonly name: string; readonly hex: string }[]
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"))
const payload = Buffer.from(golden.frames.map(({ hex }) => hex).join(""), "hex")

test("all golden frames, cut in two at any byte", () => {
  const whole = outcome((sink) => readFrames(payload, sink))
  for (let cut = 0; cut <= payload.length; cut++)
    expect(segmented([payload.subarray(0, cut), payload.subarray(cut)])).toEqual(whole)
})

test("all golden frames, byte by byte", () => {
  const bytes = Array.from(payload, (_, index) => payload.subarray(index, index + 1))
  expect(segmented(bytes)).toEqual(outcome((sink) => readFrames(payload, sink)))
})

test.each(golden.refused)("$name is refused in pieces as it is whole", ({ hex }) => {
  const bytes = Buffer.from(hex, "hex")
  const { error } = outcome((sink) => readFrames(bytes, sink))
  expect(error).toBeDefined()
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(segmented([bytes.subarray(0, cut), bytes.subarray(cut)]).error).toBe(error)
})

test("changed bytes in random pieces: the same frames, then the same error", () => {
  const random = randomIntegers()
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(payload)
    for (let changes = random(4); changes > 0; changes--) bytes[random(bytes.length)] = random(256)
    const segments: Buffer[] = []
    for (let offset = 0; offset < bytes.length;) {
      const end = offset + random(200)
      segments.push(bytes.subarray(offset, end))
      offset = end
    }
    expect(segmented(segments)).toEqual(outcome((sink) => readFrames(bytes, sink)))
  }
})

test("body bytes are handed on where they lie", () => {
  const writer = new FrameWriter()
  const body = Buffer.alloc(100_000, 1)
  writer.data(1, body)
  const sink = new Recorder()
  let handed: Buffer | undefined
  sink.onData = (_, bytes) => {
    handed = bytes
  }
  readSegmentedFrames(writer.take() ?? [], sink)
  expect(handed?.buffer).toBe(body.buffer)
})

interface Outcome {
  /** Neighbouring DATA of one stream joined: in pieces it may be handed over in pieces. */
  readonly frames: readonly RecordedFrame[]
  readonly error: string | undefined
}

function segmented(segments: readonly Buffer[]): Outcome {
  return outcome((sink) => readSegmentedFrames(segments, sink))
}

function outcome(read: (sink: Recorder) => void): Outcome {
  const recorder = new Recorder()
  let error: string | undefined
  try {
    read(recorder)
  } catch (reason) {
    if (!(reason instanceof WireError)) throw reason
    error = reason.code
  }
  const frames: RecordedFrame[] = []
  for (const frame of recorder.frames) {
    const last = frames.at(-1)
    if (frame.type === "data" && last?.type === "data" && last.stream === frame.stream)
      frames[frames.length - 1] = { ...frame, bytes: last.bytes + frame.bytes }
    else frames.push(frame)
  }
  return { frames, error }
}
