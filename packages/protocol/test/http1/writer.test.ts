// Chunks that we write, and what a method promises.

import { expect, test } from "vitest"
import { chunkHeader, isIdempotent, isSafe, lastChunk } from "../../src/http1/index.ts"
import { feed, recordRequests } from "./events.ts"

test("what the writer writes, the reader reads", () => {
  const { reader, seen } = recordRequests()
  const parts = ["a", "b".repeat(15), "c".repeat(16), "d".repeat(70_000)]
  const body = parts.map((part) => `${chunkHeader(part.length)}${part}\r\n`).join("")
  feed(
    reader,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}${lastChunk("X: y\r\n")}`,
  )
  expect(seen.body).toBe(parts.join(""))
  expect(seen.trailers).toEqual(["X: y\r\n"])
})

test("the last chunk without trailers is five bytes", () => {
  expect(lastChunk("")).toBe("0\r\n\r\n")
})

test.each([
  ["GET", true, true],
  ["HEAD", true, true],
  ["OPTIONS", true, true],
  ["QUERY", true, true],
  ["PROPFIND", true, true],
  ["PUT", false, true],
  ["DELETE", false, true],
  ["POST", false, false],
  ["PATCH", false, false],
  ["CONNECT", false, false],
  ["MOVE", false, false],
  ["get", false, false],
  ["UNKNOWN", false, false],
])("%s is safe: %j, idempotent: %j", (method, safe, idempotent) => {
  expect([isSafe(method), isIdempotent(method)]).toEqual([safe, idempotent])
})
