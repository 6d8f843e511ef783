// What one poll brings, and what the agent makes of answers that are none, belong to somebody else, or break off.
import { messagesMediaType, preamble, WireError } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { EdgeAddress, loginPage } from "./edge-address.ts"

describe("a poll", () => {
  const message = Buffer.alloc(20)
  const head = `HTTP/1.1 200 OK\r\nRestante-Version: 1\r\nContent-Type: ${messagesMediaType}\r\n`

  function withLength(body: Buffer, lengthBytes = body.length): string {
    return `${head}Content-Length: ${lengthBytes}\r\n\r\n${body.toString("latin1")}`
  }

  const whole = Buffer.concat([preamble, message, message])
  const answers: readonly [string, string, Polled][] = [
    ["messages", withLength(whole), { messages: 2, end: "whole" }],
    [
      "nothing for long",
      "HTTP/1.1 204 No Content\r\nRestante-Version: 1\r\n\r\n",
      { messages: 0, end: "whole" },
    ],
    [
      "messages after an informational response",
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${withLength(whole)}`,
      { messages: 2, end: "whole" },
    ],
    [
      "messages under another name",
      withLength(whole).replace(messagesMediaType, "text/plain"),
      { messages: 0, end: "edge_error" },
    ],
    ["half a message", withLength(whole.subarray(0, 40)), { messages: 1, end: "closed" }],
    [
      "a message that is too large",
      withLength(Buffer.concat([whole, Buffer.alloc(20, 0xff)])),
      { messages: 0, end: "session_over" },
    ],
    ["an answer that is cut off", withLength(whole, 1000), { messages: 2, end: "closed" }],
    ["a page with our media type", withLength(Buffer.from(loginPage)), { messages: 0, end: "not_restante" }],
    [
      "messages of another version",
      withLength(Buffer.from("RSTNTE\x00\x02")),
      { messages: 0, end: "session_over" },
    ],
    [
      "a page",
      `HTTP/1.1 200 OK\r\nContent-Length: ${loginPage.length}\r\n\r\n${loginPage}`,
      { messages: 0, end: "not_restante" },
    ],
    ["a 204 of somebody else", "HTTP/1.1 204 No Content\r\n\r\n", { messages: 0, end: "not_restante" }],
    [
      "a redirect",
      "HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
      { messages: 0, end: "not_restante" },
    ],
    [
      "an error of what stands between",
      "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
      { messages: 0, end: "edge_error" },
    ],
    [
      "the news that the session is over",
      'HTTP/1.1 410 Gone\r\nRestante-Version: 1\r\nContent-Length: 26\r\n\r\n{"code":"session_unknown"}',
      { messages: 0, end: "session_over" },
    ],
    [
      "the news that the session is broken",
      'HTTP/1.1 400 Bad Request\r\nRestante-Version: 1\r\nContent-Length: 28\r\n\r\n{"code":"malformed_message"}',
      { messages: 0, end: "session_over" },
    ],
  ]

  test.each(answers)("that brings %s is read as that", async (_what, answer, expected) => {
    await using there = await EdgeAddress.saying(answer)
    expect(await poll(there)).toEqual(expected)
  })

  test("names its session and carries its acknowledgement", async () => {
    const seen: unknown[] = []
    await using there = await EdgeAddress.http((request, response) => {
      seen.push(request.headers["restante-session"], request.headers["content-type"])
      request.on("data", (bytes: Buffer) => seen.push(bytes.length))
      request.on("end", () => response.writeHead(204, { "Restante-Version": "1" }).end())
    })
    await poll(there)
    expect(seen).toEqual(["session", messagesMediaType, preamble.length + 20])
  })

  test("whose message breaks the session ends with that", async () => {
    await using there = await EdgeAddress.saying(withLength(whole))
    const polled = await poll(there, () => {
      throw new WireError("frame_malformed")
    })
    expect(polled.messages).toBe(1)
  })

  test("that is given up says nothing more", async () => {
    let asked = 0
    await using there = await EdgeAddress.http(() => asked++)
    const ends: unknown[] = []
    const request = there.client.poll("session", Buffer.alloc(20), false, {
      onMessage: () => {},
      onEnd: (error) => ends.push(error),
    })
    await expect.poll(() => asked).toBe(1)
    request.abort()
    await there.client.close()
    expect(ends).toEqual([])
  })
})

/** What came of one poll. */
interface Polled {
  readonly messages: number
  readonly end: string
}

function poll(there: EdgeAddress, onMessage: () => void = () => {}): Promise<Polled> {
  return new Promise((resolve) => {
    let messages = 0
    there.client.poll("session", Buffer.alloc(20), false, {
      onMessage: () => {
        messages++
        onMessage()
      },
      onEnd: (error) => resolve({ messages, end: error?.code ?? "whole" }),
    })
  })
}
