// What the agent says went wrong, and how long the edge waits for the upstream.
import { resetCodes } from "@restante/protocol"
import type { ResetCode } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { onlyAnswerIn } from "../support/answers.ts"
import { refusalOf, Stand } from "../support/stand.ts"

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/** http-semantics.md, "Error mapping to use". */
const mapping: readonly [ResetCode, number, string, "no" | "maybe"][] = [
  ["upstream_refused", 502, "connection_refused", "no"],
  ["upstream_dns", 502, "dns_error", "no"],
  ["upstream_dns_timeout", 504, "dns_timeout", "no"],
  ["upstream_connect_timeout", 504, "connection_timeout", "no"],
  ["upstream_tls_certificate", 502, "tls_certificate_error", "no"],
  ["upstream_tls_protocol", 502, "tls_protocol_error", "no"],
  ["upstream_timeout", 504, "http_response_timeout", "maybe"],
  ["upstream_read_timeout", 504, "connection_read_timeout", "maybe"],
  ["upstream_terminated", 502, "http_response_incomplete", "maybe"],
  ["upstream_incomplete", 502, "http_response_incomplete", "maybe"],
  ["upstream_protocol", 502, "http_protocol_error", "maybe"],
  ["upstream_transfer_coding", 502, "http_response_transfer_coding", "maybe"],
  ["upstream_body_size", 502, "http_response_body_size", "maybe"],
  ["upstream_header_size", 502, "http_response_header_section_size", "maybe"],
  ["upgrade_failed", 502, "http_upgrade_failed", "maybe"],
  ["request_rejected", 502, "http_request_error", "no"],
  ["kind_unsupported", 502, "http_request_error", "no"],
  ["cancelled", 502, "connection_terminated", "maybe"],
  ["internal", 500, "proxy_internal_error", "maybe"],
]

test.each(mapping)(
  "an agent's reset %s is told as %i %s, forwarded: %s",
  (code, status, error, forwarded) => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.taken().breaksOff(code)
    const refusal = refusalOf(socket)
    expect(refusal).toMatchObject({ status, forwarded })
    expect(refusal.proxyStatus).toContain(`error=${error};`)
  },
)

test("every reset code is in the mapping, save those after which the request is offered again", () => {
  const offeredAgain = ["agent_stopping", "agent_overloaded", "agent_lost", "upgrade_limit"]
  expect([...mapping.map(([code]) => code), ...offeredAgain].toSorted()).toEqual(
    Object.keys(resetCodes).toSorted(),
  )
})

test("a reset in the middle of the answer breaks the client's connection", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  lease.begins("HTTP/1.1 200 OK\r\nContent-Length: 10").sends("12345").breaksOff("upstream_incomplete")
  expect([socket.wasReset, socket.ended]).toEqual([true, false])
})

test("after an error of ours the connection serves the next request", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased(get)
  lease.breaksOff("upstream_refused")
  stand.agentsTake(1)
  socket.send(get)
  expect(stand.leases).toHaveLength(2)
})

test("an error of ours to HEAD has the length of its body and not the body", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
  lease.breaksOff("upstream_refused")
  const answer = onlyAnswerIn(socket.text, { toHead: true })
  expect(Number(answer.get("content-length"))).toBeGreaterThan(0)
})

test("an error before the client's body has arrived closes the connection", () => {
  const stand = new Stand()
  const { socket, lease } = stand.leased("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
  lease.breaksOff("upstream_refused")
  expect(refusalOf(socket).answer.get("connection")).toBe("close")
  expect(socket.ended).toBe(true)
})

describe("an agent's words that make no valid response", () => {
  const invalid: readonly [string, string][] = [
    ["a status of two digits", "HTTP/1.1 99 Low"],
    ["an informational status as the final one", "HTTP/1.1 103 Early Hints"],
    [
      "a protocol switch nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade",
    ],
    ["a line feed inside a field", "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b"],
    ["a folded field", "HTTP/1.1 200 OK\r\nX: a\r\n b"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2"],
  ]

  test.each(invalid)("%s: the client gets 502 http_protocol_error and none of it", (_what, head) => {
    const stand = new Stand()
    const { socket, lease } = stand.leased(get)
    lease.answers(head)
    expect(refusalOf(socket)).toMatchObject({ status: 502, code: "upstream_protocol", forwarded: "maybe" })
  })

  test("the agent is told to stop", () => {
    const stand = new Stand()
    const { lease } = stand.leased(get)
    lease.begins("HTTP/1.1 99 Low")
    expect(lease.told).toEqual(["reset internal"])
  })

  test("other exchanges of the same agent go on", () => {
    const stand = new Stand()
    const broken = stand.leased(get)
    const fine = stand.leased(get)
    broken.lease.answers("HTTP/1.1 99 Low")
    fine.lease.answers()
    expect(onlyAnswerIn(fine.socket.text).status).toBe(200)
  })
})

describe("the wait for the upstream's answer", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test("ends with 504 http_response_timeout, perhaps forwarded", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket } = stand.leased(get)
    vi.advanceTimersByTime(60_000)
    expect(refusalOf(socket)).toMatchObject({ status: 504, code: "upstream_timeout", forwarded: "maybe" })
    expect(refusalOf(socket).proxyStatus).toContain("error=http_response_timeout")
  })

  test("when it is over the agent need not work on", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { lease } = stand.leased(get)
    vi.advanceTimersByTime(60_000)
    expect(lease.told).toEqual(["reset cancelled"])
  })

  test("is not over before its time", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket, lease } = stand.leased(get)
    vi.advanceTimersByTime(59_999)
    lease.answers()
    expect(onlyAnswerIn(socket.text).status).toBe(200)
  })

  test("begins with the lease, however long the request waited before", () => {
    const stand = new Stand({ timeoutMs: 60_000, holdMs: 60_000 })
    const socket = stand.asks(get)
    vi.advanceTimersByTime(50_000)
    stand.agentsTake(1)
    vi.advanceTimersByTime(50_000)
    stand.lastLease.answers()
    expect(onlyAnswerIn(socket.text).status).toBe(200)
  })

  test("ends with the answer's head: a body may take as long as it likes", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket, lease } = stand.leased(get)
    lease.begins()
    vi.advanceTimersByTime(3_600_000)
    lease.sends("late").ends()
    expect(onlyAnswerIn(socket.text).body).toBe("late")
  })

  test("does not end with an informational response", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket, lease } = stand.leased(get)
    lease.informs("HTTP/1.1 102 Processing")
    vi.advanceTimersByTime(60_000)
    expect(socket.text).toContain("HTTP/1.1 504 ")
  })

  test("begins anew with every part of an upload", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket, lease } = stand.leased("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for (let part = 0; part < 5; part++) {
      vi.advanceTimersByTime(50_000)
      socket.send("1\r\nx\r\n")
    }
    socket.send("0\r\n\r\n")
    lease.answers()
    expect(onlyAnswerIn(socket.text).status).toBe(200)
  })

  test("does not count the time in which the client is the one who dawdles", () => {
    const stand = new Stand({ timeoutMs: 5000 })
    const { socket, lease } = stand.leased(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    )
    vi.advanceTimersByTime(20_000)
    socket.send("0\r\n\r\n")
    lease.answers()
    expect(onlyAnswerIn(socket.text).status).toBe(200)
  })

  test("counts while the upstream takes nothing of an upload", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket } = stand.leased(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(300_000)}`,
    )
    vi.advanceTimersByTime(60_000)
    expect(socket.text).toContain("HTTP/1.1 504 ")
  })

  test("is whole again at the end of an upload", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket, lease } = stand.leased(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    )
    vi.advanceTimersByTime(20_000)
    socket.send("1\r\nx\r\n0\r\n\r\n")
    vi.advanceTimersByTime(59_000)
    lease.answers()
    expect(onlyAnswerIn(socket.text).status).toBe(200)
  })

  test("counts from the end of an upload", () => {
    const stand = new Stand({ timeoutMs: 60_000 })
    const { socket } = stand.leased(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    )
    vi.advanceTimersByTime(20_000)
    socket.send("0\r\n\r\n")
    vi.advanceTimersByTime(60_000)
    expect(socket.text).toContain("HTTP/1.1 504 ")
  })
})
