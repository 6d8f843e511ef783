// What the edge told a client with an error of its own, checked for what every such error must be: problem details, a
// truthful Proxy-Status, the exchange's id, and nothing of the inside.
import type { Answer } from "./client.ts"

export interface Refusal {
  readonly status: number
  /** Error type of RFC 9209 section 2.3. */
  readonly error: string
  /** Our own code, in Restante-Error. */
  readonly code: string
  /** Whether the private server may have seen the request. */
  readonly forwarded: "no" | "maybe"
  /** Whether Retry-After says when to try again. */
  readonly retry: boolean
}

/** Throws when it is not such an error. `secrets`: what must not appear anywhere in it, e.g. the upstream's port. */
export function refusalIn(answer: Answer, secrets: readonly (string | number)[] = []): Refusal {
  const { status, headers, rawHeaders, text } = answer
  const whole = `${rawHeaders.join("\n")}\n\n${text}`
  const proxyStatus = /^restante; error=(\w+); details="(not forwarded|may have been forwarded)"$/.exec(
    String(headers["proxy-status"]),
  )
  if (proxyStatus === null || headers["content-type"] !== "application/problem+json")
    throw new Error(`not an error of the edge's own: ${status}\n${whole}`)
  const leaked = [...secrets, "127.0.0.1", "localhost", "ECONN", "Error:"].filter((secret) =>
    whole.includes(String(secret)),
  )
  if (leaked.length > 0) throw new Error(`tells of the inside (${leaked.join(", ")}):\n${whole}`)
  const [, error = "", details] = proxyStatus
  const forwarded = details === "not forwarded" ? "no" : "maybe"
  const code = String(headers["restante-error"])
  const exchange = String(headers["restante-exchange"])
  const { title, detail, ...problem } = JSON.parse(text) as Record<string, unknown>
  const wellFormed =
    /^[\w-]{21}$/.test(exchange) &&
    /^[A-Z][^:/\d]+\.$/.test(String(title)) &&
    /^[A-Z][^/\d]+\.$/.test(String(detail)) &&
    JSON.stringify(problem) === JSON.stringify({ status, code, forwarded, exchange })
  if (!wellFormed) throw new Error(`head and body do not say the same:\n${whole}`)
  return { status, error, code, forwarded, retry: /^\d+$/.test(headers["retry-after"] ?? "") }
}
