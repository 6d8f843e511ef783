// The known bad messages: refused for the right reason, in one piece and byte by byte, and nothing behind them is read.

import { describe, expect, test } from "vitest"
import { type KnownBad, knownBad } from "./corpus.ts"
import { type OurTranscript, readOurs } from "./transcript.ts"

describe.each(["request", "response"] as const)("a bad %s", (kind) => {
  test.each(knownBad.filter((bad) => bad.kind === kind).map((bad) => [bad.name, bad] as const))(
    "is refused: %s",
    (_name, bad) => {
      expect(readOurs(streamOf(bad), [bad.bytes]).error).toBe(bad.error)
      expect(readOurs(streamOf(bad), singleBytes(bad.bytes)).error).toBe(bad.error)
    },
  )
})

test("no bad message is ever given out as complete, nor anything behind it", () => {
  const given = knownBad.filter((bad) => complete(readOurs(streamOf(bad), [bad.bytes])) > interim(bad))
  expect(given.map(({ name }) => name)).toEqual([])
})

test("every known bad message has a name of its own", () => {
  const names = knownBad.map(({ kind, name }) => `${kind} ${name}`)
  expect(new Set(names).size).toBe(names.length)
})

const streamOf = (bad: KnownBad): { kind: KnownBad["kind"]; methods: string[]; bytes: Buffer } => ({
  kind: bad.kind,
  methods: [bad.method],
  bytes: bad.bytes,
})

const singleBytes = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte))
const complete = (read: OurTranscript): number => read.messages.filter((message) => message.complete).length
const interim = (bad: KnownBad): number => (bad.bytes.toString("latin1").startsWith("HTTP/1.1 1") ? 1 : 0)
