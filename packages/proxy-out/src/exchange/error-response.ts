// The answer that we give ourselves: RFC 9457 problem details, Proxy-Status (RFC 9209), the exchange's id.
// It says nothing about the inside: no address, no name, no text of an error.
import type { FailureTraits } from "./failures.ts"

export interface ErrorResponse {
  readonly code: string
  readonly traits: FailureTraits
  readonly exchangeId: string
  readonly keepAlive: boolean
  readonly dateLine: string
  /** A response to HEAD has no body (RFC 9110 §9.3.2). */
  readonly head: boolean
}

export function errorResponse({
  code,
  traits,
  exchangeId,
  keepAlive,
  dateLine,
  head,
}: ErrorResponse): Buffer {
  const body = `${JSON.stringify({
    title: traits.title,
    status: traits.status,
    code,
    forwarded: traits.forwarded,
    exchange: exchangeId,
  })}\n`
  const details = traits.forwarded === "no" ? "not forwarded" : "may have been forwarded"
  const lines = [
    `HTTP/1.1 ${traits.status} ${reasons[traits.status] ?? "Error"}`,
    dateLine.trimEnd(),
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    `Proxy-Status: restante; error=${traits.proxyStatus}; details="${details}"`,
    `Restante-Error: ${code}`,
    `Restante-Exchange: ${exchangeId}`,
  ]
  if (traits.retryAfterSeconds !== undefined) lines.push(`Retry-After: ${traits.retryAfterSeconds}`)
  if (traits.status === 405) lines.push("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") // RFC 9110 §15.5.6
  if (!keepAlive) lines.push("Connection: close")
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${head ? "" : body}`, "utf8")
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
