// Pages for people that are asked for by HTTP/2: answered by an HTTP/1 server inside, and never left without an end.
import { createServer } from "node:http"
import type { Duplex } from "node:stream"
import { parseRequestHead, type ResponseHead } from "@restante/protocol"
import { expect, test } from "vitest"
import type { Client } from "../../../src/exchange/client.ts"
import { PageRequest } from "../../../src/ingress/h2/page-request.ts"

test("the page's head and body become the answer", async () => {
  const server = createServer((incoming, response) =>
    response.end(`${incoming.url} for ${incoming.socket.remoteAddress}`),
  )
  expect(await answerTo((socket) => void server.emit("connection", socket))).toBe("200 /page for 192.0.2.1")
})

test("a page whose server breaks off, or never begins, is a reset", async () => {
  expect(await answerTo((socket) => socket.destroy())).toBe("reset")
  expect(await answerTo((socket) => void setImmediate(() => socket.destroy()))).toBe("reset")
  expect(await answerTo((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))).toBe(
    "reset",
  )
})

/** Status and body of the answer, or "reset". */
function answerTo(take: (socket: Duplex) => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let said = ""
  const client = {
    remoteAddress: "192.0.2.1",
    begin: (head: ResponseHead) => (said += `${head.status} `),
    data: (bytes: Buffer) => (said += bytes.toString()),
    end: () => resolve(said),
    reset: () => resolve("reset"),
  }
  const head = parseRequestHead("GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
  void new PageRequest(head, client as unknown as Client, take)
  return promise
}
