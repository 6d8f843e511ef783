// The upstream's answer as the client gets it: framing for the client's version, fields untouched, and never a clean end for a
// body that is not whole.
import { wireLimits } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { answersIn, onlyAnswerIn } from "../support/answers.ts"
import { dateLine, Stand } from "../support/stand.ts"

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
const get10 = "GET / HTTP/1.0\r\nHost: a\r\n\r\n"
const get10KeepAlive = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"

describe("fields", () => {
  test("cross byte for byte: order, case, duplicates and octets beyond ASCII", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    const fields =
      "sEt-CoOkIe: a=1\r\nDate: x\r\nSet-Cookie: b=2\r\nX-Odd:\xff\x80 \r\nContent-Length: 2\r\nx-odd: again\r\n"
    lease.answers(`HTTP/1.1 299 Weird Reason\r\n${fields.slice(0, -2)}`)
    expect(socket.text).toMatch(`HTTP/1.1 299 Weird Reason\r\n${fields}`)
  })

  test("about the agent's connection stay behind, with all that Connection names", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers(
      "HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nContent-Length: 2",
    )
    expect(onlyAnswerIn(socket.text).fields.map(([name]) => name)).toEqual(["Content-Length", "Date", "Via"])
  })

  test("Connection cannot remove the framing", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2")
    expect(onlyAnswerIn(socket.text).get("content-length")).toBe("2")
  })

  test("get the edge's Via", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 200 OK\r\nVia: 1.1 inner\r\nContent-Length: 2")
    const via = onlyAnswerIn(socket.text).fields.filter(([name]) => name === "Via")
    expect(via.map(([, value]) => value)).toEqual(["1.1 inner", "1.1 restante-edge-a"])
  })

  test("keep the upstream's own Date, and no other is added", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 1990 00:00:00 GMT\r\nContent-Length: 2")
    expect(socket.text.match(/^date:.*$/gim)).toEqual(["date: Mon, 01 Jan 1990 00:00:00 GMT"])
  })

  test("get a Date when the upstream sent none", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers()
    expect(socket.text).toContain(`\r\n${dateLine}`)
  })
})

describe("a body of known length", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 10"

  test("reaches the client as it is, and the connection goes on", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.begins(head).sends("12345").sends("67890").ends()
    stand.agentsTake(1)
    socket.send(get)
    stand.lastLease.answers()
    expect(answersIn(socket.text).map(({ body }) => body)).toEqual(["1234567890", "ok"])
  })

  test("that ends early breaks the connection", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.begins(head).sends("12345").ends()
    expect([socket.wasReset, socket.ended]).toEqual([true, false])
  })

  test("that is longer breaks the connection, and nothing of the surplus reaches the client", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.begins(head).sends("1234567890").sends("X-Injected")
    expect([socket.wasReset, socket.text.includes("X-Injected")]).toEqual([true, false])
  })

  test.each([
    ["shorter", "12345"],
    ["longer", "12345678901"],
  ])("that rides in the head's frame and is %s gives 502 and none of it", (_what, body) => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers(head, body)
    expect(onlyAnswerIn(socket.text).status).toBe(502)
  })
})

describe("a body of unknown length", () => {
  test("is chunked for HTTP/1.1", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.begins().sends("12345").sends("6").ends()
    const answer = onlyAnswerIn(socket.text)
    expect([answer.get("transfer-encoding"), answer.body, socket.ended]).toEqual(["chunked", "123456", false])
  })

  test("that rides in the head's frame is chunked for HTTP/1.1 too", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 200 OK", "12345")
    expect(onlyAnswerIn(socket.text)).toMatchObject({ body: "12345", trailers: "" })
  })

  test("that is empty is an empty chunked body for HTTP/1.1", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 200 OK", "")
    expect(socket.text).toMatch(/\r\n\r\n0\r\n\r\n$/)
  })

  test("ends with the connection for HTTP/1.0", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10)
    lease.begins().sends("12345").ends()
    const answer = onlyAnswerIn(socket.text)
    expect([answer.get("transfer-encoding"), answer.get("connection"), answer.body, socket.ended]).toEqual([
      undefined,
      "close",
      "12345",
      true,
    ])
  })

  test("ends with the connection even for an HTTP/1.0 client that wants to keep it", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10KeepAlive)
    lease.begins().sends("12345").ends()
    expect([onlyAnswerIn(socket.text).get("connection"), socket.ended]).toEqual(["close", true])
  })

  test("that is not whole is reset for HTTP/1.0, where the end is all that tells", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10)
    lease.begins().sends("12345").breaksOff("upstream_incomplete")
    expect([socket.wasReset, socket.ended]).toEqual([true, false])
  })

  test("has the upstream's trailers, less those that may not be there", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease
      .begins("HTTP/1.1 200 OK\r\nTrailer: X-Sum")
      .sends("1")
      .ends("X-Sum: 1\r\nContent-Length: 5\r\nX-Sum: 2\r\n")
    expect(onlyAnswerIn(socket.text).trailers).toBe("X-Sum: 1\r\nX-Sum: 2\r\n")
  })

  test("has no trailers where there is no place for them", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10)
    lease.begins().sends("1").ends("X-Sum: 1\r\n")
    expect(socket.text).not.toContain("X-Sum")
  })
})

describe("an answer without a body", () => {
  test("204 has no Content-Length, and the connection goes on", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 204 No Content\r\nContent-Length: 0", "")
    expect([onlyAnswerIn(socket.text).get("content-length"), socket.ended]).toEqual([undefined, false])
  })

  test("304 keeps the length and the validator of what it stands for", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5000', "")
    const answer = onlyAnswerIn(socket.text)
    expect([answer.get("content-length"), answer.get("etag")]).toEqual(["5000", '"x"'])
  })

  test("to HEAD keeps the length, and the connection goes on", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    lease.answers("HTTP/1.1 200 OK\r\nContent-Length: 5000", "")
    expect([onlyAnswerIn(socket.text, { toHead: true }).get("content-length"), socket.ended]).toEqual([
      "5000",
      false,
    ])
  })

  test("to HEAD has no framing of a body that would be chunked", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    lease.answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "")
    expect(socket.text).not.toContain("0\r\n\r\n")
  })

  test.each(["204 No Content", "304 Not Modified"])("%s with body bytes all the same gives 502", (status) => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers(`HTTP/1.1 ${status}`, "surprise")
    expect(onlyAnswerIn(socket.text).status).toBe(502)
  })

  test("to HEAD with body bytes all the same breaks the connection, and none of them reaches the client", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    lease.begins("HTTP/1.1 200 OK\r\nContent-Length: 8").sends("surprise")
    expect([socket.wasReset, socket.text.includes("surprise")]).toEqual([true, false])
  })
})

describe("the connection", () => {
  test("closes after the answer when the client asked for it", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    lease.answers()
    expect([onlyAnswerIn(socket.text).get("connection"), socket.ended]).toEqual(["close", true])
  })

  test("goes on for an HTTP/1.0 client that asked for it, and is told so", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10KeepAlive)
    lease.answers()
    expect([onlyAnswerIn(socket.text).get("connection"), socket.ended]).toEqual(["keep-alive", false])
  })

  test("closes for an HTTP/1.0 client that did not ask", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10)
    lease.answers()
    expect(socket.ended).toBe(true)
  })

  test("goes on although the upstream's own was to close", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2")
    expect([onlyAnswerIn(socket.text).get("connection"), socket.ended]).toEqual([undefined, false])
  })
})

describe("informational responses", () => {
  test("reach the client before the final one, in order and with their fields", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease
      .informs("HTTP/1.1 102 Processing")
      .informs("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nLink: </b.css>")
      .answers()
    expect(socket.text).toMatch(
      /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\nLink: <\/b\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    )
  })

  test("do not reach an HTTP/1.0 client", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get10)
    lease.informs("HTTP/1.1 103 Early Hints\r\nLink: </a.css>").answers()
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test("do not keep an error of ours from following", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.informs("HTTP/1.1 103 Early Hints").breaksOff("upstream_terminated")
    expect(answersIn(socket.text).map(({ status }) => status)).toEqual([103, 502])
  })
})

describe("credit", () => {
  const chunk = Buffer.alloc(64 * 1024)
  const windowChunks = wireLimits.initialWindowBytes / chunk.length

  test("comes back while the client reads on", () => {
    const stand = new Stand()
    const { lease } = stand.leased(get)
    lease.begins()
    for (let index = 0; index < windowChunks; index++) lease.sends(chunk)
    expect(lease.creditBytes).toBeGreaterThanOrEqual(wireLimits.initialWindowBytes)
  })

  test("does not come back from a client that reads nothing, so that no more than a window and a buffer wait for it", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    socket.stall()
    lease.begins()
    let sentBytes = 0
    while (
      sentBytes + chunk.length <= wireLimits.initialWindowBytes + lease.creditBytes &&
      sentBytes < 100_000_000
    ) {
      lease.sends(chunk)
      sentBytes += chunk.length
    }
    expect(sentBytes).toBeLessThan(2 * 1024 * 1024)
  })

  test("comes back once a client that was slow has read what waited", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    socket.stall()
    lease.begins()
    const before: number[] = []
    while (wireLimits.initialWindowBytes + lease.creditBytes - before.length * chunk.length >= chunk.length) {
      lease.sends(chunk)
      before.push(lease.creditBytes)
    }
    socket.take()
    expect(lease.creditBytes).toBeGreaterThan(before.at(-1) ?? Infinity)
  })

  test("that is overdrawn breaks the answer off", () => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    socket.stall()
    lease.begins()
    const most = 100
    for (let index = 0; index < most && !socket.wasReset; index++) lease.sends(chunk)
    expect([socket.wasReset, lease.resets]).toEqual([true, ["reset internal"]])
  })

  test("for a fast client grows beyond the first window", () => {
    const stand = new Stand()
    const { lease } = stand.leased(get)
    lease.begins()
    for (let index = 0; index < windowChunks * 4; index++) lease.sends(chunk)
    expect(
      wireLimits.initialWindowBytes + lease.creditBytes - windowChunks * 4 * chunk.length,
    ).toBeGreaterThan(wireLimits.initialWindowBytes)
  })
})
