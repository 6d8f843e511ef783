// The head of a port's stream: read to the last character, or not at all.
import { describe, expect, test } from "vitest"
import { parsePortHead, portHeadText } from "../../src/ports/index.ts"

const head = {
  name: "20022",
  client: { address: "203.0.113.17", port: 54_321 },
  edge: { address: "2001:db8::7", port: 20_022 },
}

test("what was written is read", () => {
  expect(parsePortHead(portHeadText(head))).toEqual(head)
})

describe("is not read:", () => {
  test.each([
    "",
    "20022 203.0.113.17 54321 198.51.100.7 20022",
    "20022 203.0.113.17 54321 198.51.100.7 20022\r\n\r\nmore",
    "20022 203.0.113.17 54321 198.51.100.7 65536\r\n\r\n",
    "20022 evil.example 54321 198.51.100.7 20022\r\n\r\n",
    "127.0.0.1:22 203.0.113.17 54321 198.51.100.7 20022\r\n\r\n",
    "auto-0 203.0.113.17 54321 198.51.100.7 20022\r\n\r\n",
    "20022  203.0.113.17 54321 198.51.100.7 20022\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n",
  ])("%j", (text) => {
    expect(parsePortHead(text)).toBeUndefined()
  })
})
