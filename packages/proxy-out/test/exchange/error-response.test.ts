// The answers that the edge gives itself, every one of the table.
import { describe, expect, test } from "vitest"
import { defaultHttp1Limits, parseRequestHead } from "@restante/protocol"
import { templatePage } from "../../src/exchange/error-page.ts"
import type { ErrorPage } from "../../src/exchange/error-page.ts"
import { errorResponse } from "../../src/exchange/error-response.ts"
import { failures } from "../../src/exchange/failures.ts"
import type { FailureCode, FailureTraits } from "../../src/exchange/failures.ts"
import { onlyAnswerIn } from "../support/answers.ts"
import type { Answer } from "../support/answers.ts"
import { parseList } from "../support/structured-fields.ts"

const dateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

interface Asked {
  readonly keepAlive?: boolean
  readonly method?: string
  readonly accept?: readonly string[]
  readonly page?: ErrorPage
}

function answerTo(code: FailureCode, asked: Asked = {}): Answer {
  const { keepAlive = true, method = "GET", accept = [], page } = asked
  const fields = accept.map((value) => `Accept: ${value}\r\n`).join("")
  const bytes = errorResponse({
    code,
    traits: failures[code],
    exchangeId: "V1StGXR8_Z5jdHi6B-myT",
    keepAlive,
    dateLine,
    request: parseRequestHead(`${method} / HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`, defaultHttp1Limits),
    page,
  })
  return onlyAnswerIn(bytes.toString("latin1"), { toHead: method === "HEAD" })
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

const browser = ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"]

describe.each(codes)("%s", (code) => {
  const traits: FailureTraits = failures[code]

  test("is a small page for a browser, with what happened, what to do, and the exchange", () => {
    const answer = answerTo(code, { accept: browser })
    expect(answer.get("content-type")).toBe("text/html; charset=utf-8")
    expect(answer.body.length).toBeLessThan(4096)
    const texts = [traits.title, traits.advice, String(traits.status), code, "V1StGXR8_Z5jdHi6B-myT"]
    expect(texts.filter((text) => !answer.body.includes(text.replaceAll("'", "&#39;")))).toEqual([])
  })

  test("tells the visitor what to do in a few plain words", () => {
    expect(traits.advice).toMatch(/^[A-Z][a-zA-Z', .-]{15,150}\.$/)
  })

  test("has a status of RFC 9110 with its own words", () => {
    const { status, reason } = answerTo(code)
    expect([400, 404, 405, 408, 413, 417, 500, 502, 503, 504]).toContain(status)
    expect(reason).not.toBe("Error")
  })

  test("is a problem of RFC 9457 that says what happened and nothing about the inside", () => {
    const answer = answerTo(code)
    expect(answer.get("content-type")).toBe("application/problem+json")
    expect(JSON.parse(answer.body)).toEqual({
      title: expect.stringMatching(/^[A-Z][a-zA-Z', -]+\.$/),
      status: traits.status,
      detail: traits.advice,
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
    "connections_full",
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
  expect(answerTo("no_agent", { method: "HEAD" }).get("content-length")).toBe(length)
})

test("an answer that is chosen by Accept says so, in both forms", () => {
  expect(answerTo("no_agent").get("vary")).toBe("Accept")
  expect(answerTo("no_agent", { accept: browser }).get("vary")).toBe("Accept")
})

test("several Accept fields count as one list", () => {
  expect(answerTo("no_agent", { accept: ["*/*;q=0.1", "text/html"] }).get("content-type")).toContain(
    "text/html",
  )
})

test("a request that could not be read gets the problem", () => {
  const bytes = errorResponse({
    code: "bad_request",
    traits: failures.bad_request,
    exchangeId: "id",
    keepAlive: false,
    dateLine,
    request: undefined,
  })
  expect(onlyAnswerIn(bytes.toString("latin1")).get("content-type")).toBe("application/problem+json")
})

describe("the page", () => {
  test("loads nothing, runs nothing, and its policy sees to it", () => {
    const answer = answerTo("no_agent", { accept: browser })
    expect(answer.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'unsafe-inline';/)
    expect(answer.body).not.toMatch(/<script|src=|url\(|@import|href="[^"]/)
  })

  test("has no body as an answer to HEAD, but its type and length", () => {
    const toGet = answerTo("no_agent", { accept: browser })
    const toHead = answerTo("no_agent", { accept: browser, method: "HEAD" })
    expect([toHead.get("content-type"), toHead.get("content-length"), toHead.body]).toEqual([
      toGet.get("content-type"),
      toGet.get("content-length"),
      "",
    ])
  })

  test("tries again by itself where that is safe and makes sense", () => {
    expect(answerTo("no_agent", { accept: browser }).body).toContain(
      '<meta http-equiv="refresh" content="5">',
    )
  })

  test.each([
    ["no_agent", "POST"],
    ["upstream_timeout", "GET"],
    ["upstream_refused", "GET"],
  ] as const)("does not try again after %s of a %s", (code, method) => {
    expect(answerTo(code, { accept: browser, method }).body).not.toContain("http-equiv")
  })
})

test.each([
  ["POST", "upstream_timeout", true],
  ["GET", "upstream_timeout", false],
  ["PUT", "upstream_timeout", false],
  ["POST", "no_agent", false],
] as const)("who sent a %s that ended in %s is told that it may have arrived: %j", (method, code, told) => {
  const warning = "What you sent may have arrived all the same: check that first."
  expect(JSON.parse(answerTo(code, { method }).body).detail.includes(warning)).toBe(told)
})

test("the operator's own page is shown in the place of ours, without a policy of ours", () => {
  const page = templatePage(
    "<h1>{{status}} {{title}}</h1>{{advice}}|{{code}}|{{exchange}}|{{retry-after}}|{{refresh}}",
  )
  const answer = answerTo("no_agent", { accept: browser, page })
  expect(answer.body).toBe(
    "<h1>503 The private server&#39;s side is not connected at the moment.</h1>" +
      "The site is not connected right now. Try again in a few seconds." +
      '|no_agent|V1StGXR8_Z5jdHi6B-myT|5|<meta http-equiv="refresh" content="5">',
  )
  expect(answer.get("content-security-policy")).toBeUndefined()
})
