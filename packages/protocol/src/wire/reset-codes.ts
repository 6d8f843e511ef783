// Why a stream was broken off: the closed table of RESET codes, by name here and by number on the wire.
// Numbers are never reused; a number from a newer peer reads as `internal`.
export const resetCodes = {
  /** The receiver of the answer (or sender of the request) left. */
  cancelled: 1,
  upstream_refused: 2,
  upstream_dns: 3,
  upstream_dns_timeout: 4,
  upstream_tls_certificate: 5,
  upstream_tls_protocol: 6,
  /** No response head in time. */
  upstream_timeout: 7,
  /** The response began, then stood still for too long. */
  upstream_read_timeout: 8,
  upstream_connect_timeout: 9,
  /** The connection ended before a response head. */
  upstream_terminated: 10,
  /** The connection ended in the middle of the response body. */
  upstream_incomplete: 11,
  /** What came is not HTTP/1.1. */
  upstream_protocol: 12,
  upstream_transfer_coding: 13,
  upstream_body_size: 14,
  upstream_header_size: 15,
  upgrade_failed: 16,
  /** The agent stops and has not begun this exchange. */
  agent_stopping: 17,
  /** The agent has no room and has not begun this exchange. */
  agent_overloaded: 18,
  agent_lost: 19,
  /** The agent refuses to replay this request (its own reader found it invalid). */
  request_rejected: 20,
  /** The agent does not know this kind of stream. */
  kind_unsupported: 21,
  /** The agent has as many switched connections as it may have; not begun, and only another agent may take it. */
  upgrade_limit: 22,
  internal: 255,
} as const satisfies Record<string, number>

export type ResetCode = keyof typeof resetCodes

/** Codes that say: the exchange was never begun, so any method may be offered again. */
export const notBegunCodes: ReadonlySet<ResetCode> = new Set<ResetCode>([
  "agent_stopping",
  "agent_overloaded",
])

export function resetCodeFromNumber(code: number): ResetCode {
  return namesByNumber.get(code) ?? "internal"
}

function isResetCode(name: string): name is ResetCode {
  return Object.hasOwn(resetCodes, name)
}

const namesByNumber: ReadonlyMap<number, ResetCode> = new Map(
  Object.keys(resetCodes)
    .filter(isResetCode)
    .map((name) => [resetCodes[name], name]),
)
