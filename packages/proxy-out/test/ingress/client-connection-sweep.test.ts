// What a sweep finds at one client's connection: what it does, and for how long nothing worth waiting for has come.
import { describe, expect, test } from "vitest"
import { defaultPatience, type Patience } from "../../src/ingress/patience.ts"
import { Connected, get, post } from "../support/connected.ts"

describe("a sweep", () => {
  const patience = { ...defaultPatience, minBytesPerSecond: 16, minStreamBytesPerSecond: 0 }
  const sweep = (client: Connected, asked: Patience = patience): { phase: string; quiet: number } =>
    client.connection.sweep(asked, 1000)

  /** Sweeps until the connection has been quiet for that many sweeps; between two of them `during` happens. */
  function quietAfter(
    client: Connected,
    sweeps: number,
    during: (sweep: number) => void = () => {},
    asked: Patience = patience,
  ): { phase: string; quiet: number } {
    let found = sweep(client, asked)
    for (let at = 1; at < sweeps; at++) {
      during(at)
      found = sweep(client, asked)
    }
    return found
  }

  test("counts how long a connection is idle", () => {
    expect(quietAfter(new Connected(), 11)).toEqual({ phase: "idle", quiet: 10 })
  })

  test("counts the whole time that a head takes, although a byte comes now and then", () => {
    const client = new Connected()
    client.socket.send("GET / HTTP/1.1\r\n")
    expect(quietAfter(client, 11, () => client.socket.send("X-A: b\r\n"))).toEqual({
      phase: "head",
      quiet: 10,
    })
  })

  test("counts only the pauses of a body", () => {
    const client = new Connected()
    client.socket.send(post("", 1000))
    const moving = quietAfter(client, 11, () => client.socket.send("x".repeat(16)))
    expect([moving, quietAfter(client, 10)]).toEqual([
      { phase: "body", quiet: 0 },
      { phase: "body", quiet: 10 },
    ])
  })

  test("counts the whole time in which a body that has a length drips", () => {
    const client = new Connected()
    client.socket.send(post("", 1000))
    expect(quietAfter(client, 11, () => client.socket.send("x".repeat(15)))).toEqual({
      phase: "body",
      quiet: 10,
    })
  })

  test("forgives a pause that the body makes up for", () => {
    const client = new Connected()
    client.socket.send(post("", 1000))
    const late = quietAfter(client, 11, (at) => {
      if (at === 10) client.socket.send("x".repeat(160))
    })
    expect(late).toEqual({ phase: "body", quiet: 0 })
  })

  test("does not let a fast beginning pay for a body that drips later", () => {
    const client = new Connected()
    client.socket.send(post("", 100_000))
    quietAfter(client, 2, () => client.socket.send("x".repeat(50_000)))
    expect(quietAfter(client, 10, () => client.socket.send("x"))).toEqual({ phase: "body", quiet: 10 })
  })

  test("lets a body without a length drip as long as it likes", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    expect(quietAfter(client, 11, () => client.socket.send("1\r\nx\r\n"))).toEqual({
      phase: "body",
      quiet: 0,
    })
  })

  test("counts while a body without a length drips, where a pace is asked of it", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    const asked = { ...patience, minStreamBytesPerSecond: 16 }
    expect(quietAfter(client, 11, () => client.socket.send("1\r\nx\r\n"), asked)).toEqual({
      phase: "body",
      quiet: 10,
    })
  })

  test("is content with any byte of a body where no pace is asked for", () => {
    const client = new Connected()
    client.socket.send(post("", 1000))
    const asked = { ...patience, minBytesPerSecond: 0 }
    expect(quietAfter(client, 11, () => client.socket.send("x"), asked)).toEqual({ phase: "body", quiet: 0 })
  })

  test("does not count while it is we who hold the client back", () => {
    const client = new Connected()
    client.socket.send(post("", 1000))
    client.connection.pauseBody()
    expect(quietAfter(client, 11)).toEqual({ phase: "body", quiet: 0 })
  })

  test("does not count while the client waits for its answer", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    expect(quietAfter(client, 11)).toEqual({ phase: "response", quiet: 0 })
  })

  test("counts while a client takes nothing of its answer", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.stall()
    client.connection.write(Buffer.alloc(1000))
    expect(quietAfter(client, 11)).toEqual({ phase: "response", quiet: 10 })
  })

  test("does not count while a client takes its answer slowly", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.stall()
    client.connection.write(Buffer.alloc(1000))
    expect(quietAfter(client, 11, () => client.socket.take(16))).toEqual({ phase: "response", quiet: 0 })
  })

  test("counts while a client takes its answer byte by byte", () => {
    const client = new Connected()
    client.socket.send(get("/"))
    client.socket.stall()
    client.connection.write(Buffer.alloc(1000))
    expect(quietAfter(client, 11, () => client.socket.take(1))).toEqual({ phase: "response", quiet: 10 })
  })

  test("does not count an idle connection that was used in between", () => {
    const client = new Connected()
    const used = quietAfter(client, 11, () => {
      client.socket.send(get("/"))
      client.connection.finish(true)
    })
    expect(used).toEqual({ phase: "idle", quiet: 0 })
  })

  test("begins to count anew with the next request", () => {
    const client = new Connected()
    quietAfter(client, 11)
    client.socket.send("G")
    expect(sweep(client)).toEqual({ phase: "head", quiet: 0 })
  })
})
