// An agent's process dies, or says that it will not serve: which requests are offered again, and what the client is told of
// those that are not (DESIGN, "what goes wrong").
import { describe, expect, test } from "vitest"
import { refusalOf, Stand } from "../support/stand.ts"

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
/** A body that does not end with its first part, so that it is streamed. */
const streamedPut = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"

test("an unsafe request whose OPEN never left is offered again", () => {
  const stand = new Stand()
  const { lease } = stand.leased(post)
  stand.agentsTake(1)
  lease.isLost("no")
  expect(stand.leases.map(({ ticket }) => ticket.attempt)).toEqual([1, 2])
})

test("an unsafe request that a dead agent had not announced is offered again, with its body", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(post)
  stand.agentsTake(1)
  lease.isLost("untaken")
  stand.lastLease.taken().answers()
  expect(stand.lastLease.ticket.body?.toString()).toBe("abc")
  expect(socket.text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s)
})

test("an unsafe request that a dead agent had announced is not run twice: 502 connection_terminated, perhaps forwarded", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(post)
  stand.agentsTake(1)
  lease.taken().isLost("untaken")
  expect(stand.leases).toHaveLength(1)
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "agent_lost", forwarded: "maybe" })
  expect(refusalOf(socket).proxyStatus).toContain("error=connection_terminated")
})

test("an unsafe request of which nobody knows whether it was begun is not run twice", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(post)
  stand.agentsTake(1)
  lease.isLost("maybe")
  expect(stand.leases).toHaveLength(1)
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "agent_lost", forwarded: "maybe" })
})

test("a TAKEN of an earlier attempt does not count for the next one", () => {
  const stand = new Stand()
  const { lease } = stand.leased(post)
  stand.agentsTake(2)
  lease.taken().isLost("no")
  stand.lastLease.isLost("untaken")
  expect(stand.leases).toHaveLength(3)
})

test.each(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])(
  "%s is offered again even when the dead agent may have begun it",
  (method) => {
    const stand = new Stand()
    const { lease } = stand.leased(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    stand.agentsTake(1)
    lease.taken().isLost("maybe")
    expect(stand.leases).toHaveLength(2)
  },
)

test.each(["POST", "PATCH", "LOCK", "MADEUP"])("%s is not offered again once it may have begun", (method) => {
  const stand = new Stand()
  const { lease } = stand.leased(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
  stand.agentsTake(1)
  lease.isLost("maybe")
  expect(stand.leases).toHaveLength(1)
})

test("an idempotent request is tried by three agents, and then its client is told", () => {
  const stand = new Stand()
  const { socket } = stand.leased(get)
  stand.agentsTake(5)
  stand.lastLease.isLost("maybe")
  stand.lastLease.isLost("maybe")
  stand.lastLease.isLost("maybe")
  expect(stand.leases).toHaveLength(3)
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "agent_lost", forwarded: "maybe" })
})

test("attempts that were never begun do not use up the three", () => {
  const stand = new Stand()
  const { lease } = stand.leased(get)
  stand.agentsTake(5)
  lease.isLost("no")
  stand.lastLease.isLost("no")
  stand.lastLease.isLost("no")
  stand.lastLease.isLost("maybe")
  expect(stand.leases).toHaveLength(5)
})

test("a body that has begun to stream cannot be repeated: 502, and perhaps forwarded", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(streamedPut)
  stand.agentsTake(1)
  lease.isLost("maybe")
  expect(stand.leases).toHaveLength(1)
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "agent_lost", forwarded: "maybe" })
})

test("a streamed body that certainly reached nobody is not said to be forwarded, and the client may try again", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(streamedPut)
  lease.isLost("no")
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "not_delivered", forwarded: "no" })
  expect(refusalOf(socket).answer.get("retry-after")).toBe("1")
})

test("a large body of which no byte has gone to an agent is offered again and then streamed whole", async () => {
  const stand = new Stand()
  const body = "x".repeat(100_000)
  const socket = stand.asks(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
  stand.agentsTake(1)
  stand.lastLease.isLost("maybe")
  stand.agentsTake(1)
  socket.send(body)
  await expect.poll(() => stand.lastLease.told).toContain('end ""')
  expect(stand.lastLease.body.toString()).toBe(body)
})

test("a response that has begun when the agent dies is broken off, never ended", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  lease.begins("HTTP/1.1 200 OK\r\nContent-Length: 10").sends("12345").isLost("maybe")
  expect(socket.wasReset).toBe(true)
  expect(socket.ended).toBe(false)
})

test("a chunked response that is broken off has no last chunk", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  lease.begins().sends("12345").isLost("maybe")
  expect(socket.text.endsWith("5\r\n12345\r\n")).toBe(true)
  expect(socket.wasReset).toBe(true)
})

test("what a lost agent still says is not heard", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  stand.agentsTake(1)
  const { sink } = lease
  sink?.onLost({ begun: "maybe" })
  stand.lastLease.answers("HTTP/1.1 200 OK\r\nContent-Length: 6", "second")
  sink?.onEnd("")
  sink?.onReset("internal")
  expect(socket.text).toMatch(/\r\n\r\nsecond$/)
  expect(socket.wasReset).toBe(false)
})

test.each(["agent_stopping", "agent_overloaded"] as const)(
  "an unsafe request that an agent hands back unbegun (%s) is offered again",
  (code) => {
    const stand = new Stand()
    const { lease } = stand.leased(post)
    stand.agentsTake(1)
    lease.breaksOff(code)
    expect(stand.leases).toHaveLength(2)
  },
)

describe("a WebSocket that an agent has no room for", () => {
  const asks =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
  const full = { status: 503, code: "upgrade_limit", forwarded: "no" }

  test("is offered to another one", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks)
    stand.agentsTake(1)
    lease.lastResort = false
    lease.breaksOff("upgrade_limit")
    expect([stand.leases.length, socket.text]).toEqual([2, ""])
  })

  test("is refused when all others have said so before", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks)
    stand.agentsTake(1)
    lease.lastResort = true
    lease.breaksOff("upgrade_limit")
    expect([stand.leases.length, refusalOf(socket)]).toEqual([1, expect.objectContaining(full)])
  })

  test("at another edge is offered three times", () => {
    const stand = new Stand()
    const { socket } = stand.leased(asks)
    stand.agentsTake(10)
    for (let round = 0; round < 3; round++) stand.lastLease.breaksOff("upgrade_limit")
    expect([stand.leases.length, refusalOf(socket)]).toEqual([3, expect.objectContaining(full)])
  })
})

test("an agent that hands everything back does not make the edge offer for ever", () => {
  const stand = new Stand()
  const { socket } = stand.leased(post)
  stand.agentsTake(1000)
  for (let round = 0; round < 1000 && !socket.text.startsWith("HTTP"); round++)
    stand.lastLease.breaksOff("agent_overloaded")
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "not_delivered", forwarded: "no" })
  // The attempt is one byte on the wire.
  expect(Math.max(...stand.leases.map(({ ticket }) => ticket.attempt))).toBeLessThan(256)
})

test("a request that waits again after an agent may have begun it is not said to be unforwarded", async () => {
  const stand = new Stand({ holdMs: 1 })
  const { socket, lease } = stand.leased(get)
  lease.isLost("maybe")
  await expect.poll(() => socket.text).not.toBe("")
  expect(refusalOf(socket)).toMatchObject({ status: 503, code: "no_agent", forwarded: "maybe" })
})

test("a second attempt that finds the upstream's door closed does not hide that the first may have been inside", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  stand.agentsTake(1)
  lease.isLost("maybe")
  stand.lastLease.breaksOff("upstream_refused")
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "upstream_refused", forwarded: "maybe" })
  expect(refusalOf(socket).proxyStatus).toContain('details="may have been forwarded"')
})

test("a request that is offered again has its whole hold before it", () => {
  let now = 1_000_000
  const stand = new Stand({ clock: { now: () => now }, holdMs: 30_000 })
  const { lease } = stand.leased(get)
  stand.agentsTake(1)
  now += 40_000
  lease.isLost("maybe")
  expect(stand.lastLease.ticket.deadlineAt).toBe(now + 30_000)
})

test("an exchange may be handed on while its agent is out of reach only when repeating it is safe", () => {
  const stand = new Stand()
  const repeatable = (request: string): boolean | undefined => stand.leased(request).lease.sink?.repeatable
  expect([repeatable(get), repeatable(post), repeatable(streamedPut)]).toEqual([true, false, false])
})

test("an exchange whose response has begun is not handed on", () => {
  const stand = new Stand()
  const { lease } = stand.leased(get)
  lease.begins()
  expect(lease.sink?.repeatable).toBe(false)
})
