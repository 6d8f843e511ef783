// The public port: what it refuses, how long it waits for a client, and whom it gives a request to.
import net from "node:net"
import { once } from "node:events"
import type { RequestHead } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { RequestHandler } from "../../src/exchange/client.ts"
import type { ClientConnection } from "../../src/ingress/client-connection.ts"
import { Ingress } from "../../src/ingress/ingress.ts"
import { answersIn } from "../support/answers.ts"
import { quietLog } from "../support/log.ts"
import { parseList } from "../support/structured-fields.ts"
import { turns, turnsUntil } from "../../../../test/support/turns.ts"

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
/** More than the system's buffers hold. */
const large = Buffer.alloc(32 * 1024 * 1024, "x")
const ok = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

/** An ingress whose tunnels answer every request when it is whole, but those for /never. */
class Door implements AsyncDisposable {
  readonly accepted: string[] = []
  readonly attached: string[] = []
  readonly gone: string[] = []
  port = 0
  readonly ingress = new Ingress({
    host: "127.0.0.1",
    port: 0,
    log: quietLog,
    dateLine: () => "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    accept: (head, connection) => {
      this.accepted.push(`${head.method} ${head.target}`)
      return this.#handler(head, connection)
    },
    acceptHttp2: () => {
      throw new Error("no HTTP/2 here")
    },
    attach: (head, connection) => {
      this.attached.push(head.target)
      return head.target.endsWith("/people") ? undefined : this.#handler(head, connection)
    },
    admin: (socket) => {
      socket.once("data", (bytes: Buffer) => socket.end(`people read: ${bytes.toString("latin1")}`, "latin1"))
    },
  })

  #handler(head: RequestHead, connection: ClientConnection): RequestHandler {
    return {
      onBody: () => {},
      onBodyEnd: () => {
        if (head.target === "/never") return
        if (head.target === "/large") connection.write(large)
        connection.write(ok)
        connection.finish(head.keepAlive)
      },
      onReadPaused: () => {},
      onClientDrain: () => {},
      onClientGone: () => this.gone.push(head.target),
    }
  }

  async start(): Promise<this> {
    this.port = (await this.ingress.start()).port
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ingress.stop()
    await turns(1)
  }
}

class Client implements Disposable {
  readonly socket: net.Socket
  received = ""
  receivedBytes = 0
  over = false

  constructor(port: number) {
    this.socket = net.connect({ port, host: "127.0.0.1" })
    this.socket.on("data", (bytes: Buffer) => {
      this.receivedBytes += bytes.length
      if (this.receivedBytes < 1_000_000) this.received += bytes.toString("latin1")
    })
    this.socket.on("end", () => (this.over = true))
    this.socket.on("error", () => (this.over = true))
  }

  send(text: string): this {
    this.socket.write(text, "latin1")
    return this
  }

  async connected(): Promise<this> {
    await once(this.socket, "connect")
    return this
  }

  statuses(): number[] {
    return answersIn(this.received).map(({ status }) => status)
  }

  ended(): Promise<void> {
    return turnsUntil("the connection to end", () => this.over)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

describe("a request that cannot be served", () => {
  const field = `X-Long: ${"x".repeat(1000)}\r\n`
  const refused: readonly [string, number, string][] = [
    ["a target beyond its limit", 414, `GET /${"x".repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["a start line without an end", 414, `GET /${"x".repeat(70_000)}`],
    ["a head beyond its limit", 431, `GET / HTTP/1.1\r\nHost: a\r\n${field.repeat(70)}\r\n`],
    ["too many field lines", 431, `GET / HTTP/1.1\r\nHost: a\r\n${"X: 1\r\n".repeat(300)}\r\n`],
    ["no Host", 400, "GET / HTTP/1.1\r\n\r\n"],
    ["two Hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
    [
      "length and coding",
      400,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ["two lengths", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"],
    ["a bare line feed", 400, "GET / HTTP/1.1\nHost: a\n\n"],
    ["a fragment", 400, "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["raw octets beyond ASCII in the target", 400, "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"],
    [
      "an unknown transfer coding",
      501,
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ],
    ["an unknown version", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"],
    ["CONNECT", 405, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"],
    ["TRACE", 405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ]

  test.each(refused)("with %s gets %i and goes no further", async (_what, status, text) => {
    await using door = await new Door().start()
    using client = new Client(door.port).send(text)
    await turnsUntil("an answer", () => client.received.includes("\r\n\r\n"))
    expect([client.statuses(), door.accepted]).toEqual([[status], []])
  })

  test("is told so with a Proxy-Status that parses and a problem that names its rule", async () => {
    await using door = await new Door().start()
    using client = new Client(door.port).send("GET / HTTP/1.1\r\n\r\n")
    await client.ended()
    const [answer] = answersIn(client.received)
    expect(parseList(answer?.get("proxy-status") ?? "")[0]?.parameters.get("error")).toEqual({
      token: "http_request_error",
    })
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({
      status: 400,
      code: "bad_request",
      forwarded: "no",
    })
  })

  test("because of its method is told which ones are served", async () => {
    await using door = await new Door().start()
    using client = new Client(door.port).send("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
    await turnsUntil("an answer", () => client.received.includes("\r\n\r\n"))
    expect(answersIn(client.received)[0]?.get("allow")).toContain("GET")
  })
})

test("methods that nobody knows are served", async () => {
  await using door = await new Door().start()
  using client = new Client(door.port).send("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n")
  await turnsUntil("an answer", () => client.received !== "")
  expect([client.statuses(), door.accepted]).toEqual([[200], ["PROPFIND /"]])
})

describe("addresses under /.restante/", () => {
  test("are the agents', and no tunnel sees them", async () => {
    await using door = await new Door().start()
    using client = new Client(door.port).send("POST /.restante/v1/poll HTTP/1.1\r\nHost: a\r\n\r\n")
    await turnsUntil("an answer", () => client.received !== "")
    expect([door.attached, door.accepted]).toEqual([["/.restante/v1/poll"], []])
  })

  test("are reserved in an absolute target too", async () => {
    await using door = await new Door().start()
    using client = new Client(door.port).send("GET http://a/.restante/x HTTP/1.1\r\nHost: a\r\n\r\n")
    await turnsUntil("an answer", () => client.received !== "")
    expect(door.accepted).toEqual([])
  })

  test("that are for people come to them whole, with what follows", async () => {
    await using door = await new Door().start()
    const head = "POST /.restante/people HTTP/1.1\r\nhOST: a\r\nX: \xff\r\nContent-Length: 4\r\n\r\n"
    using client = new Client(door.port).send(`${head}body`)
    await client.ended()
    expect(client.received).toBe(`people read: ${head}body`)
  })

  test("may share a connection with requests for tunnels", async () => {
    await using door = await new Door().start()
    using client = new Client(door.port).send(
      `${get}POST /.restante/v1/push HTTP/1.1\r\nHost: a\r\n\r\n${get}`,
    )
    await turnsUntil("three answers", () => client.received.length >= 3 * ok.length)
    expect([door.accepted, door.attached]).toEqual([["GET /", "GET /"], ["/.restante/v1/push"]])
  })
})

describe("a client that dawdles", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  async function pass(seconds: number, during: () => void = () => {}): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      during()
      // oxlint-disable-next-line no-await-in-loop -- one second after the other, with the network between
      await turns(3)
      vi.advanceTimersByTime(1000)
    }
    await turns(3)
  }

  test("over its head gets 408 after 30 s, although a byte comes now and then", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    await pass(33, () => client.send("X"))
    expect([client.statuses(), client.over]).toEqual([[408], true])
  })

  test("over its head is waited for until then", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.send("GET / HTTP/1.1\r\n")
    await pass(28)
    client.send("Host: a\r\n\r\n")
    await turnsUntil("an answer", () => client.received !== "")
    expect(client.statuses()).toEqual([200])
  })

  test("in the middle of its body gets 408 after 60 s, and its handler learns of it", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    await pass(63)
    expect([client.statuses(), door.gone]).toEqual([[408], ["/x"]])
  })

  test("over a body that drips gets 408 after 60 s, although a byte comes now and then", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    await pass(63, () => client.send("x"))
    expect([client.statuses(), door.gone]).toEqual([[408], ["/x"]])
  })

  test("but keeps sending its body is waited for", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n")
    await pass(200, () => client.send("x".repeat(20)))
    await turnsUntil("an answer", () => client.received !== "")
    expect(client.statuses()).toEqual([200])
  })

  test("between two requests loses its connection after 75 s, without a word", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    await pass(78)
    expect([client.received, client.over]).toEqual(["", true])
  })

  test("is one that waits for its answer: never", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
    await pass(700)
    expect([client.received, client.over]).toEqual(["", false])
  })
})

describe("an ingress that stops", () => {
  test("lets a slow client read the answer that was written to it", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.socket.pause()
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await turnsUntil("the request to arrive", () => door.accepted.length === 1)
    await turns(10)
    const stopped = door.ingress.stop()
    client.socket.resume()
    await stopped
    await client.ended()
    expect(client.receivedBytes).toBe(large.length + ok.length)
  })

  test("does not wait for a client that reads nothing, longer than some seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    client.socket.pause()
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await turnsUntil("the request to arrive", () => door.accepted.length === 1)
    await turns(10)
    const stopped = door.ingress.stop()
    vi.advanceTimersByTime(10_000)
    vi.useRealTimers()
    await expect(stopped).resolves.toBeUndefined()
  })

  test("closes idle connections at once", async () => {
    await using door = await new Door().start()
    using client = await new Client(door.port).connected()
    await turns(5)
    await door.ingress.stop()
    await client.ended()
    expect(client.received).toBe("")
  })
})

test("an ingress that cannot open its port says why", async () => {
  await using door = await new Door().start()
  const second = new Ingress({
    host: "127.0.0.1",
    port: door.port,
    log: quietLog,
    dateLine: () => "",
    accept: () => {
      throw new Error("no request")
    },
    acceptHttp2: () => {
      throw new Error("no request")
    },
    attach: () => undefined,
    admin: () => {},
  })
  await expect(second.start()).rejects.toMatchObject({ code: "EADDRINUSE" })
})
