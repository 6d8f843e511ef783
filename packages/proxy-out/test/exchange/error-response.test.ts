// The answers that the edge gives itself, every one of the table.
import { describe, expect, test } from "vitest"
import { errorResponse } from "../../src/exchange/error-response.ts"
import { failures } from "../../src/exchange/failures.ts"
import type { FailureCode, FailureTraits } from "../../src/exchange/failures.ts"
import { onlyAnswerIn } from "../support/answers.ts"
import type { Answer } from "../support/answers.ts"
import { parseList } from "../support/structured-fields.ts"

const dateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

function answerTo(code: FailureCode, options: { keepAlive?: boolean; head?: boolean } = {}): Answer {
  const { keepAlive = true, head = false } = options
  const bytes = errorResponse({
    code,
    traits: failures[code],
    exchangeId: "V1StGXR8_Z5jdHi6B-myT",
    keepAlive,
    dateLine,
    head,
  })
  return onlyAnswerIn(bytes.toString("latin1"), { toHead: head })
}

/** RFC 9209 section 2.3: the registered error types. */
const registeredErrors = new Set([
  "dns_timeout",
  "dns_error",
  "destination_not_found",
  "destination_unavailable",
  "destination_ip_prohibited",
  "destination_ip_unroutable",
  "connection_refused",
  "connection_terminated",
  "connection_timeout",
  "connection_read_timeout",
  "connection_write_timeout",
  "connection_limit_reached",
  "tls_protocol_error",
  "tls_certificate_error",
  "tls_alert_received",
  "http_request_error",
  "http_request_denied",
  "http_response_incomplete",
  "http_response_header_section_size",
  "http_response_header_size",
  "http_response_body_size",
  "http_response_trailer_section_size",
  "http_response_trailer_size",
  "http_response_transfer_coding",
  "http_response_content_coding",
  "http_response_timeout",
  "http_upgrade_failed",
  "http_protocol_error",
  "proxy_internal_response",
  "proxy_internal_error",
  "proxy_configuration_error",
  "proxy_loop_detected",
])

const codes = Object.keys(failures) as FailureCode[]

describe.each(codes)("%s", (code) => {
  const traits: FailureTraits = failures[code]

  test("has a status of RFC 9110 with its own words", () => {
    const { status, reason } = answerTo(code)
    expect([400, 404, 408, 413, 417, 500, 502, 503, 504]).toContain(status)
    expect(reason).not.toBe("Error")
  })

  test("is a problem of RFC 9457 that says what happened and nothing about the inside", () => {
    const answer = answerTo(code)
    expect(answer.get("content-type")).toBe("application/problem+json")
    expect(JSON.parse(answer.body)).toEqual({
      title: expect.stringMatching(/^[A-Z][a-zA-Z', -]+\.$/),
      status: traits.status,
      code,
      forwarded: traits.forwarded,
      exchange: "V1StGXR8_Z5jdHi6B-myT",
    })
  })

  test("has a Proxy-Status that parses, with a registered error", () => {
    const [status, ...more] = parseList(answerTo(code).get("proxy-status") ?? "")
    expect(more).toEqual([])
    expect(status?.value).toEqual({ token: "restante" })
    const error = status?.parameters.get("error")
    expect(registeredErrors).toContain((error as { token: string }).token)
  })

  test("says in Proxy-Status what the body says about forwarding", () => {
    const details = parseList(answerTo(code).get("proxy-status") ?? "")[0]?.parameters.get("details")
    expect(details).toBe({ no: "not forwarded", maybe: "may have been forwarded" }[traits.forwarded])
  })

  test("is not to be stored, has a date, and names itself and its exchange", () => {
    const answer = answerTo(code)
    expect(
      ["cache-control", "date", "restante-error", "restante-exchange"].map((name) => answer.get(name)),
    ).toEqual(["no-store", "Sun, 06 Nov 1994 08:49:37 GMT", code, "V1StGXR8_Z5jdHi6B-myT"])
  })
})

test("Retry-After stands where trying again soon makes sense, and nowhere else", () => {
  const withRetry = codes.filter((code) => answerTo(code).get("retry-after") !== undefined)
  expect(withRetry.toSorted()).toEqual([
    "edge_stopping",
    "no_agent",
    "not_delivered",
    "queue_full",
    "upgrade_limit",
  ])
})

test("what may be tried again at once was certainly not forwarded", () => {
  const bold = codes.filter((code) => {
    const traits: FailureTraits = failures[code]
    return traits.retryAfterSeconds !== undefined && traits.forwarded !== "no"
  })
  expect(bold).toEqual([])
})

test("says when the connection closes after it", () => {
  expect(answerTo("no_agent", { keepAlive: false }).get("connection")).toBe("close")
})

test("says nothing about the connection when it goes on", () => {
  expect(answerTo("no_agent").get("connection")).toBeUndefined()
})

test("has no body as an answer to HEAD, but the length that it would have", () => {
  const length = answerTo("no_agent").get("content-length")
  expect(answerTo("no_agent", { head: true }).get("content-length")).toBe(length)
})
