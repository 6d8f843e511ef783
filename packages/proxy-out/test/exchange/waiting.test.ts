// Requests that wait for an agent: how long, how many, and what is left of them when their client leaves or the edge stops.
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { answersIn, onlyAnswerIn } from "../support/answers.ts"
import { refusalOf, Stand } from "../support/stand.ts"

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
})

afterEach(() => {
  vi.useRealTimers()
})

test("without an agent a request is held for the whole hold and not a millisecond less", () => {
  const stand = new Stand({ holdMs: 30_000 })
  const socket = stand.asks(get)
  vi.advanceTimersByTime(29_999)
  expect(socket.text).toBe("")
})

test("when the hold ends the client is told 503 destination_unavailable and when to try again", () => {
  const stand = new Stand({ holdMs: 30_000 })
  const socket = stand.asks(get)
  vi.advanceTimersByTime(30_000)
  expect(refusalOf(socket)).toMatchObject({ status: 503, code: "no_agent", forwarded: "no" })
  expect(refusalOf(socket).proxyStatus).toContain("error=destination_unavailable")
  expect(refusalOf(socket).answer.get("retry-after")).toMatch(/^\d+$/)
})

test("a request whose hold has ended is gone from the queue", () => {
  const stand = new Stand({ holdMs: 30_000 })
  stand.asks(get)
  vi.advanceTimersByTime(30_000)
  stand.agentsTake(1)
  expect([stand.leases.length, stand.broker.depth(), stand.exchanges.live]).toEqual([0, 0, 0])
})

test("an agent that comes in time gets what waited, in the order in which it came", () => {
  const stand = new Stand()
  for (const path of ["/1", "/2", "/3"]) stand.asks(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  vi.advanceTimersByTime(10_000)
  stand.agentsTake(3)
  expect(stand.leases.map(({ ticket }) => ticket.head.split(" ")[1])).toEqual(["/1", "/2", "/3"])
})

test("what an agent has taken is not subject to the hold any more", () => {
  const stand = new Stand({ holdMs: 30_000, timeoutMs: 600_000 })
  const { socket } = stand.leased(get)
  vi.advanceTimersByTime(60_000)
  expect(socket.text).toBe("")
})

test("the request past the most that may wait is refused at once: 503 connection_limit_reached, try again", () => {
  const stand = new Stand({ maxQueue: 2 })
  stand.asks(get)
  stand.asks(get)
  const socket = stand.asks(get)
  expect(refusalOf(socket)).toMatchObject({ status: 503, code: "queue_full", forwarded: "no" })
  expect(refusalOf(socket).proxyStatus).toContain("error=connection_limit_reached")
  expect(refusalOf(socket).answer.get("retry-after")).toMatch(/^\d+$/)
})

test("a request that is refused because the queue is full does not harm those that wait", () => {
  const stand = new Stand({ maxQueue: 2 })
  const waiting = [stand.asks(get), stand.asks(get)]
  stand.asks(get)
  stand.agentsTake(2)
  for (const lease of stand.leases) lease.answers()
  expect(waiting.map((socket) => onlyAnswerIn(socket.text).status)).toEqual([200, 200])
})

test("a request that is being served leaves its place in the queue to another", () => {
  const stand = new Stand({ maxQueue: 1 })
  stand.leased(get)
  const socket = stand.asks(get)
  expect(socket.text).toBe("")
})

test("a client whose body is announced is refused before it sends it", async () => {
  const stand = new Stand({ maxQueue: 1 })
  stand.asks(get)
  const socket = stand.asks(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
  )
  await Promise.resolve()
  expect(answersIn(socket.text).map(({ status }) => status)).toEqual([503])
  expect(socket.ended).toBe(true)
})

test("a client that leaves takes its request out of the queue", () => {
  const stand = new Stand()
  const socket = stand.asks(get)
  socket.emit("close")
  expect([stand.broker.depth(), stand.exchanges.live, stand.exchanges.waiting]).toEqual([0, 0, 0])
})

test("a client that closes its side only has left as well, when no answer comes soon", () => {
  vi.useFakeTimers()
  const stand = new Stand()
  const socket = stand.asks(get)
  socket.halfClose()
  vi.advanceTimersByTime(1000)
  vi.useRealTimers()
  expect([stand.broker.depth(), socket.destroyed]).toEqual([0, true])
})

test("a client that leaves while the upstream works cancels at the agent", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  socket.emit("close")
  expect(lease.told).toEqual(["reset cancelled"])
})

test("a client that leaves in the middle of its answer cancels at the agent", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  lease.begins().sends("part")
  socket.emit("close")
  expect(lease.told).toEqual(["reset cancelled"])
})

test("a client that leaves in the middle of its body cancels at the agent", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
  )
  socket.emit("close")
  expect(lease.told).toEqual(["data 3", "reset cancelled"])
})

test("a client that leaves before its small body is whole leaves nothing behind", () => {
  const stand = new Stand()
  stand.agentsTake(1)
  const socket = stand.asks("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
  socket.emit("close")
  expect([stand.leases.length, stand.exchanges.live]).toEqual([0, 0])
})

test("an edge that stops gives up what waits, says so, and asks to try again", async () => {
  const stand = new Stand()
  const socket = stand.asks(get)
  stand.exchanges.refuseNew()
  await stand.exchanges.drain(30_000)
  expect(refusalOf(socket)).toMatchObject({ status: 503, code: "edge_stopping", forwarded: "no" })
  expect(refusalOf(socket).answer.get("retry-after")).toMatch(/^\d+$/)
})

test("an edge that stops refuses new requests", () => {
  const stand = new Stand()
  stand.agentsTake(1)
  stand.exchanges.refuseNew()
  expect(refusalOf(stand.asks(get))).toMatchObject({ status: 503, code: "edge_stopping" })
})

test("an edge that stops answers a request whose body is still arriving", async () => {
  const stand = new Stand()
  const socket = stand.asks("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
  stand.exchanges.refuseNew()
  await stand.exchanges.drain(30_000)
  expect(refusalOf(socket)).toMatchObject({ status: 503, code: "edge_stopping", forwarded: "no" })
})

test("an edge that stops waits for what runs", async () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  stand.exchanges.refuseNew()
  const drained = stand.exchanges.drain(30_000)
  vi.advanceTimersByTime(29_000)
  lease.answers()
  await drained
  expect(onlyAnswerIn(socket.text).body).toBe("ok")
})

test("an edge that has waited long enough breaks off what still runs, and says so", async () => {
  const stand = new Stand({ timeoutMs: 600_000 })
  const { socket } = stand.leased(get)
  stand.exchanges.refuseNew()
  const drained = stand.exchanges.drain(30_000)
  vi.advanceTimersByTime(30_000)
  await drained
  expect(refusalOf(socket)).toMatchObject({ status: 502, code: "agent_lost", forwarded: "maybe" })
})
