// What can be wrong between an agent and its edge, in words that say what to do. Foreign errors are translated here, once.
import { WireError } from "@restante/protocol"

export const linkErrorTable = {
  name_not_found: "The edge's name cannot be resolved: check the host in --external and this machine's DNS.",
  refused: "Nothing listens at the edge's address: check the port in --external, and that proxy-out runs.",
  unreachable: "The edge cannot be reached from here: check the network, a firewall, and --external.",
  timeout: "The edge does not answer in time: check the network between here and there.",
  tls: "No trusted TLS connection to the edge: check its certificate, or give its CA with --external-ca-file.",
  token:
    "The edge refuses the token: use the one that proxy-out printed at its first start (--token-file or RESTANTE_TOKEN).",
  tunnel: "The token does not allow this tunnel: choose another with --tunnel, or have the token allow it.",
  version:
    "The edge speaks another version of the protocol: bring proxy-in and proxy-out to the same release.",
  not_restante:
    "What answers at --external is not a Restante edge: check the address, and what stands between (a login page, a proxy).",
  edge_error: "The edge, or something in front of it, answers with an error.",
  session_over: "The edge has ended the session.",
  closed: "The connection to the edge was lost.",
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

  /** Something answered, and not as an edge that knows the session does: the network itself works. */
  get isAnswer(): boolean {
    return this.code === "edge_error" || this.code === "not_restante"
  }

  static from(reason: unknown): LinkError {
    if (reason instanceof LinkError) return reason
    if (reason instanceof WireError) {
      return new LinkError(
        reason.code === "version_unsupported" ? "version" : "not_restante",
        reason.message,
        { cause: reason },
      )
    }
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
}

/** OpenSSL's and the HTTP parser's codes are many. */
function familyOf(code: string, name: string): LinkErrorCode | undefined {
  if (name === "HTTPParserError" || code.startsWith("HPE_")) return "not_restante"
  if (code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_") || code.includes("CERT")) return "tls"
  return code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE" ? "tls" : undefined
}

/** Of several addresses that all failed, the first one's error speaks for all. */
function firstCause(error: Error): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors[0]
  return error.cause
}
