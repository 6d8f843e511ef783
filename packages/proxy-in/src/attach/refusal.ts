// What an answer that is not the one hoped for says: an edge's refusal by its problem document, and somebody else's answer.
import { z } from "zod"
import { LinkError } from "./link-error.ts"
import type { LinkErrorCode } from "./link-error.ts"
import { proxyRefusal } from "./proxy-tunnel.ts"

/** Of an edge: `text` is the body of its answer, a problem document (RFC 9457). */
export function refusal(status: number, text: string): LinkError {
  const problem = problemSchema.safeParse(parseJson(text))
  const code = problem.success ? codesOfProblems[problem.data.code] : undefined
  const told = code !== undefined && toldCodes.has(code)
  const detail = told && problem.success ? problem.data.detail : undefined
  return new LinkError(code ?? "edge_error", detail ?? `status ${status}`)
}

/** An answer that no edge gave: of a proxy or balancer before it that cannot reach it, or of something else altogether. */
export function foreignAnswer(status: number): LinkError {
  if (status === 407) return proxyRefusal(status)
  return new LinkError(status >= 500 ? "edge_error" : "not_restante", `status ${status}`)
}

/**
 * An answer to plain HTTP that asks for TLS: of an edge's port that speaks it, or a redirect of the same host to https. Another host's is a
 * login page.
 */
export function asksForTls(external: URL, { statusCode, headers }: Answer): boolean {
  if (external.protocol !== "http:") return false
  if (headers["restante-error"] === "tls_required") return true
  const { location } = headers
  if (statusCode < 300 || statusCode > 399 || typeof location !== "string") return false
  const target = URL.parse(location)
  return target?.protocol === "https:" && target.hostname === external.hostname
}

interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const problemSchema = z.object({
  code: z.string(),
  detail: z
    .string()
    .regex(/^[\x20-\x7e]{1,600}$/)
    .optional()
    .catch(undefined),
})

const codesOfProblems: Readonly<Record<string, LinkErrorCode>> = {
  token_refused: "token",
  tunnel_refused: "tunnel",
  route_refused: "route",
  route_taken: "route_taken",
  tunnels_full: "tunnels_full",
  sessions_full: "sessions_full",
  port_refused: "port_refused",
  rate_limited: "rate_limited",
  version_unsupported: "version",
  session_unknown: "session_over",
  malformed_message: "session_over",
}

/** Those whose detail says what a person has to know. */
const toldCodes: ReadonlySet<LinkErrorCode> = new Set<LinkErrorCode>([
  "route_taken",
  "route",
  "port_refused",
  "tunnels_full",
  "sessions_full",
])
