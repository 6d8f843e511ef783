// Who is whose parent: W3C Trace Context.
import { expect, test } from "vitest"
import { formatTraceparent, makeSampler, parseTraceparent, withTraceparent } from "../../src/tracing/index.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const valid = `00-${traceId}-${spanId}-01`

test("a valid traceparent says trace, span and whether it is sampled", () => {
  expect(parseTraceparent(valid)).toEqual({ traceId, spanId, sampled: true })
  expect(parseTraceparent(`00-${traceId}-${spanId}-02`)?.sampled).toBe(false)
})

test("what was read is written the same", () => {
  expect(formatTraceparent({ traceId, spanId, sampled: true })).toBe(valid)
})

test("a later version may go on behind the flags", () => {
  expect(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`)).toEqual({
    traceId,
    spanId,
    sampled: true,
  })
})

test.each([
  undefined,
  "",
  `ff-${traceId}-${spanId}-01`,
  `00-${"0".repeat(32)}-${spanId}-01`,
  `00-${traceId}-${"0".repeat(16)}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `${valid}-more`,
  `00-${traceId}-${spanId}`,
  ` ${valid}`,
])("%j is none", (text) => {
  expect(parseTraceparent(text)).toBeUndefined()
})

test("a trace that goes on keeps its tracestate, and has one parent", () => {
  const lines = `A: b\r\nTraceParent: ${valid}\r\ntracestate: x=y\r\ntraceparent: two\r\nC: d\r\n`
  const context = { traceId, spanId: "00f067aa0ba902b7", sampled: true }
  expect(withTraceparent(lines, context, true)).toBe(
    `A: b\r\ntracestate: x=y\r\nC: d\r\ntraceparent: 00-${traceId}-00f067aa0ba902b7-01\r\n`,
  )
})

test("a new trace does not keep the tracestate of another", () => {
  const text = withTraceparent("tracestate: x=y\r\nA: b\r\n", { traceId, spanId, sampled: false }, false)
  expect(text).toBe(`A: b\r\ntraceparent: 00-${traceId}-${spanId}-00\r\n`)
})

const parent = (sampled: boolean): { traceId: string; spanId: string; sampled: boolean } => ({
  traceId,
  spanId,
  sampled,
})

test.each([
  ["always_on", false, true],
  ["always_off", true, false],
  ["parentbased_always_on", false, false],
  ["parentbased_always_off", true, true],
  ["parentbased_traceidratio", true, true],
] as const)("%s of a parent that is sampled %s samples %s", (name, sampled, expected) => {
  expect(makeSampler(name, 0)(parent(sampled), traceId)).toBe(expected)
})

test("traceidratio takes about its share, and the same traces everywhere", () => {
  const ids = Array.from({ length: 2000 }, (_, at) => ((at + 0.5) / 2000) * 2 ** 48).map((low) =>
    Math.floor(low).toString(16).padStart(32, "0"),
  )
  const taken = ids.filter((id) => makeSampler("traceidratio", 0.25)(undefined, id))
  expect(taken.length).toBe(500)
})
