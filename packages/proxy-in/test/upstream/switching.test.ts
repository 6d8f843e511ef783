// A request that asks the upstream for another protocol, and raw bytes both ways once it has switched.
import { headFlags, openKind, wireLimits } from "@restante/protocol"
import { once } from "node:events"
import type net from "node:net"
import { describe, expect, test } from "vitest"
import { answering, poolFor, rawServer, requestHead, Run, until } from "./support.ts"
import type { RawServer, RunOptions } from "./support.ts"
import type { UpstreamPool } from "../../src/upstream/pool.ts"

const asks = (protocols = "websocket"): string =>
  requestHead("GET /chat", "Sec-WebSocket-Key: x", "Connection: Upgrade", `Upgrade: ${protocols}`)
const switching = (protocols = "websocket"): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocols}\r\nConnection: upgrade\r\n\r\n`

interface Switched extends AsyncDisposable {
  readonly run: Run
  readonly pool: UpstreamPool
  /** The upstream's end. */
  readonly socket: net.Socket
  /** What the upstream got after the head. */
  received(): Buffer
}

/** An upstream that switches, and does nothing else by itself. */
async function switched(
  options: { protocols?: string; secure?: boolean; right?: string } & RunOptions = {},
): Promise<Switched> {
  const { protocols = "any", right = "" } = options
  const pieces: Buffer[] = []
  const server: RawServer = await rawServer(
    (socket) => {
      socket.allowHalfOpen = true
      socket.once("data", () => {
        socket.on("data", (bytes) => pieces.push(bytes))
        socket.write(switching(protocols) + right, "latin1")
      })
    },
    { secure: options.secure ?? false },
  )
  const pool = poolFor(server.address)
  const run = new Run(pool, asks(protocols), { kind: openKind.upgrade, bodyFollows: true, ...options })
  await until(() => run.responseHead !== undefined)
  const socket = server.sockets[0]!
  return {
    run,
    pool,
    socket,
    received: () => Buffer.concat(pieces),
    [Symbol.asyncDispose]: async () => {
      run.replay.onReset()
      await pool.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const asked = async (answer: string, protocols?: string): Promise<Run> => {
  await using server = await answering(answer)
  const pool = poolFor(server.address)
  const run = new Run(pool, asks(protocols), { kind: openKind.upgrade, bodyFollows: true })
  await run.settled
  await pool.close()
  expect(server.sockets).toHaveLength(1)
  return run
}

describe("the request", () => {
  test("is announced with TAKEN although it is a GET, and asks for what was offered alone", async () => {
    await using server = await answering(switching())
    const pool = poolFor(server.address)
    const run = new Run(pool, asks("h2c, websocket"), { kind: openKind.upgrade, bodyFollows: true })
    await until(() => run.responseHead !== undefined)
    expect(run.told[0]).toEqual({ kind: "taken" })
    expect(server.received[0]).toBe(
      "GET /chat HTTP/1.1\r\nHost: public.example\r\nSec-WebSocket-Key: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    run.replay.onReset()
    await pool.close()
  })

  test("never goes on a connection that served another, and its own serves no other, even when it was not switched", async () => {
    await using server = await answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    const pool = poolFor(server.address)
    for (const kind of [openKind.http, openKind.upgrade, openKind.http])
      await new Run(pool, asks(), { kind, bodyFollows: kind === openKind.upgrade }).settled
    expect(server.received.map((text) => text.split("GET ").length - 1)).toEqual([2, 1])
    await pool.close()
  })

  test("of kind http never asks for another protocol, whatever its head says", async () => {
    await using server = await answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    const pool = poolFor(server.address)
    await new Run(pool, asks()).settled
    expect(server.received[0]).not.toMatch(/upgrade/i)
    await pool.close()
  })

  test.each([
    ["offers nothing that may cross", asks("h2c")],
    ["has a body", requestHead("GET /", "Connection: Upgrade", "Upgrade: x", "Content-Length: 1")],
  ])("of kind upgrade that %s is refused before anything is sent", async (_, head) => {
    await using server = await answering(switching())
    const pool = poolFor(server.address)
    const run = new Run(pool, head, { kind: openKind.upgrade, bodyFollows: true })
    expect(await run.settled).toMatchObject({ kind: "failed", code: "request_rejected" })
    expect(server.sockets).toHaveLength(0)
    await pool.close()
  })
})

describe("the answer", () => {
  test("101 goes to the edge at once, with what it switches to", async () => {
    await using one = await switched()
    expect(one.run.told.slice(1)).toEqual([
      {
        kind: "head",
        flags: headFlags.body,
        head: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n",
        body: undefined,
      },
    ])
  })

  test.each([
    ["another protocol", switching("secret")],
    ["no protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ])("101 to %s is upgrade_failed", async (_, answer) => {
    expect(await (await asked(answer)).settled).toMatchObject({ kind: "failed", code: "upgrade_failed" })
  })

  test("other than 101 is an ordinary response", async () => {
    const run = await asked("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")
    expect(await run.settled).toEqual({ kind: "answered", status: 426 })
    expect(run.body.toString()).toBe("no")
  })

  test("that does not come in time is upstream_timeout", async () => {
    await using server = await rawServer(() => undefined)
    const pool = poolFor(server.address)
    const run = new Run(pool, asks(), { kind: openKind.upgrade, headTimeoutMs: 50 })
    expect(await run.settled).toMatchObject({ kind: "failed", code: "upstream_timeout" })
    await pool.close()
  })
})

describe.each([
  ["plain", false],
  ["TLS", true],
])("after the 101, %s", (_, secure) => {
  test("bytes go both ways as they are, what came right behind the head included", async () => {
    await using one = await switched({ secure, right: "\x00\xffat once," })
    one.run.replay.onData(Buffer.from("to you"))
    one.socket.write("later")
    await until(() => one.run.body.length === 15 && one.received().length === 6)
    expect(one.run.body.toString("latin1")).toBe("\x00\xffat once,later")
    expect(one.received().toString()).toBe("to you")
  })

  test("the upstream's end is END, and it still reads", async () => {
    await using one = await switched({ secure })
    one.socket.end("last")
    await until(() => one.run.told.at(-1)?.kind === "end")
    one.run.replay.onData(Buffer.from("still"))
    await until(() => one.received().length === 5)
    expect(one.run.outcomes).toEqual([])
  })

  test("the edge's END ends our side alone, and the upstream still speaks", async () => {
    await using one = await switched({ secure })
    const ended = once(one.socket, "end")
    one.run.replay.onEnd("")
    await ended
    one.socket.write("still")
    await until(() => one.run.body.length === 5)
    one.socket.end()
    expect(await one.run.settled).toEqual({ kind: "answered", status: 101 })
    expect(one.run.told.at(-1)).toEqual({ kind: "end", trailers: "" })
  })
})

describe("after the 101", () => {
  test("there is no deadline any more", async () => {
    await using one = await switched({ headTimeoutMs: 50, readTimeoutMs: 50 })
    await new Promise((resolve) => setTimeout(resolve, 300)) // what must not happen takes time not to happen
    one.socket.write("still here")
    await until(() => one.run.body.length === 10)
    expect(one.run.outcomes).toEqual([])
  })

  test("an upstream that breaks off is a reset", async () => {
    await using one = await switched()
    one.socket.resetAndDestroy()
    expect(await one.run.settled).toMatchObject({ kind: "failed", code: "upstream_incomplete" })
    expect(one.run.told.at(-1)).toEqual({ kind: "reset", code: "upstream_incomplete" })
  })

  test("the client's leaving breaks the upstream's connection off", async () => {
    await using one = await switched()
    const broken = once(one.socket, "error")
    one.run.replay.onReset()
    expect(await broken).toMatchObject([{ code: "ECONNRESET" }])
    expect(one.run.outcomes).toEqual([{ kind: "answered", status: 101 }])
  })

  test("what is sent to an upstream that has closed is answered with a reset", async () => {
    await using one = await switched()
    one.socket.end()
    await until(() => one.run.told.at(-1)?.kind === "end")
    one.socket.resetAndDestroy()
    const sending = setInterval(() => one.run.replay.onData(Buffer.from("x")), 5)
    await one.run.settled
    clearInterval(sending)
    expect(one.run.told.at(-1)).toEqual({ kind: "reset", code: "upstream_incomplete" })
  })

  test("no more is read from the upstream than the edge gives credit for, and the rest comes with more", async () => {
    await using one = await switched({ consume: false })
    const all = 128 * wireLimits.initialWindowBytes
    one.socket.write(Buffer.alloc(all, "x"))
    await until(() => one.run.receivedBytes === wireLimits.initialWindowBytes)
    const unsent = one.socket.writableLength
    while (one.run.receivedBytes < all) {
      one.run.consumed(one.run.credit.bufferedBytes)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(unsent).toBeGreaterThan(0)
    expect(one.run.body.length).toBe(all)
  })

  test("the edge gets no credit for what the upstream does not read, and gets it back when it does", async () => {
    await using one = await switched()
    one.socket.pause()
    const piece = Buffer.alloc(65_536)
    let sentBytes = 0
    for (let idleTurns = 0; idleTurns < 50; idleTurns++) {
      while (sentBytes + piece.length <= one.run.grantedBytes) {
        one.run.replay.onData(piece)
        sentBytes += piece.length
        idleTurns = 0
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const stalledAt = one.run.grantedBytes
    one.socket.resume()
    await until(() => one.run.grantedBytes > stalledAt)
    expect(stalledAt).toBeLessThan(64 * 1024 * 1024)
  })

  test("more than the credit ends the session", async () => {
    await using one = await switched()
    expect(() => one.run.replay.onData(Buffer.alloc(wireLimits.initialWindowBytes + 1))).toThrow(
      expect.objectContaining({ code: "credit_exceeded" }),
    )
  })
})

describe("when the agent stops", () => {
  test("a WebSocket's server and client get a Close with 1001, and it ends with their ends", async () => {
    await using one = await switched({ protocols: "websocket" })
    one.socket.once("end", () => one.socket.end("\x88\x02\x03\xe9", "latin1"))
    one.run.replay.leave()
    await until(() => one.received().length === 8)
    expect(one.received().subarray(0, 2)).toEqual(Buffer.from([0x88, 0x82]))
    expect(one.run.body).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xe9]))
    one.run.replay.onData(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
    one.run.replay.onEnd("")
    expect(await one.run.settled).toEqual({ kind: "answered", status: 101 })
  })

  test("a server that does not close is left after 2 s", async () => {
    await using one = await switched({ protocols: "websocket" })
    one.run.replay.leave()
    one.run.replay.onEnd("")
    expect(await one.run.settled).toEqual({ kind: "answered", status: 101 })
  })

  test("what is in another protocol goes on", async () => {
    await using one = await switched()
    one.run.replay.leave()
    one.socket.write("still")
    await until(() => one.run.body.length === 5)
    expect(one.received()).toHaveLength(0)
  })
})
