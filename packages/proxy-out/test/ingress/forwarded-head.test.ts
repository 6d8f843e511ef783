// The request head as the agent gets it.
import { parseRequestHead } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { forwardedHead } from "../../src/ingress/forwarded-head.ts"
import { refusalOf, Stand } from "../support/stand.ts"

const facts = { clientAddress: "203.0.113.9", scheme: "http", via: "Via: 1.1 edge\r\n", strip: "" } as const

function forwarded(head: string): string {
  return forwardedHead(parseRequestHead(head), facts)
}

/** The start line's target. */
function targetOf(target: string, method = "GET"): string | undefined {
  return forwarded(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).split(" ")[1]
}

/** Lines of the head without the start line, and without what the edge adds. */
function fieldsOf(fields: string): string {
  const [, ...lines] = forwarded(`GET / HTTP/1.1\r\n${fields}\r\n`).split("\r\n")
  return lines
    .filter(
      (line) => !/^(?:X-Forwarded-(?:For|Proto|Host)|Via): (?:203\.0\.113\.9|http|a|1\.1 edge)$/.test(line),
    )
    .join("\r\n")
}

test.each([
  "/a/../b",
  "/a/./b",
  "//double//slash",
  "//evil.example/",
  "/%2e%2e/%2F",
  "/%zz",
  "/?",
  "/?a=b&&c=%00",
  "/;p=1/x;y",
  "/a?http://other/",
  "/@user",
  "/\\back",
  '/"quoted"<>{}|^`',
])("the path crosses byte for byte: %s", (target) => {
  expect(targetOf(target)).toBe(target)
})

describe("an absolute target", () => {
  test.each([
    ["http://b.example/x?y", "/x?y"],
    ["http://b.example:8080/x", "/x"],
    ["HTTP://b.example/", "/"],
    ["http://b.example", "/"],
    ["http://b.example?q", "/?q"],
    ["https://b.example/a/../%zz", "/a/../%zz"],
  ])("%s goes on as %s", (target, expected) => {
    expect(targetOf(target)).toBe(expected)
  })

  test("overrides Host", () => {
    expect(forwarded("GET http://b.example:8080/x HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n")).toMatch(
      /^GET \/x HTTP\/1\.1\r\nHost: b\.example:8080\r\nX: 1\r\n/,
    )
  })

  test("leaves no second Host", () => {
    const head = forwarded("GET http://b.example/x HTTP/1.1\r\nhOsT: a\r\n\r\n")
    expect(head.match(/^host:.*$/gim)).toHaveLength(1)
  })

  test("without a path asks OPTIONS of the whole server (RFC 9112 section 3.2.4)", () => {
    expect(targetOf("http://b.example", "OPTIONS")).toBe("*")
  })
})

test("OPTIONS * stays as it is", () => {
  expect(targetOf("*", "OPTIONS")).toBe("*")
})

describe("fields", () => {
  test("cross byte for byte: order, case, duplicates, spaces and octets beyond ASCII", () => {
    const fields =
      "hOST: a\r\nX-B:1\r\nx-a:  2  \r\nX-B: \xff\x80\r\nCookie: a=1\r\nCookie: b=2\r\nAuthorization: Basic x\r\n"
    expect(fieldsOf(fields)).toBe(`${fields}\r\n`)
  })

  test("about the client's connection stay behind, with all that Connection names", () => {
    expect(
      fieldsOf(
        "Host: a\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nX: 1\r\n",
      ),
    ).toBe("Host: a\r\nX: 1\r\nTE: trailers\r\n\r\n")
  })

  test("that every server needs cannot be removed by Connection", () => {
    const fields = "Host: a\r\nCookie: c\r\nContent-Length: 0\r\n"
    expect(fieldsOf(`${fields}Connection: Host, Cookie, Content-Length\r\n`)).toBe(`${fields}\r\n`)
  })

  test("in which a client claims to be a proxy are replaced by what the edge knows", () => {
    const head = forwarded(
      "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nx-forwarded-proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n\r\n",
    )
    expect(head.split("\r\n").filter((line) => /forwarded/i.test(line))).toEqual([
      "X-Forwarded-For: 203.0.113.9",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: a.example",
    ])
  })

  test("name the host that the client asked for in an absolute target", () => {
    expect(forwarded("GET http://b.example/ HTTP/1.1\r\nHost: a\r\n\r\n")).toContain(
      "X-Forwarded-Host: b.example\r\n",
    )
  })

  test("get the edge's Via after those that are there", () => {
    const head = forwarded("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 other\r\n\r\n")
    expect(head.match(/^via:.*$/gim)).toEqual(["Via: 1.0 other", "Via: 1.1 edge"])
  })

  test("do not ask the upstream for a 100 that the edge has given", () => {
    expect(fieldsOf("Host: a\r\nExpect: 100-continue\r\n")).toBe("Host: a\r\n\r\n")
  })
})

test("an HTTP/1.0 request goes on as HTTP/1.1, whatever it said of its host", () => {
  const head = parseRequestHead(forwarded("GET / HTTP/1.0\r\n\r\n"))
  expect([head.minorVersion, head.host]).toEqual([1, ""])
})

test("what is forwarded is a valid head again", () => {
  const head = parseRequestHead(
    forwarded("POST http://b/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
  )
  expect([head.method, head.target, head.host]).toEqual(["POST", "/x", "b"])
})

describe("a request that came through this edge before", () => {
  test.each([
    ["as the only Via", "Via: 1.1 restante-edge-a\r\n"],
    ["as one of a list", "Via: 1.0 other, 1.1 restante-edge-a, 1.1 more\r\n"],
    ["in a second line", "Via: 1.1 other\r\nVia: 1.1 restante-edge-a\r\n"],
    ["in another case of the name", "vIA: 1.1 restante-edge-a\r\n"],
  ])("is refused as a loop: named %s", (_where, via) => {
    const stand = new Stand()
    stand.agentsTake(1)
    const socket = stand.asks(`GET / HTTP/1.1\r\nHost: a\r\n${via}\r\n`)
    expect(refusalOf(socket)).toMatchObject({ status: 502, code: "loop_detected", forwarded: "no" })
    expect(refusalOf(socket).proxyStatus).toContain("error=proxy_loop_detected")
  })

  test("is told from one that came through another edge", () => {
    const stand = new Stand()
    stand.agentsTake(1)
    stand.asks("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 restante-edge-b\r\n\r\n")
    expect(stand.leases).toHaveLength(1)
  })

  test("is told from one that only mentions the edge elsewhere", () => {
    const stand = new Stand()
    stand.agentsTake(1)
    stand.asks("GET /restante-edge-a HTTP/1.1\r\nHost: a\r\nX: restante-edge-a\r\n\r\n")
    expect(stand.leases).toHaveLength(1)
  })
})

describe("what the agent is told beside the head", () => {
  test("the client's address and scheme, and the tunnel's queue", () => {
    const stand = new Stand()
    const { lease } = stand.leased("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    expect(lease.ticket).toMatchObject({
      tunnel: "default",
      owner: "edge-a",
      attempt: 1,
      record: { clientAddress: "203.0.113.9", scheme: "http" },
    })
  })

  test("a trace context that is one", () => {
    const stand = new Stand()
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const { lease } = stand.leased(`GET / HTTP/1.1\r\nHost: a\r\nTraceparent: ${traceparent}\r\n\r\n`)
    expect(lease.ticket.record.traceparent).toBe(traceparent)
  })

  test("no trace context that is none", () => {
    const stand = new Stand()
    const { lease } = stand.leased("GET / HTTP/1.1\r\nHost: a\r\nTraceparent: \xff anything\r\n\r\n")
    expect(lease.ticket.record.traceparent).toBeUndefined()
  })

  test("an IPv4 address of a dual-stack socket without its mapping", () => {
    const stand = new Stand()
    const socket = stand.client()
    socket.remoteAddress = "::ffff:192.0.2.1"
    stand.agentsTake(1)
    socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    expect(stand.lastLease.ticket.record.clientAddress).toBe("192.0.2.1")
  })
})
