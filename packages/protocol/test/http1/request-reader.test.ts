// One client connection: messages one after the other, from bytes in any pieces (RFC 9112 sections 2.2, 6, 7, 9.3.2).

import { describe, expect, test } from "vitest"
import {
  defaultHttp1Limits,
  Http1Error,
  type MessageSink,
  type RequestHead,
  RequestReader,
} from "../../src/http1/index.ts"
import { feed, feedSingly, recordRequests } from "./events.ts"

const get = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n"
const post = "POST / HTTP/1.1\r\nHost: a.example\r\n"

test("read() ends with each message, so pipelined requests come one at a time and in order", () => {
  const { reader, seen } = recordRequests()
  const bytes = Buffer.from(`${post}Content-Length: 2\r\n\r\nhi${get}`)
  const first = reader.read(bytes)
  expect(first).toBe(bytes.length - get.length)
  expect(seen.heads.map(({ method }) => method)).toEqual(["POST"])
  expect(reader.idle).toBe(true)
  expect(reader.read(bytes.subarray(first))).toBe(get.length)
  expect(seen.heads.map(({ method }) => method)).toEqual(["POST", "GET"])
  expect(seen.trailers).toEqual(["", ""])
})

test("a body that comes in its own read is given out without a copy", () => {
  const { reader, seen } = recordRequests()
  reader.read(Buffer.from(`${post}Content-Length: 5\r\n\r\n`))
  const body = Buffer.from("hello")
  expect(reader.read(body)).toBe(5)
  expect(seen.data[0]).toBe(body)
})

test("a body behind its head, and chunks, are views of what was read", () => {
  const { reader, seen } = recordRequests()
  const bytes = Buffer.from(
    `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a="b"\r\n world\r\n0\r\n\r\n`,
  )
  reader.read(bytes)
  expect(seen.body).toBe("hello world")
  expect(seen.data.map(({ buffer }) => buffer)).toEqual([bytes.buffer, bytes.buffer])
})

test("a body of no bytes is no data and an end", () => {
  const { reader, seen } = recordRequests()
  feed(reader, `${post}Content-Length: 0\r\n\r\n${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)
  expect(seen.data).toEqual([])
  expect(seen.trailers).toEqual(["", ""])
})

test("trailers come with the end, as they were", () => {
  const { reader, seen } = recordRequests()
  feed(
    reader,
    `${post}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n000;x\r\nX-Sum: 1\r\nx-sum:2 \r\n\r\n${get}`,
  )
  expect(seen.trailers).toEqual(["X-Sum: 1\r\nx-sum:2 \r\n", ""])
})

test("bytes that come one by one are read the same", () => {
  const { reader, seen } = recordRequests()
  feedSingly(
    reader,
    `\r\n${post}Transfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX: y\r\n\r\n\r\n${get}`,
  )
  expect(seen.heads.map(({ target }) => target)).toEqual(["/", "/a"])
  expect(seen.body).toBe("hello")
  expect(seen.trailers).toEqual(["X: y\r\n", ""])
})

test("up to eight empty lines before a request line are nothing", () => {
  const { reader, seen } = recordRequests()
  feed(reader, `${"\r\n".repeat(8)}${get}${"\r\n".repeat(8)}${get}`)
  expect(seen.heads).toHaveLength(2)
})

test("stopAfterHead() leaves the rest of the connection alone", () => {
  const heads: RequestHead[] = []
  const reader: RequestReader = new RequestReader({
    onHead(head) {
      heads.push(head)
      reader.stopAfterHead()
    },
    onData: () => expect.unreachable(),
    onEnd: () => expect.unreachable(),
  })
  expect(feed(reader, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\x00\x01")).toBe(
    2,
  )
  expect(heads.map(({ upgrade }) => upgrade)).toEqual(["x"])
  expect(() => reader.eof()).not.toThrow()
})

test("pause() in a callback ends the read after it, and the next read goes on", () => {
  const { sink, calls } = pausing()
  const reader: RequestReader = new RequestReader(sink)
  sink.pause = () => reader.pause()
  const bytes = Buffer.from(`${post}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n`)
  const lengths = []
  for (let at = 0; at < bytes.length;) {
    const taken = reader.read(bytes.subarray(at))
    lengths.push(calls.length)
    at += taken
  }
  expect(calls).toEqual(["head", "a", "b", "end"])
  expect(lengths).toEqual([1, 2, 3, 4])
})

describe("the end of input", () => {
  test.each(["", get, "\r\n"])("after %j is fine", (text) => {
    const { reader } = recordRequests()
    feed(reader, text)
    expect(() => reader.eof()).not.toThrow()
  })

  test.each(["G", `${post}Content-Length: 2\r\n\r\nh`, `${post}Transfer-Encoding: chunked\r\n\r\n0\r\n`])(
    "after %j is an error, because a broken message must not look whole",
    (text) => {
      const { reader, seen } = recordRequests()
      feed(reader, text)
      expect(reader.idle).toBe(false)
      expect(() => reader.eof()).toThrow(new Http1Error("incomplete"))
      expect(seen.trailers).toEqual([])
    },
  )
})

test("after an error the reader stays dead", () => {
  const { reader, seen } = recordRequests()
  expect(() => reader.read(Buffer.from("GET / HTTP/1.1\n"))).toThrow(new Http1Error("bare_line_end"))
  expect(() => reader.read(Buffer.from(get))).toThrow(new Http1Error("bare_line_end"))
  expect(() => reader.eof()).toThrow(new Http1Error("bare_line_end"))
  expect(seen.heads).toEqual([])
})

test.each(["GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nX: a\nb", "GET / HTTP/1.1\rX", "\x16\x03\x01\0"])(
  "a stray byte is refused at once, without waiting for the end of the head: %j",
  (text) => {
    expect(() => recordRequests().reader.read(Buffer.from(text, "latin1"))).toThrow(Http1Error)
  },
)

describe("a limit holds before the message is complete:", () => {
  const limits = {
    maxHeadBytes: 200,
    maxTargetBytes: 100,
    maxFieldLines: 10,
    maxTrailerBytes: 50,
    maxChunkLineBytes: 20,
    maxChunkExtensionBytes: 30,
    maxInformational: 2,
  }
  const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`

  test.each([
    ["head", `GET / HTTP/1.1\r\nX: ${"x".repeat(300)}`, "head_too_large"],
    ["request line", `GET /${"x".repeat(300)}`, "target_too_long"],
    ["trailers", `${chunked}0\r\nX: ${"x".repeat(60)}`, "trailers_too_large"],
    ["chunk line", `${chunked}${"0".repeat(30)}`, "chunk_line_too_long"],
    ["chunk extension", `${chunked}1;${"a".repeat(30)}`, "chunk_line_too_long"],
    ["all chunk extensions", `${chunked}${"1;aaaaaaaaaa\r\nx\r\n".repeat(3)}`, "chunk_extensions_too_large"],
  ])("%s", (_name, text, code) => {
    expect(() => feed(recordRequests(limits).reader, text)).toThrow(expect.objectContaining({ code }))
    expect(() => feedSingly(recordRequests(limits).reader, text)).toThrow(expect.objectContaining({ code }))
  })

  test("what is exactly as long as it may be is read", () => {
    const { reader, seen } = recordRequests(limits)
    const field = `X: ${"x".repeat(50 - "X: \r\n\r\n".length)}\r\n`
    const size = `${"0".repeat(17)}1\r\n`
    feed(reader, `${chunked}${size}a\r\n1;${"a".repeat(16)}\r\nb\r\n0\r\n${field}\r\n`)
    expect(seen.body).toBe("ab")
    expect(seen.trailers).toEqual([field])
  })
})

test("a head of 64 KiB that comes byte by byte costs linear time", () => {
  const head = `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${"x".repeat(995)}\r\n`.repeat(64)}\r\n`
  const { reader, seen } = recordRequests()
  const before = process.cpuUsage()
  feedSingly(reader, head)
  expect(seen.heads).toHaveLength(1)
  expect(head.length).toBeGreaterThan(defaultHttp1Limits.maxHeadBytes - 2000)
  // Quadratic would be 2 GB to search: seconds.
  expect(process.cpuUsage(before).user).toBeLessThan(second)
})

test.each([
  ["many lines and a bad one", `${"a:\r\n".repeat(16_000)}b\r\n\r\n`],
  ["a long name without a colon", `${"a".repeat(65_000)}\r\n\r\n`],
  ["a long value with a bad end", `a:${"b ".repeat(32_000)}\x7f\r\n\r\n`],
  ["a long list of codings", `Transfer-Encoding: ${"a,".repeat(32_000)}\r\n\r\n`],
  ["a long list of options", `Connection: ${"close ,".repeat(9000)}\0\r\n\r\n`],
  ["a long host", `Host: ${"a%41".repeat(16_000)}/\r\n\r\n`],
])("a hostile head cannot keep us busy: %s", (_name, fields) => {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${fields}`, "latin1")
  const before = process.cpuUsage()
  expect(() => recordRequests().reader.read(bytes)).toThrow(Http1Error)
  // About 1 ms; a pattern that tries everything twice would take minutes.
  expect(process.cpuUsage(before).user).toBeLessThan(second / 2)
})

/** Of work, in microseconds, however busy the machine is. */
const second = 1_000_000

function pausing(): { sink: MessageSink<RequestHead> & { pause(): void }; calls: string[] } {
  const calls: string[] = []
  const sink = {
    pause: (): void => {},
    onHead: (): void => {
      calls.push("head")
      sink.pause()
    },
    onData: (bytes: Buffer): void => {
      calls.push(bytes.toString())
      sink.pause()
    },
    onEnd: (): void => {
      calls.push("end")
    },
  }
  return { sink, calls }
}
