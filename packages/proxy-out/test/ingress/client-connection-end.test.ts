// How one client's connection ends: behind an answer, by the client, or because we want it to.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Connected, get, post } from "../support/connected.ts"

describe("an answer before the request's end", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  function answeredEarly(): Connected {
    const client = new Connected()
    client.socket.send(post("ab", 100_000_000))
    client.answers("<413>")
    return client
  }

  test("is followed by the end of our side", () => {
    const client = answeredEarly()
    expect([client.socket.text, client.socket.ended]).toEqual(["<413>", true])
  })

  test("can be read by a client that goes on sending: what it sends is dropped, the connection is not broken", () => {
    const client = answeredEarly()
    client.socket.send("x".repeat(1_000_000))
    expect([client.socket.destroyed, client.serving[0]?.told]).toEqual([false, ["body ab", "paused"]])
  })

  test("does not make us read without end", () => {
    const client = answeredEarly()
    for (let megabyte = 0; megabyte < 16; megabyte++) client.socket.send(Buffer.alloc(1024 * 1024))
    expect(client.socket.destroyed).toBe(true)
  })

  test("does not keep the connection for long", () => {
    const client = answeredEarly()
    vi.advanceTimersByTime(2000)
    expect(client.socket.destroyed).toBe(true)
  })

  test("makes no request of what follows", () => {
    const client = answeredEarly()
    client.socket.send(get("/smuggled"))
    expect(client.targets).toEqual(["/"])
  })
})

describe("a client that closes its side behind a whole request", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test("gets an answer that comes soon, and then the end", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.halfClose()
    vi.advanceTimersByTime(400)
    client.answers("<1>")
    expect([client.socket.text, client.socket.ended, client.serving[0]?.told]).toEqual([
      "<1>",
      true,
      ['end ""'],
    ])
  })

  test("has left when nothing comes within a second", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.halfClose()
    vi.advanceTimersByTime(999)
    expect([client.serving[0]?.told.at(-1), client.socket.destroyed]).toEqual(["gone", true])
  })

  test("gets an answer that goes on for long", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.halfClose()
    for (let count = 0; count < 20; count++) {
      client.connection.write(Buffer.from("."))
      vi.advanceTimersByTime(500)
    }
    expect([client.serving[0]?.told, client.socket.destroyed]).toEqual([['end ""'], false])
  })

  test("is not given up while it has bytes to take", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.stall()
    client.connection.write(Buffer.from("."))
    client.socket.halfClose()
    vi.advanceTimersByTime(10_000)
    expect(client.socket.destroyed).toBe(false)
  })

  test("gets the answers to all requests that it had sent, in order", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2"))
    client.socket.halfClose()
    client.answers("<1>")
    client.answers("<2>")
    expect([client.targets, client.socket.text, client.socket.ended]).toEqual([["/1", "/2"], "<1><2>", true])
  })
})

describe("a client that leaves", () => {
  test("is reported to the handler of its running request, once", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.emit("close")
    client.socket.emit("close")
    expect(client.serving[0]?.told).toEqual(['end ""', "gone"])
  })

  test("in the middle of its request, by closing its side, is not waited for", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
    client.socket.halfClose()
    expect([client.serving[0]?.told.at(-1), client.socket.destroyed]).toEqual(["gone", true])
  })

  test("is not reported to a handler whose answer is whole", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.answers("<1>")
    client.socket.emit("close")
    expect(client.serving[0]?.told).toEqual(['end ""'])
  })

  test("between requests gets a polite end", () => {
    const client = new Connected()
    client.socket.halfClose()
    expect([client.socket.ended, client.socket.wasReset]).toEqual([true, false])
  })

  test("is reported to whoever keeps the connections, once", async () => {
    const client = new Connected()
    client.socket.destroy()
    await Promise.resolve()
    expect(client.closed).toBe(1)
  })
})

describe("a connection that is to close", () => {
  test("closes at once when it is idle", () => {
    const client = new Connected()
    client.connection.close()
    expect(client.socket.destroyed).toBe(true)
  })

  test("closes after the running answer and begins no other request", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2"))
    client.connection.close()
    const before = client.socket.destroyed
    client.answers("<1>")
    expect([before, client.socket.text, client.socket.ended, client.targets]).toEqual([
      false,
      "<1>",
      true,
      ["/1"],
    ])
  })
})
