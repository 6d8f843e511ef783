// Chance makes scenes: the shapes of requests and answers, their sizes around the limits that matter (0, 64 KiB inline, 256 KiB of
// credit), and the faults.
import * as fc from "fast-check"
import {
  type Answer,
  type Body,
  type ClientBehaviour,
  type Exchange,
  type Field,
  type Scene,
  sensible,
} from "./scene.ts"

const tokenText = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
const among = (letters: string, limits: { minLength: number; maxLength: number }): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...letters.split("")), ...limits })
const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join("")
const valueText = `${visible} \t${Array.from({ length: 128 }, (_, index) => String.fromCharCode(128 + index)).join("")}`

const field: fc.Arbitrary<Field> = fc.tuple(
  among(tokenText, { minLength: 0, maxLength: 12 }).map((name) => `X-${name}`),
  among(valueText, { minLength: 0, maxLength: 20 }),
)
const fields = fc.array(field, { maxLength: 4 })

const bytes = fc.oneof(
  { weight: 1000, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 100, arbitrary: fc.integer({ min: 100, max: 5000 }) },
  { weight: 12, arbitrary: fc.integer({ min: 65_530, max: 65_540 }) },
  { weight: 3, arbitrary: fc.integer({ min: 262_140, max: 262_148 }) },
  { weight: 1, arbitrary: fc.integer({ min: 300_000, max: 1_100_000 }) },
)
const offset = fc.nat({ max: 4095 })
const chunked: fc.Arbitrary<Body> = fc
  .record({
    bytes,
    offset,
    pieces: fc.integer({ min: 1, max: 5 }),
    trailers: fc.array(field, { maxLength: 2 }),
  })
  .map(({ pieces, ...rest }) => ({
    framing: "chunked",
    ...rest,
    chunkBytes: Math.max(1, Math.ceil(rest.bytes / pieces)),
  }))
const withLength: fc.Arbitrary<Body> = fc.record({ framing: fc.constant("length"), bytes, offset })
const none: fc.Arbitrary<Body> = fc.constant({ framing: "none" })
const untilClose: fc.Arbitrary<Body> = fc.record({ framing: fc.constant("close"), bytes, offset })

const part = fc.double({ min: 0, max: 0.999, noNaN: true })
const splits = fc.array(part, { maxLength: 3 })

const behaviour: fc.Arbitrary<ClientBehaviour> = fc.oneof(
  { weight: 40, arbitrary: fc.constant<ClientBehaviour>({ does: "waits" }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("leaves while it sends"), part }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("leaves while it reads"), bytes }) },
)

const rarely = <T>(one: fc.Arbitrary<T>, usual: T, weight = 30): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: one })

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.oneof(
    { weight: 10, arbitrary: fc.constant(200) },
    { weight: 1, arbitrary: fc.constantFrom(201, 204, 206, 304) },
    { weight: 2, arbitrary: fc.integer({ min: 200, max: 999 }) },
  ),
  reason: among(valueText, { minLength: 0, maxLength: 10 }),
  minorVersion: rarely(fc.constant<0 | 1>(0), 1),
  fields,
  hints: rarely(fc.integer({ min: 1, max: 3 }), 0, 10),
  body: fc.oneof(
    { weight: 5, arbitrary: withLength },
    { weight: 3, arbitrary: chunked },
    { weight: 1, arbitrary: untilClose },
  ),
  at: rarely(fc.constant<Answer["at"]>("its head"), "the end of the request"),
  keepAlive: rarely(fc.constant(false), true, 10),
  splits,
  breaks: rarely<Answer["breaks"]>(fc.record({ part, how: fc.constantFrom("end", "reset") }), undefined),
})

const exchange: fc.Arbitrary<Exchange> = fc.record({
  method: fc.oneof(
    {
      weight: 10,
      arbitrary: fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "QUERY"),
    },
    { weight: 1, arbitrary: among(tokenText, { minLength: 1, maxLength: 8 }).map((name) => `X${name}`) },
  ),
  target: among(visible.replace("#", ""), { minLength: 0, maxLength: 30 }),
  minorVersion: rarely(fc.constant<0 | 1>(0), 1),
  fields,
  nominates: rarely(fc.constant(true), false),
  keepAlive: rarely(fc.constant(false), true),
  body: fc.oneof(
    { weight: 4, arbitrary: none },
    { weight: 3, arbitrary: withLength },
    { weight: 2, arbitrary: chunked },
  ),
  expectsContinue: rarely(fc.constant(true), false),
  splits,
  client: behaviour,
  answer,
})

/** Connections that are open at the same time, and what is said on each, one after the other. */
export const scenes: fc.Arbitrary<Scene> = fc
  .record({
    connections: fc.array(
      fc.record({
        pipelined: fc.boolean(),
        exchanges: fc.array(exchange, { minLength: 1, maxLength: 16, size: "max" }),
      }),
      { minLength: 1, maxLength: 8, size: "max" },
    ),
  })
  .map(sensible)
