// The golden vectors: bytes that every version 1 peer writes and reads exactly so. They were made by an encoder that
// shares no code with this package, and docs/protocol.md shows the same.
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import {
  checkPreamble,
  FrameWriter,
  MessageDecoder,
  messageAck,
  messageBytesAt,
  messageHeaderBytes,
  messageNumber,
  preamble,
  putMessageHeader,
  readFrames,
  type WireErrorCode,
} from "../../src/wire/index.ts"
import { Recorder, type RecordedFrame, writeAnyFrame } from "./frame-record.ts"

interface Golden {
  readonly preamble: string
  readonly frames: readonly { name: string; hex: string; frame: RecordedFrame }[]
  readonly messages: readonly {
    name: string
    hex: string
    number: number
    ack: number
    frames: readonly RecordedFrame[]
  }[]
  readonly accepted: readonly { name: string; hex: string; frames: readonly RecordedFrame[] }[]
  readonly refused: readonly { name: string; hex: string; error: WireErrorCode }[]
  readonly refusedBodies: readonly { name: string; hex: string; error: WireErrorCode }[]
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"))

describe("golden vectors", () => {
  test("the preamble is byte for byte that of version 1", () => {
    expect(preamble.toString("hex")).toBe(golden.preamble)
    expect(() => checkPreamble(preamble)).not.toThrow()
  })

  test.each(golden.frames)("frame $name is written and read exactly so", ({ hex, frame }) => {
    expect(written([frame]).toString("hex")).toBe(hex)
    expect(read(hex)).toEqual([frame])
  })

  test.each(golden.messages)("message $name is written and read exactly so", (vector) => {
    const payload = written(vector.frames)
    const header = Buffer.alloc(messageHeaderBytes)
    putMessageHeader(header, payload.length, vector.number, vector.ack)
    expect(Buffer.concat([header, payload]).toString("hex")).toBe(vector.hex)

    const message = Buffer.from(vector.hex, "hex")
    expect(messageBytesAt(message, 0)).toBe(message.length)
    expect(messageNumber(message)).toBe(vector.number)
    expect(messageAck(message)).toBe(vector.ack)
    expect(read(vector.hex, messageHeaderBytes)).toEqual(vector.frames)
  })

  test.each(golden.accepted)("$name", ({ hex, frames }) => {
    expect(read(hex)).toEqual(frames)
  })

  test.each(golden.refused)("$name is refused with $error", ({ hex, error }) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ name: "WireError", code: error }))
  })

  test.each(golden.refusedBodies)("a body that is $name is refused with $error", ({ hex, error }) => {
    expect(() => new MessageDecoder().push(Buffer.from(hex, "hex"))).toThrow(
      expect.objectContaining({ name: "WireError", code: error }),
    )
  })

  test("docs/protocol.md shows the same bytes, and no others", () => {
    const text = readFileSync(new URL("../../../../docs/protocol.md", import.meta.url), "utf8")
    const shown = [...text.matchAll(/^```golden (\S+)\n([^`]*)^```$/gm)].map(([, name, hex]) => [
      name,
      hex?.replaceAll(/\s/g, ""),
    ])
    const expected = [
      ["preamble", golden.preamble],
      ...[...golden.frames, ...golden.messages].map(({ name, hex }) => [name, hex]),
    ]
    expect(shown).toEqual(expected)
  })
})

function written(frames: readonly RecordedFrame[]): Buffer {
  const writer = new FrameWriter()
  for (const frame of frames) writeAnyFrame(writer, frame)
  return Buffer.concat(writer.take() ?? [])
}

function read(hex: string, start = 0): RecordedFrame[] {
  const recorder = new Recorder()
  readFrames(Buffer.from(hex, "hex"), recorder, start)
  return recorder.frames
}
