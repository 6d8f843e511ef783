// What every error that the edge gives itself must be: problem details, a truthful Proxy-Status, the exchange's id, and
// nothing of the inside.
import { expect } from "vitest"
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
  readonly retry?: boolean
}

/** `secrets`: what must not appear anywhere in the answer, e.g. the upstream's port. */
export function expectRefusal(
  answer: Answer,
  refusal: Refusal,
  secrets: readonly (string | number)[] = [],
): void {
  const { status, error, code, forwarded, retry = false } = refusal
  const details = forwarded === "no" ? "not forwarded" : "may have been forwarded"
  expect({
    status: answer.status,
    proxyStatus: answer.headers["proxy-status"],
    code: answer.headers["restante-error"],
    type: answer.headers["content-type"],
    retry: /^\d+$/.test(answer.headers["retry-after"] ?? ""),
  }).toEqual({
    status,
    proxyStatus: `restante; error=${error}; details="${details}"`,
    code,
    type: "application/problem+json",
    retry,
  })
  const exchange = answer.headers["restante-exchange"]
  expect(exchange).toMatch(/^[\w-]{21}$/)
  expect(JSON.parse(answer.text)).toEqual({
    title: expect.stringMatching(/^[A-Z][^:/\d]+\.$/),
    status,
    code,
    forwarded,
    exchange,
  })
  const whole = answer.rawHeaders.join("\n") + answer.text
  for (const secret of [...secrets, "127.0.0.1", "localhost", "ECONN", "Error:"]) {
    expect(whole).not.toContain(String(secret))
  }
}
