// The session's promise: whatever carriers drop, repeat, reorder, delay or cut, both sides get exactly what the other
// side sent, in order. Checked on generated histories (fast-check) and, for one history, at every single byte.
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { headFlags, openKind, wireLimits } from "../../src/wire/index.ts"
import type { RecordedFrame } from "../wire/frame-record.ts"
import { seed } from "../wire/seed.ts"
import { type CarrierKind, type Side, Simulation, type Step } from "./simulation.ts"

const runs = Number(process.env["RESTANTE_RUNS"] ?? 600)

describe("a session over carriers that break", () => {
  test("delivers everything once and in order after all carriers were lost and the sides re-attached", () => {
    fc.assert(
      fc.property(carriers, histories, (kinds, steps) => {
        const simulation = play(kinds, steps)
        simulation.healByReattaching()
        expect(simulation.arrived).toEqual(simulation.sent)
      }),
      { seed, numRuns: runs },
    )
  })

  test("delivers everything once and in order when losses go unnoticed and have to be asked for", () => {
    fc.assert(
      fc.property(carriers, histories, (kinds, steps) => {
        const simulation = play(kinds, steps)
        simulation.healByAsking()
        expect(simulation.arrived).toEqual(simulation.sent)
      }),
      { seed, numRuns: runs },
    )
  })

  test("never has more in flight than the peer must be ready to hold", () => {
    fc.assert(
      fc.property(carriers, histories, (kinds, steps) => {
        const limits = { ...wireLimits, maxUnacknowledgedMessages: 3, maxUnacknowledgedBytes: 2000 }
        const simulation = new Simulation(kinds, limits, 200)
        for (const step of steps) {
          simulation.run(step)
          for (const { session } of simulation.ends)
            expect(session.unacknowledgedBytes).toBeLessThan(2000 + largestMessageBytes)
        }
        simulation.healByReattaching()
        expect(simulation.arrived).toEqual(simulation.sent)
      }),
      { seed, numRuns: Math.ceil(runs / 3) },
    )
  })
})

describe("a carrier cut at every byte", () => {
  const [down, up] = bytesOfOneExchange()

  test.each([0, 0.5, 1])("of the way down, with %d of the way up delivered", (share) => {
    for (let cut = 0; cut <= down; cut++) {
      const simulation = cutAndResume(cut, Math.floor(up * share))
      expect(simulation.arrived).toEqual(simulation.sent)
    }
  })

  test.each([0, 0.5, 1])("of the way up, with %d of the way down delivered", (share) => {
    for (let cut = 0; cut <= up; cut++) {
      const simulation = cutAndResume(Math.floor(down * share), cut)
      expect(simulation.arrived).toEqual(simulation.sent)
    }
  })

  test("and cut again at every byte of what is sent again", () => {
    for (let again = 0; again <= down; again++) {
      const simulation = cutAndResume(Math.floor(down / 3), Math.floor(up / 2), again)
      expect(simulation.arrived).toEqual(simulation.sent)
    }
  })
})

const largestMessageBytes = 20_000

function play(kinds: readonly CarrierKind[], steps: readonly Step[]): Simulation {
  const simulation = new Simulation(kinds)
  for (const step of steps) {
    simulation.run(step)
    simulation.checkOrder()
  }
  return simulation
}

// ── one exchange, cut everywhere ──

const exchangeDown: readonly RecordedFrame[] = [
  {
    type: "open",
    stream: 1,
    kind: openKind.http,
    exchangeId: "x1",
    attempt: 1,
    scheme: "http",
    head: "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n",
    bodyFollows: true,
  },
  { type: "data", stream: 1, bytes: "abc" },
  { type: "data", stream: 1, bytes: "def" },
  { type: "end", stream: 1, trailers: "" },
]

const exchangeUp: readonly RecordedFrame[] = [
  { type: "taken", stream: 1 },
  { type: "window", stream: 1, credit: 6 },
  { type: "head", stream: 1, flags: headFlags.informational, head: "HTTP/1.1 102 Processing\r\n\r\n" },
  { type: "head", stream: 1, flags: headFlags.body, head: "HTTP/1.1 200 OK\r\n\r\n" },
  { type: "data", stream: 1, bytes: "answer" },
  { type: "end", stream: 1, trailers: "X-Sum: 1\r\n" },
]

/** Each frame in its own message, all in flight on one carrier. */
function exchangeInFlight(): Simulation {
  const simulation = new Simulation(["stream"], wireLimits)
  for (const [side, frames] of [
    [0, exchangeDown],
    [1, exchangeUp],
  ] as const)
    for (const frame of frames) {
      simulation.run({ kind: "send", from: side, frame })
      simulation.run({ kind: "flush", from: side, carrier: 0, maxBytes: 1 })
    }
  return simulation
}

function bytesOfOneExchange(): [down: number, up: number] {
  const carrier = exchangeInFlight().ends[0].carriers[0]
  return [carrier?.bytesInFlight(1) ?? 0, carrier?.bytesInFlight(0) ?? 0]
}

function cutAndResume(down: number, up: number, again?: number): Simulation {
  const simulation = exchangeInFlight()
  simulation.run({ kind: "deliver", to: 1, carrier: 0, amount: down, twice: false })
  simulation.run({ kind: "deliver", to: 0, carrier: 0, amount: up, twice: false })
  if (again !== undefined) {
    simulation.cut(0, simulation.ends[0].carriers[0])
    simulation.run({ kind: "notice", by: 1, carrier: 0 })
    const second = simulation.connect("stream")
    while (simulation.flush(0, second)) continue
    while (simulation.flush(1, second)) continue
    second.deliver(1, simulation.ends[1], again, false)
  }
  simulation.healByReattaching()
  return simulation
}

// ── generated histories ──

const side: fc.Arbitrary<Side> = fc.constantFrom<Side>(0, 1)
const carrierKind: fc.Arbitrary<CarrierKind> = fc.constantFrom<CarrierKind>("stream", "packets")
const carriers = fc.array(carrierKind, { minLength: 1, maxLength: 4 })
const pick = fc.nat({ max: 15 })

/** Mostly small, sometimes large enough to be kept by reference, sometimes over a whole message. */
const text: fc.Arbitrary<string> = fc
  .tuple(fc.nat({ max: 255 }), fc.oneof({ weight: 6, arbitrary: fc.nat({ max: 60 }) }, fc.nat({ max: 9000 })))
  .map(([first, length]) =>
    Buffer.alloc(length, Buffer.from([first, first ^ 0x55, 0, 255])).toString("latin1"),
  )
const someText = text.map((value) => `${value}.`)
const stream = fc.integer({ min: 1, max: 0xffff_ffff })

const frame: fc.Arbitrary<RecordedFrame> = fc.oneof(
  fc.record({
    type: fc.constant("open" as const),
    stream,
    kind: fc.constant(openKind.http),
    exchangeId: fc.stringMatching(/^[A-Za-z0-9_-]{1,21}$/),
    attempt: fc.integer({ min: 1, max: 255 }),
    scheme: fc.constantFrom("http" as const, "https" as const),
    head: text,
    bodyFollows: fc.constant(false),
    body: someText,
  }),
  fc.record({ type: fc.constant("taken" as const), stream }),
  fc.record({ type: fc.constant("head" as const), stream, flags: fc.constant(headFlags.body), head: text }),
  fc.record({ type: fc.constant("data" as const), stream, bytes: someText }),
  fc.record({ type: fc.constant("end" as const), stream, trailers: text }),
  fc.record({
    type: fc.constant("reset" as const),
    stream,
    code: fc.constantFrom("cancelled" as const, "internal" as const),
    detail: fc.string({ maxLength: 20 }),
  }),
  fc.record({
    type: fc.constant("window" as const),
    stream,
    credit: fc.integer({ min: 1, max: 0xffff_ffff }),
  }),
  fc.record({ type: fc.constant("drain" as const) }),
)

const maxBytes = fc.constantFrom(1, 500, 5000, 1 << 20)
const amount = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 2000 }), fc.constant(1 << 30))

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("send" as const), from: side, frame }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("flush" as const), from: side, carrier: pick, maxBytes }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("deliver" as const),
      to: side,
      carrier: pick,
      amount,
      twice: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("ack" as const),
      from: side,
      carrier: pick,
      resend: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("lose" as const), to: side, carrier: pick, amount: pick }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("cut" as const),
      carrier: pick,
      noticedBy: side,
      replacement: carrierKind,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("notice" as const), by: side, carrier: pick }) },
)

const histories = fc.array(step, { minLength: 1, maxLength: 120, size: "max" })
