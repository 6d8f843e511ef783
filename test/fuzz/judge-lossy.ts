// The oracle where agents are killed in the middle of exchanges: an exchange may fail, but truthfully; nothing that is not safe to repeat
// happens twice, and what is broken never looks whole (that every whole answer is right, byte for byte, the reader has seen already).
import type { Outcome } from "./fuzz-client.ts"
import { connectionStays } from "./text.ts"
import type { Expected } from "./upstream.ts"

/** RFC 9110 section 9.2.2, and QUERY (RFC 10008). */
const repeatable: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "QUERY"])
/** Attempts at an exchange, each of which may find a kept connection broken and go once more. */
const mostHeads = 2 * 3

/** What the edge says when the agent that had the exchange is gone, and how often it can have been begun. */
const lossCodes: ReadonlySet<string> = new Set(["agent_lost", "not_delivered", "no_agent"])

/** Whether the connection can be used again. Throws when anything is worse than a lost agent excuses. */
export function judgeLossy(expected: Expected, got: Outcome): boolean {
  const { exchange } = expected
  const { answer } = exchange
  const wrong = (what: string): Error => new Error(`exchange ${expected.id} (${exchange.method}): ${what}`)
  judgeHeads(expected)
  switch (got.kind) {
    case "left":
      if (exchange.client.does === "leaves while it sends" && expected.wholes > 0)
        throw wrong("looked whole to the upstream")
      return false
    case "unanswered":
      if (expected.heads > 0) throw wrong("was begun on a connection that the edge had said to close")
      return false
    case "broken":
      return false
    case "refused":
      if (!lossCodes.has(got.code) && answer.breaks === undefined) throw wrong(`refused with ${got.code}`)
      if (got.status !== 502 && got.status !== 503) throw wrong(`status ${got.status}`)
      if (!got.forwarded && expected.heads > 0) throw wrong("reached the upstream and was said not to have")
      return false
    case "whole":
      if (answer.breaks !== undefined) throw wrong("looks whole to the client")
      if (got.hints < (exchange.minorVersion === 1 ? answer.hints : 0)) throw wrong(`${got.hints} hints`)
      if (answer.at === "the end of the request" && expected.wholes === 0)
        throw wrong("was answered without having reached the upstream")
      return connectionStays(exchange) && answer.at === "the end of the request"
  }
}

/** Once more when everything is over: what comes late counts as well. */
export function judgeHeads({ exchange, heads, id }: Expected): void {
  const once = exchange.answer.breaks === undefined ? 1 : 2
  const most = repeatable.has(exchange.method) ? mostHeads : once
  if (heads > most)
    throw new Error(`exchange ${id} (${exchange.method}): reached the upstream ${heads} times`)
}
