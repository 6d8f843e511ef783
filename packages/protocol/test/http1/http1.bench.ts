// What reading one message costs. The budget of a 400-byte request head with ten fields is 2.5 µs, checks included.

import { expect, test } from "vitest"
import {
  endToEndFields,
  FieldBlock,
  type MessageSink,
  type RequestHead,
  RequestReader,
  type ResponseHead,
  ResponseReader,
} from "../../src/http1/index.ts"

const fieldLines = [
  "Host: service.example.com",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9",
  "Accept-Language: en-US,en;q=0.5",
  "Accept-Encoding: gzip, deflate, br",
  "Referer: https://service.example.com/home",
  "Cookie: session=0123456789abcdef",
  "Connection: keep-alive",
  "Cache-Control: max-age=0",
  "X-A: 1",
].map((line) => `${line}\r\n`)

const request = Buffer.from(`GET /api/v1/resource/12345?x=1 HTTP/1.1\r\n${fieldLines.join("")}\r\n`, "latin1")
const response = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\n" +
    'ETag: "0123456789"\r\nConnection: keep-alive\r\n\r\n{"ok":"true"}',
  "latin1",
)

test("one message", { timeout: 60_000 }, async ({ bench }) => {
  const requests = new RequestReader(counter<RequestHead>())
  const responses = new ResponseReader({ ...counter<ResponseHead>(), onInformational: () => {} })
  await bench("request head, 400 bytes, ten fields", () => {
    requests.read(request)
  }).run()
  await bench("response with 13 bytes of body", () => {
    responses.begin("GET")
    responses.read(response)
  }).run()
  expect(requests.idle && responses.idle).toBe(true)
})

test("one head in pieces", { timeout: 60_000 }, async ({ bench }) => {
  const requests = new RequestReader(counter<RequestHead>())
  const halves = [request.subarray(0, 200), request.subarray(200)]
  const bytes = Array.from(request, (_, at) => request.subarray(at, at + 1))
  await bench("in two", () => {
    for (const half of halves) requests.read(half)
  }).run()
  await bench("byte by byte", () => {
    for (const byte of bytes) requests.read(byte)
  }).run()
  expect(requests.idle).toBe(true)
})

test("one body", { timeout: 60_000 }, async ({ bench }) => {
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
  const large = `${head}${`10000\r\n${"x".repeat(65_536)}\r\n`.repeat(16)}0\r\n\r\n`
  const small = `${head}${`40\r\n${"x".repeat(64)}\r\n`.repeat(1024)}0\r\n\r\n`
  const reader = new RequestReader(counter<RequestHead>())
  const [largeBytes, smallBytes] = [Buffer.from(large), Buffer.from(small)]
  await bench("1 MiB in chunks of 64 KiB", () => {
    reader.read(largeBytes)
  }).run()
  await bench("64 KiB in chunks of 64 bytes", () => {
    reader.read(smallBytes)
  }).run()
  expect(reader.idle).toBe(true)
})

test("what goes on to the next hop", { timeout: 60_000 }, async ({ bench }) => {
  const drop = new Set(["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "expect"])
  const raw = fieldLines.join("")
  // Imports are getters in the module runner, which would be measured too.
  const Fields = FieldBlock
  const forward = endToEndFields
  const plain = fieldLines.filter((line) => !line.startsWith("Connection")).join("")
  await bench("Connection: keep-alive has to go", () => forward(new Fields(raw), drop)).run()
  await bench("nothing has to go", () => forward(new Fields(plain), drop)).run()
  await bench("one field looked up", () => new Fields(raw).get("cache-control")).run()
  expect(forward(new Fields(plain), drop)).toBe(plain)
})

function counter<H>(): MessageSink<H> & { bytes: number } {
  const sink = {
    bytes: 0,
    onHead: (): void => {},
    onData: (bytes: Buffer): void => {
      sink.bytes += bytes.length
    },
    onEnd: (): void => {},
  }
  return sink
}
