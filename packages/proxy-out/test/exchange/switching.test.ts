// A client that asks for another protocol: what the agent is given, what of its answer is believed, and raw bytes after a 101.
import { openKind, wireLimits } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { answersIn } from "../support/answers.ts"
import { FakeSocket } from "../support/fake-socket.ts"
import { Lease, refusalOf, Stand } from "../support/stand.ts"
import { turns } from "../../../../test/support/turns.ts"

const asks = (protocols = "websocket", ...fields: string[]): string =>
  `${["GET /chat HTTP/1.1", "Host: a", "Connection: Upgrade", `Upgrade: ${protocols}`, ...fields].join("\r\n")}\r\n\r\n`
const switching = (protocols = "websocket"): string =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocols}`

/** A client whose connection has switched. */
function switched(protocols?: string): {
  readonly stand: Stand
  readonly socket: FakeSocket
  readonly lease: Lease
  /** What the client got after the head. */
  readonly raw: () => string
} {
  const stand = new Stand()
  const { socket, lease } = stand.leased(asks(protocols))
  lease.taken().begins(switching(protocols))
  const headBytes = socket.text.indexOf("\r\n\r\n") + 4
  return { stand, socket, lease, raw: () => socket.text.slice(headBytes) }
}

describe("the request", () => {
  test("goes as a stream of kind upgrade, with what was offered, and counts as not idempotent", () => {
    const stand = new Stand()
    const { lease } = stand.leased(asks("h2c, WebSocket", "Sec-WebSocket-Key: x"))
    expect(lease.ticket).toMatchObject({ kind: openKind.upgrade, idempotent: false, bodyFollows: true })
    expect(lease.ticket.head).toContain("\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n")
    expect(lease.ticket.head).toContain("\r\nSec-WebSocket-Key: x\r\n")
  })

  test.each([
    ["offers only h2c", asks("h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")],
    ["is of HTTP/1.0", asks().replace("HTTP/1.1", "HTTP/1.0")],
    ["does not nominate Upgrade", asks().replace("Connection: Upgrade\r\n", "")],
  ])("that %s is an ordinary one without Upgrade", (_, text) => {
    const stand = new Stand()
    const { lease } = stand.leased(text)
    expect(lease.ticket.kind).toBe(openKind.http)
    expect(lease.ticket.head).not.toMatch(/^(?:upgrade|connection):/im)
  })

  test("that has a body is an ordinary one, with its body", () => {
    const stand = new Stand()
    const { lease } = stand.leased(`${asks("websocket", "Content-Length: 3")}abc`)
    expect(lease.ticket).toMatchObject({ kind: openKind.http, body: Buffer.from("abc") })
  })

  test("that an agent had not begun is offered again, with all that the client said early", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(`${asks()}early`)
    stand.agentsTake(1)
    lease.isLost("untaken")
    stand.lastLease.taken().begins(switching())
    expect([stand.leases.length, stand.lastLease.body.toString(), socket.wasReset]).toEqual([
      2,
      "early",
      false,
    ])
  })

  test("that an agent may have begun is not run twice", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks())
    stand.agentsTake(1)
    lease.taken().isLost("untaken")
    expect(stand.leases).toHaveLength(1)
    expect(refusalOf(socket)).toMatchObject({ status: 502, code: "agent_lost", forwarded: "maybe" })
  })
})

describe("the answer", () => {
  test("101 reaches the client with the protocol, the upstream's fields and no framing", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks())
    lease.taken().begins(`${switching()}\r\nSec-WebSocket-Accept: y\r\nContent-Length: 0`)
    const [head = ""] = socket.text.split("\r\n\r\n")
    expect(head.split("\r\n").toSorted()).toEqual([
      "Connection: Upgrade",
      "Date: Sun, 06 Nov 1994 08:49:37 GMT",
      "HTTP/1.1 101 Switching Protocols",
      "Sec-WebSocket-Accept: y",
      "Upgrade: websocket",
      "Via: 1.1 restante-edge-a",
    ])
  })

  test("to what was not offered is 502 http_upgrade_failed, and the agent is told", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks())
    lease.taken().begins(switching("secret"))
    expect(refusalOf(socket)).toMatchObject({ status: 502, code: "upgrade_failed" })
    expect(refusalOf(socket).proxyStatus).toContain("error=http_upgrade_failed")
    expect(lease.resets).toEqual(["reset upgrade_failed"])
  })

  test("101 that nobody asked for is 502 http_protocol_error", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    lease.begins(switching())
    expect(refusalOf(socket)).toMatchObject({ status: 502, code: "upstream_protocol" })
  })

  test("other than 101 is an ordinary one, the agent hears that no body comes, and the early bytes are the next request", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(`${asks()}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`)
    stand.agentsTake(1)
    lease.answers("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2")
    expect(lease.told).toEqual(['end ""'])
    expect(stand.lastLease.ticket.head).toMatch(/^GET \/next /)
    stand.lastLease.answers()
    expect(answersIn(socket.text).map(({ status }) => status)).toEqual([426, 200])
  })

  test("other than 101 may have a body of any length", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks())
    lease.begins("HTTP/1.1 200 OK").sends("abc").ends("X-Sum: 1\r\n")
    expect(socket.text).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/)
  })

  test("that does not come in time is 504", async () => {
    const stand = new Stand({ timeoutMs: 30 })
    const { socket } = stand.leased(asks())
    await expect.poll(() => socket.text).toMatch(/^HTTP\/1\.1 504 /)
  })

  test("that has switched has no deadline any more", async () => {
    const stand = new Stand({ timeoutMs: 30 })
    const { socket, lease } = stand.leased(asks())
    lease.begins(switching())
    const other = stand.leased("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await expect.poll(() => other.socket.text).toMatch(/^HTTP\/1\.1 504 /)
    expect(socket.destroyed).toBe(false)
  })
})

describe("after the 101", () => {
  test("bytes go both ways as they are", () => {
    const { socket, lease, raw } = switched()
    socket.send("\x00\xffGET / HTTP/9\r\n\r\n")
    lease.sends("\x81\x02hi")
    expect([lease.body.toString("latin1"), raw()]).toEqual(["\x00\xffGET / HTTP/9\r\n\r\n", "\x81\x02hi"])
  })

  test("what the client said early comes first, in order", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(`${asks()}one,`)
    socket.send("two,")
    const before = lease.body.length
    lease.begins(switching())
    socket.send("three")
    expect([before, lease.body.toString()]).toEqual([0, "one,two,three"])
  })

  test("a client that says too much early is not read on until then", async () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(asks())
    socket.send(Buffer.alloc(70_000, "x"))
    const heldBefore = socket.held
    lease.begins(switching())
    await turns(2)
    expect([heldBefore, socket.held, lease.body.length]).toEqual([true, false, 70_000])
  })

  test("the client's end is END, and the agent still reaches it", () => {
    const { socket, lease, raw } = switched("any")
    socket.send("last")
    socket.halfClose()
    lease.sends("still")
    expect([lease.told, raw(), socket.destroyed]).toEqual([["data 4", 'end ""'], "still", false])
  })

  test("the agent's END ends our side alone, and the client still reaches the agent", () => {
    const { socket, lease } = switched("any")
    lease.ends()
    socket.send("still")
    expect([socket.ended, socket.destroyed, lease.body.toString()]).toEqual([true, false, "still"])
  })

  test.each(["client", "agent"])("it is over with the second end, when the %s ends first", (first) => {
    const { stand, socket, lease } = switched("any")
    if (first === "client") socket.halfClose()
    lease.ends()
    if (first === "agent") socket.halfClose()
    expect([stand.exchanges.live, stand.exchanges.counts.answered, lease.resets]).toEqual([0, 1, []])
  })

  test("a client that had ended its side before is ended towards the agent behind its early bytes", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(`${asks()}early`)
    socket.halfClose()
    lease.begins(switching())
    expect(lease.told).toEqual(["data 5", 'end ""'])
  })

  test("a client that breaks off is a reset for the agent", async () => {
    const { stand, socket, lease } = switched()
    socket.resetAndDestroy()
    await turns(1)
    expect([lease.resets, stand.exchanges.live]).toEqual([["reset cancelled"], 0])
  })

  test("an agent's reset is a reset for the client", () => {
    const { socket, lease } = switched()
    lease.breaksOff("upstream_incomplete")
    expect(socket.wasReset).toBe(true)
  })

  test("an agent that is lost is a reset for the client, and nothing is offered again", () => {
    const { stand, socket, lease } = switched()
    stand.agentsTake(1)
    lease.isLost("no")
    expect([socket.wasReset, stand.leases.length]).toEqual([true, 1])
  })

  test("the client is held back when the agent gives no more credit, and goes on with it", async () => {
    const { socket, lease } = switched("any")
    socket.send(Buffer.alloc(wireLimits.initialWindowBytes + 1000))
    const before = [lease.body.length, socket.held]
    lease.sink?.onWindow(5000)
    await turns(1)
    expect(before).toEqual([wireLimits.initialWindowBytes, true])
    expect([lease.body.length, socket.held]).toEqual([wireLimits.initialWindowBytes + 1000, false])
  })

  test("the agent soon gets no more credit when the client does not read, and gets it back when it does", () => {
    const { socket, lease } = switched("any")
    const piece = Buffer.alloc(32_768)
    socket.stall()
    let sentBytes = 0
    while (sentBytes + piece.length <= wireLimits.initialWindowBytes + lease.creditBytes && sentBytes < 1e8) {
      lease.sends(piece)
      sentBytes += piece.length
    }
    const before = lease.creditBytes
    socket.take()
    expect(sentBytes).toBeLessThan(4 * wireLimits.initialWindowBytes)
    expect(lease.creditBytes).toBeGreaterThan(before)
  })

  test("more than the credit breaks the client off", () => {
    const { socket, lease } = switched("any")
    socket.stall()
    lease.sends(Buffer.alloc(wireLimits.maxWindowBytes * 2))
    expect([socket.wasReset, lease.resets]).toEqual([true, ["reset internal"]])
  })
})

describe("when the edge stops", () => {
  test("a WebSocket's client and server get a Close with 1001, and it ends with their ends", async () => {
    const { stand, socket, lease, raw } = switched()
    stand.exchanges.refuseNew()
    const drained = stand.exchanges.drain(30_000)
    expect([raw(), socket.ended]).toEqual(["\x88\x02\x03\xe9", true])
    expect(lease.body.subarray(0, 2)).toEqual(Buffer.from([0x88, 0x82]))
    expect(lease.told).toEqual(["data 8", 'end ""'])
    socket.send("\x88\x80\x00\x00\x00\x00")
    socket.halfClose()
    lease.sends("\x88\x02\x03\xe9").ends()
    await drained
    expect(socket.wasReset).toBe(false)
  })

  test("a frame that is under way is finished first", () => {
    const { stand, lease, raw } = switched()
    lease.sends("\x81\x05he")
    void stand.exchanges.drain(30_000)
    const before = raw()
    lease.sends("llo\x81\x01x")
    expect([before, raw()]).toEqual(["\x81\x05he", "\x81\x05hello\x88\x02\x03\xe9"])
  })

  test("what is in another protocol goes on, and is reset when the time is over", async () => {
    const { stand, socket, raw } = switched("any")
    const drained = stand.exchanges.drain(20)
    const before = [raw(), socket.wasReset]
    await drained
    expect([before, socket.wasReset]).toEqual([["", false], true])
  })
})
