// A request's body on its way to the agent: inline while it is small and whole, else streamed under credit, and the client
// held back while it has nowhere to go.
import { wireLimits } from "@restante/protocol"
import { expect, test } from "vitest"
import { answersIn, onlyAnswerIn } from "../support/answers.ts"
import { Stand } from "../support/stand.ts"

const inlineBytes = 64 * 1024

function post(body: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const chunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

test("a small body rides inside the ticket, whatever its bytes are", () => {
  const stand = new Stand()
  const body = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)).toString("latin1")
  const { lease } = stand.leased(post(body))
  expect(lease.ticket.bodyFollows).toBe(false)
  expect(lease.ticket.body?.toString("latin1")).toBe(body)
})

test("a small body in pieces is collected before the request is offered", () => {
  const stand = new Stand()
  stand.agentsTake(1)
  const socket = stand.asks("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
  const before = stand.leases.length
  socket.send("def")
  expect([before, stand.lastLease.ticket.body?.toString()]).toEqual([0, "abcdef"])
})

test("a body of 64 KiB still rides inside, one byte more is streamed", () => {
  const stand = new Stand()
  const follows = [inlineBytes, inlineBytes + 1].map(
    (bytes) => stand.leased(post("x".repeat(bytes))).lease.ticket.bodyFollows,
  )
  expect(follows).toEqual([false, true])
})

test("a request without a body has none, and one with an empty body has an empty one", () => {
  const stand = new Stand()
  const none = stand.leased("POST / HTTP/1.1\r\nHost: a\r\n\r\n").lease.ticket
  const empty = stand.leased(post("")).lease.ticket
  expect([none.body, none.head.includes("Content-Length")]).toEqual([undefined, false])
  expect([empty.bodyFollows, empty.head.includes("Content-Length: 0\r\n")]).toEqual([false, true])
})

test("a chunked body that is whole at once rides inside", () => {
  const stand = new Stand()
  const { lease } = stand.leased(`${chunkedHead}3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`)
  expect([lease.ticket.bodyFollows, lease.ticket.body?.toString()]).toEqual([false, "abcde"])
})

test("a chunked body that goes on is streamed as it comes", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(`${chunkedHead}3\r\nabc\r\n`)
  socket.send("2\r\nde\r\n")
  socket.send("0\r\n\r\n")
  expect(lease.told).toEqual(["data 3", "data 2", 'end ""'])
})

test("trailers reach the agent", () => {
  const stand = new Stand()
  const { lease } = stand.leased(`${chunkedHead}3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n`)
  expect(lease.told).toEqual(["data 3", `end ${JSON.stringify("X-Sum: 1\r\nX-Sum: 2\r\n")}`])
})

test("a chunked body without any byte is still a body", () => {
  const stand = new Stand()
  const { lease } = stand.leased(`${chunkedHead}0\r\n\r\n`)
  expect([lease.ticket.bodyFollows, ...lease.told]).toEqual([true, 'end ""'])
})

test("a client with a large body is held back until an agent takes the request", () => {
  const stand = new Stand()
  const socket = stand.asks("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
  const heldBefore = socket.held
  stand.agentsTake(1)
  expect([heldBefore, socket.held]).toEqual([true, false])
})

test("no more is sent than the agent has given credit for", () => {
  const stand = new Stand()
  const { lease } = stand.leased(post("x".repeat(600_000)))
  expect(lease.body.length).toBe(wireLimits.initialWindowBytes)
})

test("a client is held back while the credit is used up, and reads on with the next", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\n\r\n${"x".repeat(300_000)}`,
  )
  const heldBefore = socket.held
  lease.sink?.onWindow(100_000)
  expect([heldBefore, socket.held, lease.body.length]).toEqual([true, false, 300_000])
})

test("a small grant is used to the byte", () => {
  const stand = new Stand()
  const { lease } = stand.leased(post("x".repeat(600_000)))
  lease.sink?.onWindow(10)
  expect(lease.body.length).toBe(wireLimits.initialWindowBytes + 10)
})

test("with all the credit it needs a large body arrives whole and in order", async () => {
  const stand = new Stand()
  const body = Array.from({ length: 100_000 }, (_, index) => String(index)).join(",")
  const { lease } = stand.leased(post(body))
  lease.sink?.onWindow(body.length)
  await expect.poll(() => lease.told.at(-1)).toBe('end ""')
  expect(lease.body.toString()).toBe(body)
})

test("nothing is sent into a congested session; it goes on where it stopped", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(`${chunkedHead}3\r\nabc\r\n`)
  lease.congested = true
  socket.send("3\r\ndef\r\n")
  const during = lease.body.toString()
  lease.congested = false
  lease.sink?.onWritable()
  expect([during, lease.body.toString()]).toEqual(["abc", "abcdef"])
})

test("a client that asks whether to send its body is told to go on once the request is admitted", () => {
  const stand = new Stand()
  const socket = stand.asks("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
  expect(socket.text).toBe("HTTP/1.1 100 Continue\r\n\r\n")
})

test("the upstream is not asked again whether the body may come", () => {
  const stand = new Stand()
  const { lease } = stand.leased(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
  )
  expect(lease.ticket.head.toLowerCase()).not.toContain("expect")
})

test("an answer before the body's end tells the agent that no more will come", () => {
  const stand = new Stand()
  const { lease } = stand.leased(`${chunkedHead}3\r\nabc\r\n`)
  lease.answers("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2")
  expect(lease.told).toEqual(["data 3", "reset cancelled"])
})

test("an answer before the body's end reaches the client although it still sends", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(`${chunkedHead}3\r\nabc\r\n`)
  lease.answers("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2")
  socket.send("3\r\ndef\r\n")
  expect([onlyAnswerIn(socket.text).status, socket.wasReset, socket.destroyed]).toEqual([413, false, false])
})

test("a body that breaks the framing in the middle is refused and cancelled at the agent", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(`${chunkedHead}3\r\nabc\r\n`)
  socket.send("not a chunk\r\n")
  expect(lease.resets).toEqual(["reset cancelled"])
  expect(answersIn(socket.text).map(({ status }) => status)).toEqual([400])
})
