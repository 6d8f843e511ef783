// A million random and mutated inputs: the decoders throw nothing but WireError, hand over no more than they were given,
// and never ask for memory that a lying length field dictates. Repeat a run with RESTANTE_SEED; more with RESTANTE_FUZZ.
import { readFileSync } from "node:fs"
import { afterEach, beforeEach, expect, test } from "vitest"
import { Session } from "../../src/session/index.ts"
import {
  type FrameSink,
  MessageDecoder,
  type OpenFrame,
  readFrames,
  readSegmentedFrames,
  WireError,
  type WireLimits,
  wireLimits,
} from "../../src/wire/index.ts"
import { randomIntegers, seed } from "./seed.ts"

const inputs = Number(process.env["RESTANTE_FUZZ"] ?? 1_000_000)
const limits: WireLimits = { ...wireLimits, maxMessageBytes: 64 << 10 }
const { stackTraceLimit } = Error
const originals = Object.getOwnPropertyDescriptors(Buffer)
let allocatedBytes = 0

beforeEach(() => {
  Buffer.allocUnsafe = allocateCounted
  Buffer.allocUnsafeSlow = allocateCounted
  // Most inputs end in an error; their stack traces would be most of the time.
  Error.stackTraceLimit = 0
})

afterEach(() => {
  Object.defineProperty(Buffer, "allocUnsafe", originals.allocUnsafe)
  Object.defineProperty(Buffer, "allocUnsafeSlow", originals.allocUnsafeSlow)
  Error.stackTraceLimit = stackTraceLimit
})

test(`${inputs} random and mutated inputs, seed ${seed}`, { timeout: 120_000 }, () => {
  const random = randomIntegers()
  const corpus = readCorpus()
  const scratch = Buffer.alloc(2048)
  const sink = new CountingSink()
  const outcomes = { accepted: 0, refused: 0 }
  const targets = [frames, segments, session, decoder]

  for (let index = 0; index < inputs; index++) {
    const input = scratch.subarray(0, fill(scratch, corpus, random))
    const target = targets[index % targets.length] ?? frames
    sink.bytes = 0
    allocatedBytes = 0
    try {
      target(input, sink, random)
      outcomes.accepted++
    } catch (error) {
      outcomes.refused++
      if (!(error instanceof WireError))
        throw new Error(`input ${index} of seed ${seed}, ${input.toString("hex")}`, { cause: error })
    }
    // Strings and slices of the input; the decoder also one message, announced within its limit.
    if (sink.bytes > input.length || allocatedBytes > limits.maxMessageBytes + 4096)
      throw new Error(`input ${index} of seed ${seed} took ${allocatedBytes} bytes, gave ${sink.bytes}`)
  }

  // Both paths were really walked.
  expect(outcomes.accepted).toBeGreaterThan(inputs / 50)
  expect(outcomes.refused).toBeGreaterThan(inputs / 50)
})

type Random = (below: number) => number

function allocateCounted(bytes: number): Buffer<ArrayBuffer> {
  allocatedBytes += bytes
  return Buffer.from(new ArrayBuffer(bytes))
}

function frames(input: Buffer, sink: FrameSink): void {
  readFrames(input, sink)
}

function segments(input: Buffer, sink: FrameSink, random: Random): void {
  const cut = random(input.length + 1)
  readSegmentedFrames([input.subarray(0, cut), input.subarray(cut)], sink)
}

function session(input: Buffer, sink: FrameSink): void {
  const receiver = new Session({ sink, onOutput: () => {}, limits })
  receiver.receive(input)
  receiver.receive(input)
}

function decoder(input: Buffer, _: FrameSink, random: Random): void {
  const body = new MessageDecoder({ preamble: random(2) === 0, limits })
  const cut = random(input.length + 1)
  body.push(input.subarray(0, cut))
  body.push(input.subarray(cut))
  body.end()
}

/** Golden frames, messages, bodies, and what is refused. */
function readCorpus(): Buffer[] {
  const golden: Record<"frames" | "messages" | "accepted" | "refused", { hex: string }[]> & {
    preamble: string
  } = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"))
  const vectors = [golden.frames, golden.messages, golden.accepted, golden.refused].flat()
  const seeds = vectors.map(({ hex }) => Buffer.from(hex, "hex")).filter(({ length }) => length < 400)
  const bodies = golden.messages.map(({ hex }) => Buffer.from(golden.preamble + hex, "hex"))
  const messages = golden.frames.map(({ hex }, index) => {
    const header = Buffer.alloc(20)
    header.writeUInt32BE(hex.length / 2, 0)
    header[11] = index % 3
    return Buffer.concat([header, Buffer.from(hex, "hex")])
  })
  return [...seeds, ...bodies, ...messages]
}

/** Writes one input into `scratch`; returns its size. */
function fill(scratch: Buffer, corpus: readonly Buffer[], random: Random): number {
  if (random(8) === 0) {
    const bytes = random(64)
    for (let offset = 0; offset < bytes; offset++) scratch[offset] = random(256)
    return bytes
  }
  let bytes = 0
  for (let parts = 1 + random(3); parts > 0; parts--)
    bytes += corpus[random(corpus.length)]?.copy(scratch, bytes) ?? 0
  for (let changes = random(5); changes > 0 && bytes > 0; changes--) bytes = mutate(scratch, bytes, random)
  return bytes
}

function mutate(scratch: Buffer, bytes: number, random: Random): number {
  const offset = random(bytes)
  switch (random(6)) {
    case 0:
      scratch[offset] = random(256)
      break
    case 1:
      scratch[offset] = (scratch[offset] ?? 0) ^ (1 << random(8))
      break
    case 2:
      // Length fields stand near the front of things.
      scratch.writeUInt32BE(random(2) === 0 ? 0xffff_ffff : random(2000), random(Math.min(bytes, 24)))
      break
    case 3:
      return offset
    case 4:
      scratch.copyWithin(offset, offset + 1, bytes)
      return bytes - 1
    default:
      scratch.copyWithin(offset + 1, offset, bytes)
      return Math.min(bytes + 1, scratch.length - 1)
  }
  return Math.max(bytes, 1)
}

/** Adds up what it is given, and reads everything that is read lazily. */
class CountingSink implements FrameSink {
  bytes = 0

  onOpen(_: number, frame: OpenFrame): void {
    const record = [frame.exchangeId, frame.clientAddress, frame.traceparent, frame.tunnel, frame.scheme]
    if (frame.attempt < 1 || record[0] === "" || (frame.deadlineMs ?? 0) < 0)
      throw new Error("unchecked record")
    this.bytes += frame.head.length + (frame.body?.length ?? 0)
  }

  onTaken(): void {}

  onHead(_: number, __: number, head: string, body: Buffer | undefined): void {
    this.bytes += head.length + (body?.length ?? 0)
  }

  onData(_: number, bytes: Buffer): void {
    this.bytes += bytes.length
  }

  onEnd(_: number, trailers: string): void {
    this.bytes += trailers.length
  }

  onReset(_: number, __: string, detail: string): void {
    // Bytes that are not UTF-8 become U+FFFD, one for each at most.
    this.bytes += detail.length
  }

  onWindow(): void {}
  onDrain(): void {}
  onPing(): void {}
  onPong(): void {}
  onResend(): void {}
}
