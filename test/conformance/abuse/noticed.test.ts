// The corpus notices a careless proxy: here there is none at all, and a lenient server reads what the client sent.
import { expect, test } from "vitest"
import { framingCases } from "./framing-cases.ts"
import { play } from "./play.ts"
import { Witness } from "./witness.ts"

test.each([
  "Transfer-Encoding: xchunked",
  "Content-Length: +5",
  "Content-Length: 5\\r\\nContent-Length: 6",
  "X: y\\nTransfer-Encoding: chunked",
])("a request with %s that gets through", async (name) => {
  await using witness = new Witness()
  const one = framingCases.find((known) => known.name === name)
  expect(one).toBeDefined()
  const played = play({ port: await witness.start(), witness, patienceMs: 500 }, one!, "in one piece")
  await expect(played).rejects.toThrow(/sees|behind the answers|the edge to close|answer 0|broken off/)
})
