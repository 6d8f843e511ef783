// How the agent attaches to its edge, and what it makes of addresses where none is, or another one than it takes it for.
import net from "node:net"
import tls from "node:tls"
import { Secret } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import type { LinkError } from "../../src/attach/link-error.ts"
import { certificate, certificateKey } from "../upstream/certificate.ts"
import { EdgeAddress, hello, loginPage } from "./edge-address.ts"

const welcome = {
  session: "a-session-that-nobody-guesses",
  protocol: 1,
  resumeSeconds: 30,
  pollSeconds: 25,
  software: "proxy-out/9",
}

describe("attach", () => {
  test("brings what the edge says", async () => {
    await using there = await EdgeAddress.http((_request, response) => {
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
    await using there = await EdgeAddress.http((request, response) => {
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
    await using there = await EdgeAddress.http(
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
    await using there = await EdgeAddress.http((_request, response) => {
      response.writeHead(status, { "Restante-Version": "1" }).end(JSON.stringify(problem))
    })
    expect(await there.attachError()).toBe(code)
  })

  test("to an edge that answers in another version asks for the same release", async () => {
    await using there = await EdgeAddress.http((_request, response) => {
      response.setHeader("Restante-Version", "2").end(JSON.stringify({ ...welcome, protocol: 2 }))
    })
    expect(await there.attachError()).toBe("version")
  })

  const foreign: readonly [string, string, string][] = [
    [
      "a page",
      `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${loginPage.length}\r\n\r\n${loginPage}`,
      "not_restante",
    ],
    [
      "a redirect to a login page",
      "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
      "not_restante",
    ],
    [
      "a redirect to a login page over TLS",
      "HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n",
      "not_restante",
    ],
    [
      "a redirect to the same place over TLS",
      "HTTP/1.1 301 Moved Permanently\r\nLocation: https://localhost/.restante/v1/attach\r\nContent-Length: 0\r\n\r\n",
      "tls_required",
    ],
    [
      "a TLS port of an edge",
      "HTTP/1.1 400 Bad Request\r\nRestante-Error: tls_required\r\nContent-Length: 0\r\n\r\n",
      "tls_required",
    ],
    ["a page that was not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "not_restante"],
    [
      "a page without an end",
      `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${loginPage.repeat(3000)}`,
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
    await using there = await EdgeAddress.saying(answer)
    expect(await there.attachError()).toBe(code)
  })

  test("to a port where nothing listens ends with refused", async () => {
    const there = await EdgeAddress.saying("")
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
    await using there = await EdgeAddress.listen(server, { scheme: "https" })
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
    await using there = await EdgeAddress.listen(server, { scheme: "https", ca: certificate })
    expect(await there.attachError()).toBe("attached")
  })

  test("over TLS to a port that knows none ends with its code", async () => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    })
    await using there = await EdgeAddress.listen(server, { scheme: "https" })
    expect(await there.attachError()).toBe("tls_not_spoken")
  })

  test("that is not wanted any more is given up", async () => {
    await using there = await EdgeAddress.http(() => {})
    const stopping = new AbortController()
    const attaching = there.client.attach(hello, stopping.signal).catch((error: LinkError) => error.code)
    stopping.abort()
    expect(await attaching).toBe("closed")
  })
})

test("a goodbye that nobody hears does no harm", async () => {
  await using there = await EdgeAddress.saying("")
  await expect(there.client.detach("session")).resolves.toBeUndefined()
})
