// What can be wrong between an agent and its edge, in words that say what to do. Foreign errors are translated here, once.
import { WireError } from "@restante/protocol"
import type { WireErrorCode } from "@restante/protocol"

export const linkErrorTable = {
  name_not_found: "The edge's name cannot be resolved: check the host in --external and this machine's DNS.",
  refused: "Nothing listens at the edge's address: check the port in --external, and that proxy-out runs.",
  unreachable: "The edge cannot be reached from here: check the network, a firewall, and --external.",
  timeout: "The edge does not answer in time: check the network between here and there.",
  tls: "No trusted TLS connection to the edge: check its certificate, or give its CA with --external-ca-file.",
  tls_not_spoken:
    "What answers at --external speaks no TLS: write http:// there instead of https://, or check the port.",
  tls_required: "What answers at --external speaks TLS: write https:// there instead of http://.",
  client_certificate:
    "The edge wants a client certificate, or does not accept ours: check --external-cert-file and --external-key-file.",
  proxy_name_not_found:
    "The proxy's name cannot be resolved: check --proxy or HTTPS_PROXY, and this machine's DNS.",
  proxy_refused:
    "Nothing listens at the proxy's address: check --proxy or HTTPS_PROXY, or go without (--proxy none).",
  proxy_unreachable:
    "The proxy cannot be reached from here: check --proxy or HTTPS_PROXY, or go without (--proxy none).",
  proxy_timeout: "The proxy does not answer in time: check --proxy or HTTPS_PROXY, and the network.",
  proxy_tls:
    "No trusted TLS connection to the proxy: check its certificate, give its CA with --proxy-ca-file, or write http:// if it has no TLS.",
  proxy_credentials:
    "The proxy wants another user or password: put them into PROXY_IN_PROXY=http://USER:PASSWORD@HOST:PORT.",
  proxy_refuses:
    "The proxy does not let us through to the edge: have it allow CONNECT to the edge's host and port, or choose another with --proxy.",
  proxy_cannot_reach:
    "The proxy cannot reach the edge: check --external, and that the edge can be reached from the proxy.",
  token:
    "The edge refuses the token: use the one that proxy-out printed at its first start (--token-file or RESTANTE_TOKEN).",
  tunnel: "The token does not allow this tunnel: choose another with --tunnel, or have the token allow it.",
  route:
    "The token does not allow this route: choose another --route, or have the edge's operator make a token that allows it (proxy-out token create --routes).",
  route_taken:
    "Another tunnel at the edge has this route already: choose another --route, or have the edge's operator forget that tunnel (proxy-out tunnel forget).",
  port_refused:
    "The edge does not open a port that --tcp or --udp asks for: the detail says why, and which ones it opens.",
  tunnels_full:
    "The edge knows as many tunnels as it can: have its operator forget some (proxy-out tunnel forget).",
  sessions_full:
    "As many agents are attached to the edge as may be: stop those that nobody needs, or have its operator give this one a token of its own.",
  rate_limited:
    "The edge refuses the token, and too many wrong ones came from this address: use the right one (--token-file or RESTANTE_TOKEN); it is let in at once.",
  version:
    "The edge speaks another version of the protocol: bring proxy-in and proxy-out to the same release.",
  not_restante:
    "What answers at --external is not a Restante edge: check the address, and what stands between (a login page, a proxy).",
  edge_error: "The edge, or something in front of it, answers with an error.",
  session_over: "The edge has ended the session.",
  closed:
    "The connection to the edge was lost. If it never comes about, see whether --external is right, http:// or https:// included.",
} as const satisfies Record<string, string>

export type LinkErrorCode = keyof typeof linkErrorTable

export class LinkError extends Error {
  readonly code: LinkErrorCode
  /** For logs: a status, the system's error code; "" for none. */
  readonly detail: string

  constructor(code: LinkErrorCode, detail = "", options?: ErrorOptions) {
    super(detail === "" ? linkErrorTable[code] : `${linkErrorTable[code]} (${detail})`, options)
    this.detail = detail
    this.name = "LinkError"
    this.code = code
  }

  /** One sentence that says what is wrong and what to do. */
  get remedy(): string {
    return linkErrorTable[this.code]
  }

  /** Trying again helps only once a person has changed something. */
  get needsPerson(): boolean {
    return personCodes.has(this.code)
  }

  /** Something answered, and not as an edge that knows the session does: the network itself works. */
  get isAnswer(): boolean {
    return this.code === "edge_error" || this.code === "not_restante"
  }

  /** On the way to a proxy, and until it has given us a connection to the edge. */
  static atProxy(reason: unknown): LinkError {
    const error = LinkError.from(reason)
    const code = codesAtProxy[error.code]
    if (code === undefined) return error
    const detail = error.code === "closed" ? "it closed the connection" : error.detail
    return new LinkError(code, detail, { cause: reason })
  }

  static from(reason: unknown): LinkError {
    if (reason instanceof LinkError) return reason
    if (reason instanceof WireError)
      return new LinkError(codesOfAnswers[reason.code] ?? "session_over", reason.message, { cause: reason })
    for (
      let error: unknown = reason, depth = 0;
      error instanceof Error && depth < 5;
      error = firstCause(error), depth++
    ) {
      const code = "code" in error && typeof error.code === "string" ? error.code : ""
      const known = systemCodes[code] ?? familyOf(code, error.name)
      if (known !== undefined) return new LinkError(known, code, { cause: reason })
    }
    return new LinkError("closed", reason instanceof Error ? reason.message : undefined, { cause: reason })
  }
}

/**
 * An answer that something else gave, or that was cut on its way, is asked for again. Any other that cannot be read is an
 * edge's and wrong: the session is broken.
 */
const codesOfAnswers: Readonly<Partial<Record<WireErrorCode, LinkErrorCode>>> = {
  not_restante: "not_restante",
  message_truncated: "closed",
}

const codesAtProxy: Readonly<Partial<Record<LinkErrorCode, LinkErrorCode>>> = {
  name_not_found: "proxy_name_not_found",
  refused: "proxy_refused",
  unreachable: "proxy_unreachable",
  timeout: "proxy_timeout",
  tls: "proxy_tls",
  tls_not_spoken: "proxy_tls",
  not_restante: "proxy_refuses",
  closed: "proxy_refuses",
}

const personCodes: ReadonlySet<LinkErrorCode> = new Set<LinkErrorCode>([
  "tls_not_spoken",
  "tls_required",
  "token",
  "tunnel",
  "route",
  "route_taken",
  "tunnels_full",
  "sessions_full",
  "port_refused",
  "rate_limited",
  "version",
])

const systemCodes: Readonly<Record<string, LinkErrorCode>> = {
  ENOTFOUND: "name_not_found",
  EAI_AGAIN: "name_not_found",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EACCES: "unreachable",
  ETIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  EPROTO: "tls",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls_not_spoken",
}

/** OpenSSL's and the HTTP parser's codes are many. */
function familyOf(code: string, name: string): LinkErrorCode | undefined {
  if (name === "TimeoutError") return "timeout"
  if (clientCertificateAlert.test(code)) return "client_certificate"
  if (name === "HTTPParserError" || code.startsWith("HPE_")) return "not_restante"
  if (code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_") || code.includes("CERT")) return "tls"
  return code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE" ? "tls" : undefined
}

/** What a server says about our certificate, or about that there is none (RFC 8446 section 6.2). */
const clientCertificateAlert =
  /^ERR_SSL_\S*ALERT_(?:CERTIFICATE_(?:REQUIRED|UNKNOWN|EXPIRED|REVOKED)|(?:BAD|NO|UNSUPPORTED)_CERTIFICATE|UNKNOWN_CA)$|^ERR_SSL_\S*ALERT_HANDSHAKE_FAILURE$/

/** Of several addresses that all failed, the first one's error speaks for all. */
function firstCause(error: Error): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors[0]
  return error.cause
}
