// An answer that breaks off must never look whole, whatever framing it has and whoever broke it: seen by a bare socket
// and by curl, whose exit code says what it thinks of the transfer.
import { describe, expect, test as base, type TestAPI } from "vitest"
import { RawClient } from "../support/client.ts"
import { run } from "../support/command.ts"
import { type Pair, startPair, type Transport, transports } from "../support/pair.ts"
import { rawUpstream } from "../support/upstream.ts"

/** What the private server says before it breaks off. */
const piece = "x".repeat(100_000)
const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
const beginnings = {
  "/content-length": `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${piece}`,
  "/small-content-length": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
  "/chunked": `${chunkedHead}${piece.length.toString(16)}\r\n${piece}\r\n`,
  "/inside-a-chunk": `${chunkedHead}${(piece.length * 2).toString(16)}\r\n${piece}`,
  "/inside-the-last-chunk": `${chunkedHead}3\r\nabc\r\n0\r\n`,
  "/nonsense-for-a-chunk": `${chunkedHead}3\r\nabc\r\n`,
  "/reset/content-length": `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${piece}`,
  "/reset/chunked": `${chunkedHead}${piece.length.toString(16)}\r\n${piece}\r\n`,
  "/reset/close-delimited": `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${piece}`,
} as const satisfies Record<string, string>
const targets = Object.keys(beginnings)

/** Exit codes of curl: 18 is a partial file, 56 a failure in receiving. */
const brokenTransfer: readonly (number | null)[] = [18, 56]

/** One pair for all tests over a transport, in front of a server that breaks off: by RST under /reset, mostly by FIN. */
function testsOver(transport: Transport): TestAPI<{ pair: Pair }> {
  return base.extend<{ pair: Pair }>({
    pair: [
      // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
      async ({}, use) => {
        await using upstream = await rawUpstream((socket, head) => {
          const target = head.split(" ")[1] ?? ""
          socket.write(beginnings[target as keyof typeof beginnings], "latin1", () => {
            // A reset throws away what its receiver has not read yet, so that is given a moment; nonsense gets one
            // because what comes together with the head is an error of its own (502).
            if (target.startsWith("/reset/")) setTimeout(() => socket.resetAndDestroy(), 50)
            else if (target === "/nonsense-for-a-chunk") setTimeout(() => socket.write("nonsense\r\n"), 50)
            else socket.end()
          })
        })
        await using pair = await startPair({ server: upstream.url, transport })
        await use(pair)
      },
      { scope: "file" },
    ],
  })
}

const tests = { poll: testsOver("poll"), websocket: testsOver("websocket") }

describe.for(transports)("over %s", (transport) => {
  const test = tests[transport]

  test.for(targets)(
    "an upstream that breaks off at %s is a broken transfer for curl",
    async (target, { pair }) => {
      const { code } = await run("curl", ["-s", "-o", "/dev/null", `${pair.url}${target}`], {
        withinMs: 10_000,
      })
      expect(brokenTransfer).toContain(code)
    },
  )

  test.for(targets)(
    "an upstream that breaks off at %s resets the client's connection",
    async (target, { pair }) => {
      using client = new RawClient(pair.port)
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect(await client.ended()).toBe("reset")
      expect(client.received).not.toMatch(/\r\n0\r\n\r\n$/)
    },
  )

  test.for(targets)(
    "an HTTP/1.0 client whose only end mark is the close sees a reset at %s",
    async (target, { pair }) => {
      using client = new RawClient(pair.port)
      client.send(`GET ${target} HTTP/1.0\r\n\r\n`)
      expect(await client.ended()).toBe("reset")
    },
  )
})
