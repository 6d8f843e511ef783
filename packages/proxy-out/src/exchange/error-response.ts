// The answer that we give ourselves: RFC 9457 problem details or a page, as the client likes it, with Proxy-Status (RFC 9209) and the
// exchange's id. It says nothing about the inside: no address, no name, no text of an error.
import { isIdempotent } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"
import { allowedMethods } from "../ingress/max-forwards.ts"
import { prefersHtml } from "./accept.ts"
import { builtInPage } from "./error-page.ts"
import type { ErrorPage } from "./error-page.ts"
import type { FailureCode, FailureTraits } from "./failures.ts"

export interface ErrorResponse {
  readonly code: FailureCode
  readonly traits: FailureTraits
  readonly exchangeId: string
  readonly keepAlive: boolean
  readonly dateLine: string
  /** Undefined when it could not be read. */
  readonly request: Pick<RequestHead, "method" | "fields"> | undefined
  /** The operator's own page, if there is one. */
  readonly page?: ErrorPage | undefined
}

export function errorResponse(error: ErrorResponse): Buffer {
  const { code, traits, exchangeId, keepAlive, dateLine, request, page = builtInPage } = error
  const html = prefersHtml(request?.fields.all("accept").join(","))
  const body = html ? htmlBody(error, page) : problemBody(error)
  const details = traits.forwarded === "no" ? "not forwarded" : "may have been forwarded"
  const lines = [
    `HTTP/1.1 ${traits.status} ${reasons[traits.status] ?? "Error"}`,
    dateLine.trimEnd(),
    `Content-Type: ${html ? "text/html; charset=utf-8" : "application/problem+json"}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    "Vary: Accept",
    "X-Content-Type-Options: nosniff",
    `Proxy-Status: restante; error=${traits.proxyStatus}; details="${details}"`,
    `Restante-Error: ${code}`,
    `Restante-Exchange: ${exchangeId}`,
  ]
  if (html && page.policy !== undefined) lines.push(`Content-Security-Policy: ${page.policy}`)
  if (traits.retryAfterSeconds !== undefined) lines.push(`Retry-After: ${traits.retryAfterSeconds}`)
  if (traits.status === 405) lines.push(`Allow: ${allowedMethods}`) // RFC 9110 §15.5.6
  if (!keepAlive) lines.push("Connection: close")
  // A response to HEAD has no body (RFC 9110 §9.3.2).
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${request?.method === "HEAD" ? "" : body}`, "utf8")
}

function problemBody({ code, traits, exchangeId, request }: ErrorResponse): string {
  return `${JSON.stringify({
    title: traits.title,
    status: traits.status,
    detail: adviceFor(traits, request?.method),
    code,
    forwarded: traits.forwarded,
    exchange: exchangeId,
  })}\n`
}

function htmlBody({ code, traits, exchangeId, request }: ErrorResponse, page: ErrorPage): string {
  const { status, title, retryAfterSeconds } = traits
  return page.render({
    status,
    title,
    code,
    exchange: exchangeId,
    advice: adviceFor(traits, request?.method),
    retryAfterSeconds,
    // HEAD as well: its length is that of the answer to GET.
    reload: (request?.method === "GET" || request?.method === "HEAD") && retryAfterSeconds !== undefined,
  })
}

/** To send an order a second time can be worse than not to know what became of it. */
function adviceFor({ advice, forwarded }: FailureTraits, method: string | undefined): string {
  const careful = forwarded === "maybe" && method !== undefined && !isIdempotent(method)
  return careful ? `${advice} What you sent may have arrived all the same: check that first.` : advice
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
}
