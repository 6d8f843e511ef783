// Large bodies in both directions: every byte, in bounded memory, at the speed of the slower end. And what a client's
// leaving does to the upstream.
import { SendCredit, wireLimits } from "@restante/protocol"
import { createHash, randomBytes } from "node:crypto"
import type net from "node:net"
import { expect, test } from "vitest"
import { get, ok, poolFor, rawServer, requestHead, Run, until } from "./support.ts"
import { slowness } from "../../../../test/support/slowness.ts"

const mib = 1024 * 1024
const totalBytes = 64 * mib
/** A length that no buffer size divides, so that a lost, doubled or swapped piece changes the sum. */
const block = randomBytes(mib + 7)
/** What may lie in kernel buffers, the window and one read together. */
const slackBytes = 24 * mib

test("a body of 64 MiB arrives byte for byte at a slow reader, and the upstream is held back to its pace", async () => {
  const sent = createHash("sha256")
  let sentBytes = 0
  await using server = await rawServer((socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${totalBytes}\r\n\r\n`)
      pour(socket, (bytes) => {
        sent.update(bytes)
        sentBytes += bytes.length
      })
    })
  })
  const received = createHash("sha256")
  let consumedBytes = 0
  let mostAhead = 0
  const pool = poolFor(server.address)
  const run: Run = new Run(pool, get, {
    consume: false,
    onData: (bytes) => {
      mostAhead = Math.max(mostAhead, sentBytes - run.receivedBytes)
      // Looked at later, when many more reads have gone through the shared buffer.
      setTimeout(() => {
        received.update(bytes)
        consumedBytes += bytes.length
        run.consumed(bytes.length)
      }, 2)
    },
  })
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  await until(() => consumedBytes === totalBytes)
  expect(received.digest("hex")).toBe(sent.digest("hex"))
  expect(mostAhead).toBeLessThan(slackBytes)
  expect(Math.max(...run.told.map((frame) => (frame.kind === "data" ? frame.bytes : 0)))).toBeLessThanOrEqual(
    wireLimits.maxFrameDataBytes,
  )
  await pool.close()
})

test.each([
  ["TCP", false],
  ["TLS", true],
])("a reader that stops stops the upstream, over %s", async (_, secure) => {
  let sentBytes = 0
  await using server = await rawServer(
    (socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * mib}\r\n\r\n`)
        pour(socket, (bytes) => (sentBytes += bytes.length), 1024 * mib)
      })
    },
    { secure },
  )
  const run = new Run(poolFor(server.address), get, { consume: false })
  await until(() => run.receivedBytes === wireLimits.initialWindowBytes)
  expect(await steady(() => sentBytes)).toBeLessThan(slackBytes)
  expect(run.receivedBytes).toBe(wireLimits.initialWindowBytes)
  run.replay.onReset()
})

test("a full session stops the upstream, and resume lets it go on", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${4 * mib}\r\n\r\n`)
      pour(socket, () => undefined, 4 * mib)
    })
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, get)
  run.congested = true
  await until(() => run.told.length === 1)
  expect(await steady(() => run.receivedBytes)).toBe(0)
  run.congested = false
  run.replay.resume()
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  expect(run.receivedBytes).toBe(4 * mib)
  await pool.close()
})

test("the connection is free for the next exchange while the last bytes still wait for credit", async () => {
  const body = "x".repeat(wireLimits.initialWindowBytes + 1000)
  await using server = await rawServer((socket) => {
    socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`))
  })
  const pool = poolFor(server.address)
  const run = new Run(pool, get, { consume: false })
  await until(() => run.receivedBytes === wireLimits.initialWindowBytes)
  run.consumed(run.receivedBytes)
  expect(await run.settled).toEqual({ kind: "answered", status: 200 })
  expect(run.body.toString()).toBe(body)
  expect(pool.stats).toMatchObject({ connections: 1, idle: 1 })
  await pool.close()
})

test.each([
  ["with a length", `Content-Length: ${totalBytes}`],
  ["in chunks", "X-Chunked: yes"],
])(
  "an upload of 64 MiB %s arrives byte for byte at a slow upstream, and the client is held back to its pace",
  async (_, field) => {
    const received = createHash("sha256")
    let receivedBytes = 0
    await using server = await rawServer((socket) => {
      const decode = bodyDecoder((bytes) => {
        received.update(bytes)
        receivedBytes += bytes.length
        if (receivedBytes === totalBytes) socket.write(ok)
      })
      socket.on("data", (bytes) => {
        decode(bytes)
        socket.pause()
        setTimeout(() => socket.resume(), 1)
      })
    })
    const sent = createHash("sha256")
    let sentBytes = 0
    let mostAhead = 0
    const credit = new SendCredit()
    const pump = (): void => {
      while (sentBytes < totalBytes && credit.available > 0) {
        const bytes = block.subarray(0, Math.min(block.length, credit.available, totalBytes - sentBytes))
        credit.take(bytes.length)
        sent.update(bytes)
        sentBytes += bytes.length
        mostAhead = Math.max(mostAhead, sentBytes - receivedBytes)
        run.replay.onData(bytes)
      }
      if (sentBytes === totalBytes) run.replay.onEnd("")
    }
    const pool = poolFor(server.address)
    const run: Run = new Run(pool, requestHead("POST /", field), {
      bodyFollows: true,
      onWindow: (bytes) => {
        credit.grant(bytes)
        setImmediate(pump)
      },
    })
    pump()
    expect(await run.settled).toEqual({ kind: "answered", status: 200 })
    expect(receivedBytes).toBe(totalBytes)
    expect(received.digest("hex")).toBe(sent.digest("hex"))
    expect(mostAhead).toBeLessThan(slackBytes)
    await pool.close()
  },
)

test.each([
  ["before the response", ""],
  ["in the middle of the response", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
])("a client that leaves %s ends the upstream's connection within a second", async (_, response) => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => socket.write(response))
  })
  const run = new Run(poolFor(server.address), get)
  await until(() => run.told.length > 0 || (response === "" && (server.sockets[0]?.bytesRead ?? 0) > 0))
  const since = performance.now()
  run.replay.onReset()
  expect(run.outcomes).toEqual([{ kind: "cancelled" }])
  await until(() => server.sockets[0]?.destroyed === true)
  expect(performance.now() - since).toBeLessThan(1000 * slowness())
  expect(run.told.filter((frame) => frame.kind === "reset")).toEqual([])
})

test("a client that leaves while the upload is stuck ends the upstream's connection within a second", async () => {
  await using server = await rawServer((socket) => {
    socket.once("data", () => {
      socket.pause()
      setTimeout(() => socket.resume(), 100)
    })
  })
  const run = new Run(poolFor(server.address), requestHead("POST /"), { bodyFollows: true })
  await until(() => server.sockets.length === 1)
  for (let sent = 0; sent < run.grantedBytes && sent < 16 * mib; sent += 64 * 1024)
    run.replay.onData(Buffer.alloc(64 * 1024))
  const since = performance.now()
  run.replay.onReset()
  await until(() => server.sockets[0]?.destroyed === true)
  expect(performance.now() - since).toBeLessThan(1000 * slowness())
})

test("a client that leaves while the connection is being made ends that too", async () => {
  await using server = await rawServer((socket) => socket.resume())
  const pool = poolFor({ ...server.address, tls: true })
  const run = new Run(pool, get)
  await until(() => server.sockets.length === 1)
  run.replay.onReset()
  expect(pool.stats.connections).toBe(0)
  await until(() => server.sockets[0]?.destroyed === true)
})

/** Writes `bytes` of the block, over and over, as fast as the socket takes them. */
function pour(socket: net.Socket, onSent: (bytes: Buffer) => void, bytes = totalBytes): void {
  let left = bytes
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      const piece = block.subarray(0, Math.min(block.length, left))
      left -= piece.length
      onSent(piece)
      if (!socket.write(piece)) return void socket.once("drain", more)
    }
  }
  more()
}

/** The body bytes behind a request head, chunked or not. Assumes what this package writes: no extensions, no trailers. */
function bodyDecoder(onBody: (bytes: Buffer) => void): (bytes: Buffer) => void {
  let chunked: boolean | undefined
  let pending: Buffer = Buffer.alloc(0)
  let chunkLeft = 0
  return (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    if (chunked === undefined) {
      const end = pending.indexOf("\r\n\r\n")
      if (end === -1) return
      chunked = pending.includes("Transfer-Encoding: chunked")
      pending = pending.subarray(end + 4)
    }
    while (pending.length > 0) {
      if (chunked && chunkLeft <= 0) {
        const line = pending.indexOf("\r\n", chunkLeft === 0 ? 0 : 2)
        if (line === -1) return
        chunkLeft = Number.parseInt(pending.toString("latin1", chunkLeft === 0 ? 0 : 2, line), 16)
        pending = pending.subarray(line + 2)
        if (chunkLeft === 0) return
        continue
      }
      const piece = chunked ? pending.subarray(0, chunkLeft) : pending
      onBody(piece)
      pending = pending.subarray(piece.length)
      chunkLeft -= piece.length
      if (chunked && chunkLeft === 0) chunkLeft = -1 // CRLF before the next size
    }
  }
}

/** The value once it has not changed for 200 ms. */
async function steady(value: () => number): Promise<number> {
  for (;;) {
    const before = value()
    await new Promise((resolve) => setTimeout(resolve, 200))
    if (value() === before) return before
  }
}
