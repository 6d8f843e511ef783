// The agent's requests to its edge, against edges that are none, are older, or break off.
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import type { RequestListener } from "node:http"
import net from "node:net"
import type { AddressInfo } from "node:net"
import tls from "node:tls"
import { messagesMediaType, preamble, Secret, WireError } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import type { Hello, Welcome } from "../../src/attach/edge-client.ts"
import type { LinkError } from "../../src/attach/link-error.ts"
import { certificate, certificateKey } from "../upstream/certificate.ts"

const hello: Hello = { tunnel: "default", instance: "here", concurrency: 4, software: "test/1" }
const welcome = {
  session: "a-session-that-nobody-guesses",
  protocol: 1,
  resumeSeconds: 30,
  pollSeconds: 25,
  software: "proxy-out/9",
}

/** What listens at the edge's address, and a client of it. */
class There implements AsyncDisposable {
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  client: EdgeClient

  private constructor(server: net.Server, client: EdgeClient) {
    this.#server = server
    this.client = client
  }

  static async listen(
    server: net.Server,
    options: { scheme?: string; path?: string; ca?: string } = {},
  ): Promise<There> {
    const sockets = new Set<net.Socket>()
    server.on("connection", (socket: net.Socket) => sockets.add(socket))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const { scheme = "http", path = "", ca } = options
    const external = new URL(`${scheme}://localhost:${port}${path}`)
    const there = new There(server, new EdgeClient({ external, ca, token: new Secret("the token") }))
    for (const socket of sockets) there.#sockets.add(socket)
    server.on("connection", (socket: net.Socket) => there.#sockets.add(socket))
    return there
  }

  static http(listener: RequestListener, options?: { path?: string }): Promise<There> {
    return There.listen(createHttpServer(listener), options)
  }

  /** Says this, byte for byte, to whatever is asked. */
  static saying(answer: string): Promise<There> {
    return There.listen(
      net.createServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => socket.end(answer, "latin1"))
      }),
    )
  }

  async attach(): Promise<Welcome> {
    return this.client.attach(hello, new AbortController().signal)
  }

  /** The code of the error that attaching ends with; "attached" when there is none. */
  async attachError(): Promise<string> {
    return this.attach().then(
      () => "attached",
      (error: LinkError) => error.code,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

const html = "<!DOCTYPE html><html><body>Please log in to the Wi-Fi</body></html>"

describe("attach", () => {
  test("brings what the edge says", async () => {
    await using there = await There.http((_request, response) => {
      response.setHeader("Restante-Version", "1").end(JSON.stringify(welcome))
    })
    expect(await there.attach()).toMatchObject({
      session: welcome.session,
      resumeSeconds: 30,
      pollSeconds: 25,
    })
  })

  test("gives a balancer's cookie back with the session's requests, and forgets it when it attaches anew", async () => {
    const seen: string[] = []
    await using there = await There.http((request, response) => {
      seen.push(`${request.method} ${request.headers.cookie ?? "no cookie"}`)
      request.resume()
      if (request.method === "POST" && seen.length === 1)
        response.setHeader("Set-Cookie", "edge=a; Path=/; HttpOnly")
      response.setHeader("Restante-Version", "1").end(JSON.stringify(welcome))
    })
    await there.attach()
    await there.client.detach(welcome.session)
    await there.attach()
    await there.client.detach(welcome.session)
    expect(seen).toEqual(["POST no cookie", "DELETE edge=a", "POST no cookie", "DELETE no cookie"])
  })

  test("shows the token and who is there, at the address with its path", async () => {
    const seen: unknown[] = []
    await using there = await There.http(
      (request, response) => {
        seen.push(request.method, request.url, request.headers.authorization)
        let text = ""
        request.on("data", (bytes: Buffer) => (text += bytes.toString()))
        request.on("end", () => {
          seen.push(JSON.parse(text))
          response.setHeader("Restante-Version", "1").end(JSON.stringify(welcome))
        })
      },
      { path: "/behind/a/proxy/" },
    )
    await there.attach()
    expect(seen).toEqual([
      "POST",
      "/behind/a/proxy/.restante/v1/attach",
      "Bearer the token",
      { protocol: 1, pieces: true, ...hello },
    ])
  })

  const problems: readonly [string, number, object, string][] = [
    ["a wrong token", 401, { code: "token_refused" }, "token"],
    ["a tunnel that the token does not allow", 403, { code: "tunnel_refused" }, "tunnel"],
    ["a route that the token does not allow", 403, { code: "route_refused" }, "route"],
    ["another version", 400, { code: "version_unsupported", supported: [7] }, "version"],
    ["a refusal that is new", 400, { code: "made_up_later" }, "edge_error"],
    ["an error of the edge", 500, {}, "edge_error"],
  ]

  test.each(problems)("with %s (%i) ends with its code", async (_what, status, problem, code) => {
    await using there = await There.http((_request, response) => {
      response.writeHead(status, { "Restante-Version": "1" }).end(JSON.stringify(problem))
    })
    expect(await there.attachError()).toBe(code)
  })

  test("to an edge that answers in another version asks for the same release", async () => {
    await using there = await There.http((_request, response) => {
      response.setHeader("Restante-Version", "2").end(JSON.stringify({ ...welcome, protocol: 2 }))
    })
    expect(await there.attachError()).toBe("version")
  })

  const foreign: readonly [string, string, string][] = [
    [
      "a page",
      `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
      "not_restante",
    ],
    [
      "a redirect to a login page",
      "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
      "not_restante",
    ],
    ["a page that was not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "not_restante"],
    [
      "a page without an end",
      `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${html.repeat(3000)}`,
      "not_restante",
    ],
    [
      "a proxy that cannot reach the edge",
      "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
      "edge_error",
    ],
    [
      "a balancer without an edge",
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
      "edge_error",
    ],
    ["something that is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n", "not_restante"],
    ["nothing", "", "closed"],
  ]

  test.each(foreign)("to %s ends with its code", async (_what, answer, code) => {
    await using there = await There.saying(answer)
    expect(await there.attachError()).toBe(code)
  })

  test("to a port where nothing listens ends with refused", async () => {
    const there = await There.saying("")
    await there[Symbol.asyncDispose]()
    const client = new EdgeClient({ external: there.client.external, ca: undefined, token: new Secret("t") })
    const error = await client
      .attach(hello, new AbortController().signal)
      .catch((reason: LinkError) => reason.code)
    await client.close()
    expect(error).toBe("refused")
  })

  test("to an edge whose certificate nobody trusts ends with tls", async () => {
    const server = tls.createServer({ cert: certificate, key: certificateKey })
    await using there = await There.listen(server, { scheme: "https" })
    expect(await there.attachError()).toBe("tls")
  })

  test("to an edge whose certificate is given works", async () => {
    const server = tls.createServer({ cert: certificate, key: certificateKey }, (socket) => {
      socket.on("error", () => {})
      const body = JSON.stringify(welcome)
      socket.once("data", () =>
        socket.end(`HTTP/1.1 200 OK\r\nRestante-Version: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      )
    })
    await using there = await There.listen(server, { scheme: "https", ca: certificate })
    expect(await there.attachError()).toBe("attached")
  })

  test("over TLS to a port that knows none ends with tls", async () => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    })
    await using there = await There.listen(server, { scheme: "https" })
    expect(await there.attachError()).toBe("tls")
  })

  test("that is not wanted any more is given up", async () => {
    await using there = await There.http(() => {})
    const stopping = new AbortController()
    const attaching = there.client.attach(hello, stopping.signal).catch((error: LinkError) => error.code)
    stopping.abort()
    expect(await attaching).toBe("closed")
  })
})

/** What came of one poll. */
interface Polled {
  readonly messages: number
  readonly end: string
}

function poll(there: There, onMessage: () => void = () => {}): Promise<Polled> {
  return new Promise((resolve) => {
    let messages = 0
    there.client.poll("session", Buffer.alloc(20), false, {
      onMessage: () => {
        messages++
        onMessage()
      },
      onEnd: (error) => resolve({ messages, end: error?.code ?? "whole" }),
    })
  })
}

describe("a poll", () => {
  const message = Buffer.alloc(20)
  const head = `HTTP/1.1 200 OK\r\nRestante-Version: 1\r\nContent-Type: ${messagesMediaType}\r\n`

  function withLength(body: Buffer, lengthBytes = body.length): string {
    return `${head}Content-Length: ${lengthBytes}\r\n\r\n${body.toString("latin1")}`
  }

  const whole = Buffer.concat([preamble, message, message])
  const answers: readonly [string, string, Polled][] = [
    ["messages", withLength(whole), { messages: 2, end: "whole" }],
    [
      "nothing for long",
      "HTTP/1.1 204 No Content\r\nRestante-Version: 1\r\n\r\n",
      { messages: 0, end: "whole" },
    ],
    [
      "messages after an informational response",
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${withLength(whole)}`,
      { messages: 2, end: "whole" },
    ],
    [
      "messages under another name",
      withLength(whole).replace(messagesMediaType, "text/plain"),
      { messages: 0, end: "edge_error" },
    ],
    ["half a message", withLength(whole.subarray(0, 40)), { messages: 1, end: "closed" }],
    [
      "a message that is too large",
      withLength(Buffer.concat([whole, Buffer.alloc(20, 0xff)])),
      { messages: 0, end: "session_over" },
    ],
    ["an answer that is cut off", withLength(whole, 1000), { messages: 2, end: "closed" }],
    ["a page with our media type", withLength(Buffer.from(html)), { messages: 0, end: "not_restante" }],
    [
      "messages of another version",
      withLength(Buffer.from("RSTNTE\x00\x02")),
      { messages: 0, end: "session_over" },
    ],
    [
      "a page",
      `HTTP/1.1 200 OK\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
      { messages: 0, end: "not_restante" },
    ],
    ["a 204 of somebody else", "HTTP/1.1 204 No Content\r\n\r\n", { messages: 0, end: "not_restante" }],
    [
      "a redirect",
      "HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
      { messages: 0, end: "not_restante" },
    ],
    [
      "an error of what stands between",
      "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
      { messages: 0, end: "edge_error" },
    ],
    [
      "the news that the session is over",
      'HTTP/1.1 410 Gone\r\nRestante-Version: 1\r\nContent-Length: 26\r\n\r\n{"code":"session_unknown"}',
      { messages: 0, end: "session_over" },
    ],
    [
      "the news that the session is broken",
      'HTTP/1.1 400 Bad Request\r\nRestante-Version: 1\r\nContent-Length: 28\r\n\r\n{"code":"malformed_message"}',
      { messages: 0, end: "session_over" },
    ],
  ]

  test.each(answers)("that brings %s is read as that", async (_what, answer, expected) => {
    await using there = await There.saying(answer)
    expect(await poll(there)).toEqual(expected)
  })

  test("names its session and carries its acknowledgement", async () => {
    const seen: unknown[] = []
    await using there = await There.http((request, response) => {
      seen.push(request.headers["restante-session"], request.headers["content-type"])
      request.on("data", (bytes: Buffer) => seen.push(bytes.length))
      request.on("end", () => response.writeHead(204, { "Restante-Version": "1" }).end())
    })
    await poll(there)
    expect(seen).toEqual(["session", messagesMediaType, preamble.length + 20])
  })

  test("whose message breaks the session ends with that", async () => {
    await using there = await There.saying(withLength(whole))
    const polled = await poll(there, () => {
      throw new WireError("frame_malformed")
    })
    expect(polled.messages).toBe(1)
  })

  test("that is given up says nothing more", async () => {
    let asked = 0
    await using there = await There.http(() => asked++)
    const ends: unknown[] = []
    const request = there.client.poll("session", Buffer.alloc(20), false, {
      onMessage: () => {},
      onEnd: (error) => ends.push(error),
    })
    await expect.poll(() => asked).toBe(1)
    request.abort()
    await there.client.close()
    expect(ends).toEqual([])
  })
})

test("a goodbye that nobody hears does no harm", async () => {
  await using there = await There.saying("")
  await expect(there.client.detach("session")).resolves.toBeUndefined()
})
