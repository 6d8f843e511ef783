// The runner of the conformance cases notices what is wrong: a case that cannot fail would prove nothing.
import { Redis } from "ioredis"
import { afterAll, beforeAll, expect, test } from "vitest"
import {
  forwarded,
  gets,
  head,
  ok,
  okAnswered,
  plainGet,
  plainGetForwarded,
  says,
  seesReset,
} from "./case.ts"
import { runCase } from "./runner.ts"
import { chunked } from "./template.ts"
import { World } from "./world.ts"

const world = new World("redis", "websocket")
beforeAll(() => world.start(), 60_000)
afterAll(() => world[Symbol.asyncDispose](), 60_000)

const frame = { row: 1, title: "", rfc: "" }
const right = {
  ...frame,
  client: [says(plainGet), gets(okAnswered)],
  upstream: [[gets(plainGetForwarded), says(ok)]],
}

test("a case in which every byte is as expected passes", async () => {
  expect(await runCase(world, right)).toBe("every byte as it should be")
})

test.each([
  [
    "another byte reaches the upstream",
    { ...right, upstream: [[gets(forwarded(["GET /other HTTP/1.1", "Host: a"])), says(ok)]] },
    /upstream: Error: wanted "GET \/other/,
  ],
  [
    "another byte reaches the client",
    { ...right, client: [says(plainGet), gets(okAnswered.replace("Via: 1.1", "Via: 1.0"))] },
    /client: Error: wanted .*Via: 1.0/,
  ],
  [
    "the client gets more than was expected",
    { ...right, upstream: [[gets(plainGetForwarded), says(ok.replace("ok", "oks").replace(": 2", ": 3"))]] },
    /client: Error: wanted/,
  ],
  [
    "the client gets a second answer",
    {
      ...right,
      client: [says(plainGet, plainGet), gets(okAnswered)],
      upstream: [...right.upstream, ...right.upstream],
    },
    /the client got more/,
  ],
  [
    "a request reaches the upstream that none may reach",
    { ...frame, client: [says(plainGet), gets(okAnswered)] },
    /nobody may have sent this to the upstream/,
  ],
  [
    "a connection ends in another way",
    {
      ...right,
      client: [
        says(head("GET / HTTP/1.1", "Host: a", "Connection: close")),
        gets(okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: close\r\n\r\nok")),
        seesReset,
      ],
    },
    /wanted reset, saw end/,
  ],
  [
    "a chunked body has another content",
    {
      ...frame,
      client: [
        says(head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"), "1\r\na\r\n0\r\n\r\n"),
        gets(okAnswered),
      ],
      upstream: [
        [
          gets(
            forwarded(["POST / HTTP/1.1", "Host: a"]).replace(/\r\n$/, "Transfer-Encoding: chunked\r\n\r\n"),
            chunked("b"),
          ),
          says(ok),
        ],
      ],
    },
    /wanted chunks of "b"/,
  ],
] as const)("a case in which %s fails, and says so", async (_, wrong, message) => {
  await expect(runCase(world, wrong)).rejects.toThrow(message)
  expect(await runCase(world, right)).toBe("every byte as it should be")
})

test("a secret that stays in Redis is found", async () => {
  const redis = new Redis(world.redisUrl("plain") ?? "")
  await redis.set(
    "left-behind",
    "a text that is long enough to be compressed, with a secret-in-it, with a secret-in-it",
  )
  await expect(runCase(world, { ...right, leavesNoTrace: "secret-in-it" })).rejects.toThrow(
    /Redis to hold nothing/,
  )
  redis.disconnect()
})
