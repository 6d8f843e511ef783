// What went wrong with the upstream, translated once into the reset codes of the wire. The cause stays in `detail`, for logs.
import { Http1Error } from "@restante/protocol"
import type { ResetCode } from "@restante/protocol"

export interface UpstreamFailure {
  readonly code: ResetCode
  /** A system's error code or a rule's name; never the upstream's bytes. */
  readonly detail: string
}

/** How far a connection has come: its name looked up, TCP connected, TLS agreed on, and for HTTP/2 the server's SETTINGS awaited. */
export type ConnectStage = "resolving" | "connecting" | "securing" | "greeting"

/** A connection that failed before it was ready: no byte of the request has left. */
export function connectFailure(error: Error | undefined, stage: ConnectStage): UpstreamFailure {
  const detail = errorCode(error)
  const known = connectCodes[detail]
  if (known !== undefined) return { code: known, detail }
  if (detail.startsWith("EAI_")) return { code: "upstream_dns", detail }
  // It is there, and whatever it speaks is not HTTP/2.
  if (stage === "greeting" && !detail.startsWith("ERR_SSL_")) return { code: "upstream_protocol", detail }
  if (stage === "resolving" || stage === "connecting") return { code: "upstream_refused", detail }
  return { code: certificateCode.test(detail) ? "upstream_tls_certificate" : "upstream_tls_protocol", detail }
}

/** A connection that was not ready in time. */
export function connectOverdue(stage: ConnectStage): UpstreamFailure {
  return { code: stage === "resolving" ? "upstream_dns_timeout" : "upstream_connect_timeout", detail: stage }
}

/** A connection that broke before the response was whole. `begun`: a byte of the response had arrived. */
export function brokenConnection(error: Error | undefined, begun: boolean): UpstreamFailure {
  return { code: begun ? "upstream_incomplete" : "upstream_terminated", detail: errorCode(error) }
}

/** What the response reader refused, or a bug of ours on the way. */
export function unreadableResponse(error: unknown): UpstreamFailure {
  if (error instanceof Http1Error) return { code: `upstream_${error.upstreamFault}`, detail: error.code }
  return { code: "internal", detail: error instanceof Error ? error.message : "unknown" }
}

const connectCodes: Readonly<Record<string, ResetCode>> = {
  EAI_AGAIN: "upstream_dns_timeout",
  ENOTFOUND: "upstream_dns",
  ENODATA: "upstream_dns",
  ETIMEDOUT: "upstream_connect_timeout",
  // Our own limit, not the upstream's fault, and nothing has begun: another agent may have room.
  EMFILE: "agent_overloaded",
  ENFILE: "agent_overloaded",
}

/** X.509 verification errors as Node names them (OpenSSL's X509_V_ERR_*), and Node's own check of the name. */
const certificateCode =
  /^(?!ERR_SSL_).*CERT|^(?:UNABLE_TO_|CRL_|ERROR_IN_)|^(?:INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/

function errorCode(error: Error | undefined): string {
  if (error === undefined) return "closed"
  return "code" in error && typeof error.code === "string" ? error.code : error.name
}
