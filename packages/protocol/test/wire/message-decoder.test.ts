// A body of messages, cut out of a byte stream that arrives in any pieces, or is not ours at all.
import { describe, expect, test } from "vitest"
import {
  checkPreamble,
  MessageDecoder,
  messageHeaderBytes,
  preamble,
  putMessageHeader,
  wireLimits,
} from "../../src/wire/index.ts"
import { randomIntegers } from "./seed.ts"

describe("whole messages come out", () => {
  const messages = [0, 1, 19, 20, 21, 300, 7000].map((payloadBytes, index) =>
    message(index + 1, payloadBytes),
  )
  const body = Buffer.concat([preamble, ...messages])
  const expected = messages.map((bytes) => bytes.toString("latin1"))

  test("when the body arrives in one piece, without a copy", () => {
    const decoded = new MessageDecoder().push(body)
    expect(decoded).toEqual(messages)
    expect(decoded.every((one) => Buffer.isBuffer(one) && one.buffer === body.buffer)).toBe(true)
  })

  test("when it arrives byte by byte", () => {
    expect(decode(body, () => 1)).toEqual(expected)
  })

  test("when it arrives in any other pieces", () => {
    const random = randomIntegers()
    for (let round = 0; round < 200; round++) expect(decode(body, () => 1 + random(100))).toEqual(expected)
  })

  test("when it is cut in two at any byte", () => {
    for (let cut = 1; cut < 500; cut++)
      expect(decode(body, (offset) => (offset === 0 ? cut : body.length))).toEqual(expected)
  })
})

test("a large message that comes in large pieces is made of those pieces", () => {
  const whole = message(1, 300_000)
  const [first, second, third] = [0, 100_000, 200_000].map((start) =>
    Buffer.from(whole.subarray(start, start === 200_000 ? undefined : start + 100_000)),
  )
  const decoder = new MessageDecoder({ preamble: false })
  expect(decoder.push(first!)).toEqual([])
  expect(decoder.push(second!)).toEqual([])
  const [parts] = decoder.push(third!)
  expect(parts).toEqual([first, second, third])
})

test("a message that comes byte by byte does not become a buffer for each", () => {
  const decoder = new MessageDecoder({ preamble: false })
  const whole = message(1, 100_000)
  let parts: readonly Buffer[] = []
  for (let offset = 0; offset < whole.length; offset++)
    for (const decoded of decoder.push(whole.subarray(offset, offset + 1))) parts = [decoded].flat()
  expect(Buffer.concat(parts).equals(whole)).toBe(true)
  expect(parts.length).toBeLessThan(10)
})

describe("the end of the body", () => {
  test.each([0, 7, 9, 27, 29])("after %i bytes, in the middle of something, is message_truncated", (cut) => {
    const decoder = new MessageDecoder()
    decoder.push(Buffer.concat([preamble, message(1, 5)]).subarray(0, cut))
    expect(() => decoder.end()).toThrow("message_truncated")
  })

  test.each([8, 33])("after %i bytes, between messages, is fine", (cut) => {
    const decoder = new MessageDecoder()
    decoder.push(Buffer.concat([preamble, message(1, 5)]).subarray(0, cut))
    expect(() => decoder.end()).not.toThrow()
  })
})

describe("a body that is not ours", () => {
  test("is recognised by its first byte, and the error shows what it was", () => {
    expect(() => new MessageDecoder().push(Buffer.from("<"))).toThrow("not_restante")
    expect(() => checkPreamble(Buffer.from("<!DOCTYPE html>\r\n<title>Log in\u0007"))).toThrow(
      'not_restante: the answer begins with "<!DOCTYPE html> <title>Log in "',
    )
  })

  test("of another version names both versions", () => {
    expect(() => checkPreamble(Buffer.from("RSTNTE\x00\x07", "latin1"))).toThrow(
      "version_unsupported: the peer speaks version 7, this program version 1",
    )
  })
})

test("a message that announces more than the limit is refused before anything is allocated for it", () => {
  const header = message(1, 0)
  header.writeUInt32BE(wireLimits.maxMessageBytes - messageHeaderBytes + 1, 0)
  expect(() => new MessageDecoder({ preamble: false }).push(header)).toThrow("message_size")
})

function message(number: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(messageHeaderBytes + payloadBytes, number)
  putMessageHeader(bytes, payloadBytes, number, 0)
  return bytes
}

function decode(body: Buffer, pieceBytes: (offset: number) => number): string[] {
  const decoder = new MessageDecoder()
  const decoded: string[] = []
  for (let offset = 0; offset < body.length;) {
    const end = offset + pieceBytes(offset)
    for (const parts of decoder.push(body.subarray(offset, end)))
      decoded.push((Buffer.isBuffer(parts) ? parts : Buffer.concat(parts)).toString("latin1"))
    offset = end
  }
  decoder.end()
  return decoded
}
