// One client's connection: its requests one after the other, its answers in order, and its end.
import type { Http1Error, RequestHead } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { ClientConnection } from "../../src/ingress/client-connection.ts"
import type { RequestHandler } from "../../src/exchange/client.ts"
import { defaultPatience, type Patience } from "../../src/ingress/patience.ts"
import { FakeSocket } from "../support/fake-socket.ts"

/** What was told of one request, in order. */
class Serving implements RequestHandler {
  readonly head: RequestHead
  readonly told: string[] = []

  constructor(head: RequestHead) {
    this.head = head
  }

  onBody(bytes: Buffer): void {
    this.told.push(`body ${bytes.toString("latin1")}`)
  }

  onBodyEnd(trailers: string): void {
    this.told.push(`end ${JSON.stringify(trailers)}`)
  }

  onReadPaused(): void {
    this.told.push("paused")
  }

  onClientDrain(): void {
    this.told.push("drain")
  }

  onClientGone(): void {
    this.told.push("gone")
  }
}

class Connected {
  readonly socket = new FakeSocket()
  readonly serving: Serving[] = []
  readonly errors: string[] = []
  closed = 0
  readonly connection: ClientConnection
  /** Called with each request as it is handed over. */
  onRequest: (connection: ClientConnection) => void = () => {}

  constructor() {
    this.connection = new ClientConnection(this.socket.asSocket, {
      onRequest: (head, connection) => {
        const serving = new Serving(head)
        this.serving.push(serving)
        this.onRequest(connection)
        return serving
      },
      badRequest: (error: Http1Error) => {
        this.errors.push(error.code)
        return Buffer.from(`<${error.status}>`)
      },
      onClosed: () => this.closed++,
    })
  }

  get targets(): string[] {
    return this.serving.map(({ head }) => head.target)
  }

  answers(text: string, keepAlive = true): void {
    this.connection.write(Buffer.from(text))
    this.connection.finish(keepAlive)
  }
}

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
}

function post(body: string, length = body.length): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`
}

describe("requests one after the other", () => {
  test("a pipelined request is handed over when the one before is answered, and not earlier", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2"))
    const before = client.targets
    client.answers("<1>")
    expect([before, client.targets]).toEqual([["/1"], ["/1", "/2"]])
  })

  test("pipelined requests are answered in their order", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2") + get("/3"))
    for (const answer of ["<1>", "<2>", "<3>"]) client.answers(answer)
    expect([client.targets, client.socket.text]).toEqual([["/1", "/2", "/3"], "<1><2><3>"])
  })

  test("requests that are answered while they are handed over all get their answers", () => {
    const client = new Connected()
    client.onRequest = () => queueMicrotask(() => client.answers("<x>"))
    client.socket.send(get("/1"))
    client.socket.send(get("/2") + get("/3"))
    return expect.poll(() => client.socket.text).toBe("<x><x><x>")
  })

  test("a request in single bytes is one request", () => {
    const client = new Connected()
    for (const byte of post("body")) client.socket.send(byte)
    expect(client.serving[0]?.told.filter((said) => said !== "paused")).toEqual([
      "body b",
      "body o",
      "body d",
      "body y",
      'end ""',
    ])
  })

  test("a client that pipelines much is not read on until its answers have caught up", () => {
    const client = new Connected()
    client.socket.send(get("/").repeat(3000))
    const heldBefore = client.socket.held
    for (let answer = 0; answer < 2000; answer++) client.answers("<1>")
    expect([heldBefore, client.socket.held, client.targets.length]).toEqual([true, false, 2001])
  })

  test("a handler learns when all that arrived has been read and the request is not whole", () => {
    const client = new Connected()
    client.socket.send(post("ab", 4))
    client.socket.send("cd")
    expect(client.serving[0]?.told).toEqual(["body ab", "paused", "body cd", 'end ""'])
  })

  test("after an answer the connection closes when it must", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2"))
    client.answers("<1>", false)
    expect([client.socket.ended, client.targets]).toEqual([true, ["/1"]])
  })
})

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

describe("a request that is not valid HTTP", () => {
  test("is refused, and the connection ends", () => {
    const client = new Connected()
    client.socket.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    expect([client.socket.text, client.socket.ended, client.serving.length]).toEqual(["<400>", true, 0])
  })

  test("behind a valid one is refused after that one's answer", () => {
    const client = new Connected()
    client.socket.send(`${get("/1")}nonsense\r\n\r\n`)
    const before = client.socket.text
    client.answers("<200>")
    expect([before, client.socket.text, client.socket.ended]).toEqual(["", "<200><400>", true])
  })

  test("makes no request of what follows", () => {
    const client = new Connected()
    client.socket.send(`nonsense\r\n\r\n${get("/smuggled")}`)
    client.socket.send(get("/smuggled"))
    expect(client.serving).toEqual([])
  })

  test("in the middle of its body ends what was begun, and is refused", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    expect([client.serving[0]?.told, client.socket.text]).toEqual([["gone"], "<400>"])
  })

  test("in the middle of its body, with the answer begun, breaks the connection instead of writing a second answer", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    client.connection.write(Buffer.from("<200 begun>"))
    client.socket.send("zz\r\n")
    expect([client.socket.text, client.socket.wasReset]).toEqual(["<200 begun>", true])
  })

  test("in the middle of its body is refused although an informational answer went before", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    client.connection.client.goOn()
    client.socket.send("zz\r\n")
    expect(client.socket.text).toBe("HTTP/1.1 100 Continue\r\n\r\n<400>")
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

describe("a connection that is taken over", () => {
  function takenOver(sent: string): { readonly client: Connected; readonly rest: () => string | undefined } {
    const client = new Connected()
    let rest: string | undefined
    client.onRequest = (connection) => connection.takeOver((bytes) => (rest = bytes.toString("latin1")))
    client.socket.send(sent)
    return { client, rest: () => rest }
  }

  test("hands on what followed the head", () => {
    expect(takenOver(`${get("/")}the rest`).rest()).toBe("the rest")
  })

  test("is not listened to any more", () => {
    const { client } = takenOver(get("/"))
    expect(["data", "end", "drain", "close"].map((event) => client.socket.listenerCount(event))).toEqual([
      0, 0, 0, 0,
    ])
  })

  test("is not kept among the connections", () => {
    expect(takenOver(get("/")).client.closed).toBe(1)
  })
})

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
