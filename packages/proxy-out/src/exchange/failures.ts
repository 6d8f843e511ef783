// Every way in which an exchange can end without the upstream's answer: what the client is told, and nothing more.
// Statuses are RFC 9110 §15.5 and §15.6; error types are those of RFC 9209 §2.3.
import type { ResetCode } from "@restante/protocol"

export interface FailureTraits {
  readonly status: number
  /** The Proxy-Status error type (RFC 9209 §2.3). */
  readonly proxyStatus: string
  /** One sentence for the person who reads it. Says nothing about the inside. */
  readonly title: string
  /** What the visitor can do, in one or two sentences. */
  readonly advice: string
  /** Whether the private server may have received the request. "no" means that it is safe to send it again. */
  readonly forwarded: "no" | "maybe"
  /** Seconds for Retry-After; absent where trying again soon would not help. */
  readonly retryAfterSeconds?: number
}

export const failures = {
  no_agent: {
    status: 503,
    proxyStatus: "destination_unavailable",
    title: "The private server's side is not connected at the moment.",
    advice: "The site is not connected right now. Try again in a few seconds.",
    forwarded: "no",
    retryAfterSeconds: 5,
  },
  tunnel_unknown: {
    status: 404,
    proxyStatus: "destination_not_found",
    title: "There is nothing at this address.",
    advice: "Check the address for a mistake in the name of the site.",
    forwarded: "no",
  },
  queue_full: {
    status: 503,
    proxyStatus: "connection_limit_reached",
    title: "Too many requests are waiting already.",
    advice: "Many others are waiting as well. Try again in a few seconds.",
    forwarded: "no",
    retryAfterSeconds: 5,
  },
  connections_full: {
    status: 503,
    proxyStatus: "connection_limit_reached",
    title: "Too many connections are open already.",
    advice: "Many others are connected as well. Try again in a few seconds.",
    forwarded: "no",
    retryAfterSeconds: 5,
  },
  edge_stopping: {
    status: 503,
    proxyStatus: "destination_unavailable",
    title: "This server is about to stop.",
    advice: "It is back in a moment. Try again in a few seconds.",
    forwarded: "no",
    retryAfterSeconds: 1,
  },
  upstream_refused: {
    status: 502,
    proxyStatus: "connection_refused",
    title: "The private server refused the connection.",
    advice: "The site is probably being started or repaired. Try again in a few minutes.",
    forwarded: "no",
  },
  upstream_dns: {
    status: 502,
    proxyStatus: "dns_error",
    title: "The private server's name could not be resolved.",
    advice: "The site is not set up completely. If it stays like this, tell its operator.",
    forwarded: "no",
  },
  upstream_dns_timeout: {
    status: 504,
    proxyStatus: "dns_timeout",
    title: "The private server's name could not be resolved in time.",
    advice: "Try again in a minute. If it stays like this, tell the site's operator.",
    forwarded: "no",
  },
  upstream_connect_timeout: {
    status: 504,
    proxyStatus: "connection_timeout",
    title: "The private server did not accept the connection in time.",
    advice: "The site is probably overloaded or being repaired. Try again in a few minutes.",
    forwarded: "no",
  },
  upstream_tls_certificate: {
    status: 502,
    proxyStatus: "tls_certificate_error",
    title: "The private server's certificate is not trusted.",
    advice: "The site is not set up completely. If it stays like this, tell its operator.",
    forwarded: "no",
  },
  upstream_tls_protocol: {
    status: 502,
    proxyStatus: "tls_protocol_error",
    title: "No secure connection to the private server could be made.",
    advice: "The site is not set up completely. If it stays like this, tell its operator.",
    forwarded: "no",
  },
  upstream_timeout: {
    status: 504,
    proxyStatus: "http_response_timeout",
    title: "The private server did not answer in time.",
    advice: "The site takes too long at the moment. Try again in a few minutes.",
    forwarded: "maybe",
  },
  upstream_read_timeout: {
    status: 504,
    proxyStatus: "connection_read_timeout",
    title: "The private server stopped in the middle of its answer.",
    advice: "Try again in a minute. If it stays like this, tell the site's operator.",
    forwarded: "maybe",
  },
  upstream_terminated: {
    status: 502,
    proxyStatus: "http_response_incomplete",
    title: "The private server closed the connection before it answered.",
    advice: "Try again in a minute. If it stays like this, tell the site's operator.",
    forwarded: "maybe",
  },
  upstream_incomplete: {
    status: 502,
    proxyStatus: "http_response_incomplete",
    title: "The private server's answer was not complete.",
    advice: "Try again in a minute. If it stays like this, tell the site's operator.",
    forwarded: "maybe",
  },
  upstream_protocol: {
    status: 502,
    proxyStatus: "http_protocol_error",
    title: "The private server's answer is not valid HTTP.",
    advice: "The site does not work as it should. If it stays like this, tell its operator.",
    forwarded: "maybe",
  },
  upstream_transfer_coding: {
    status: 502,
    proxyStatus: "http_response_transfer_coding",
    title: "The private server's answer uses an unknown transfer coding.",
    advice: "The site does not work as it should. If it stays like this, tell its operator.",
    forwarded: "maybe",
  },
  upstream_body_size: {
    status: 502,
    proxyStatus: "http_response_body_size",
    title: "The private server's answer is too large.",
    advice: "The site does not work as it should. If it stays like this, tell its operator.",
    forwarded: "maybe",
  },
  upstream_header_size: {
    status: 502,
    proxyStatus: "http_response_header_section_size",
    title: "The head of the private server's answer is too large.",
    advice: "Delete the cookies of this site and try again. If it stays like this, tell its operator.",
    forwarded: "maybe",
  },
  upgrade_failed: {
    status: 502,
    proxyStatus: "http_upgrade_failed",
    title: "The protocol switch failed.",
    advice: "Load the page again. If it stays like this, tell the site's operator.",
    forwarded: "maybe",
  },
  upgrade_limit: {
    status: 503,
    proxyStatus: "connection_limit_reached",
    title: "The private server's side has too many long-lived connections already.",
    advice: "Many others are connected as well. Try again in a few seconds.",
    forwarded: "no",
    retryAfterSeconds: 5,
  },
  agent_lost: {
    status: 502,
    proxyStatus: "connection_terminated",
    title: "The connection to the private server's side was lost.",
    advice: "The connection to the site was just interrupted. Try again in a few seconds.",
    forwarded: "maybe",
  },
  not_delivered: {
    status: 502,
    proxyStatus: "connection_terminated",
    title: "The connection to the private server's side was lost before the request reached it.",
    advice: "The connection to the site was just interrupted. Try again in a few seconds.",
    forwarded: "no",
    retryAfterSeconds: 1,
  },
  loop_detected: {
    status: 502,
    proxyStatus: "proxy_loop_detected",
    title: "This request came through here before.",
    advice: "The site is set up so that it calls itself. Tell its operator.",
    forwarded: "no",
  },
  body_too_large: {
    status: 413,
    proxyStatus: "http_request_denied",
    title: "The body of the request is larger than this server takes.",
    advice: "Send less at a time, a smaller file for example.",
    forwarded: "no",
  },
  expectation_failed: {
    status: 417,
    proxyStatus: "http_request_denied",
    title: "The request expects something that is not known here.",
    advice: "The program that you use asks for something unusual. Try another one.",
    forwarded: "no",
  },
  request_rejected: {
    status: 502,
    proxyStatus: "http_request_error",
    title: "The private server's side did not accept the request.",
    advice: "Check the address. If it is right, tell the site's operator.",
    forwarded: "no",
  },
  request_incomplete: {
    status: 400,
    proxyStatus: "http_request_error",
    title: "The request is not complete.",
    advice: "Your connection was probably interrupted. Try again.",
    forwarded: "maybe",
  },
  bad_request: {
    status: 400,
    proxyStatus: "http_request_error",
    title: "The request is not valid HTTP.",
    advice:
      "The program that you use, or something between it and here, sends what cannot be understood. Try another one.",
    forwarded: "no",
  },
  tls_required: {
    status: 400,
    proxyStatus: "http_request_error",
    title: "This port speaks HTTPS, and the request came as plain HTTP.",
    advice: "Write https instead of http before the address.",
    forwarded: "no",
  },
  request_timeout: {
    status: 408,
    proxyStatus: "http_request_error",
    title: "The request took too long to arrive.",
    advice: "Your connection was probably interrupted. Try again.",
    forwarded: "maybe",
  },
  method_not_allowed: {
    status: 405,
    proxyStatus: "http_request_denied",
    title: "This method is not served here.",
    advice: "The program that you use asks for something that is not done here.",
    forwarded: "no",
  },
  internal: {
    status: 500,
    proxyStatus: "proxy_internal_error",
    title: "Something went wrong here.",
    advice: "Try again in a minute. If it stays like this, tell the site's operator.",
    forwarded: "maybe",
  },
} as const satisfies Record<string, FailureTraits>

export type FailureCode = keyof typeof failures

/** What a RESET of the agent means for a client that has not received any part of an answer. */
export const failureOfReset = {
  cancelled: "agent_lost",
  upstream_refused: "upstream_refused",
  upstream_dns: "upstream_dns",
  upstream_dns_timeout: "upstream_dns_timeout",
  upstream_tls_certificate: "upstream_tls_certificate",
  upstream_tls_protocol: "upstream_tls_protocol",
  upstream_timeout: "upstream_timeout",
  upstream_read_timeout: "upstream_read_timeout",
  upstream_connect_timeout: "upstream_connect_timeout",
  upstream_terminated: "upstream_terminated",
  upstream_incomplete: "upstream_incomplete",
  upstream_protocol: "upstream_protocol",
  upstream_transfer_coding: "upstream_transfer_coding",
  upstream_body_size: "upstream_body_size",
  upstream_header_size: "upstream_header_size",
  upgrade_failed: "upgrade_failed",
  agent_stopping: "not_delivered",
  agent_overloaded: "not_delivered",
  agent_lost: "agent_lost",
  request_rejected: "request_rejected",
  kind_unsupported: "request_rejected",
  upgrade_limit: "upgrade_limit",
  internal: "internal",
} as const satisfies Record<ResetCode, FailureCode>
