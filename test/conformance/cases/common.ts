// What many cases have in common: a request that is refused at the door, and an answer that is not valid.
import { type Case, gets, plainGet, plainGetForwarded, says, seesAbort, seesEnd } from "../case.ts"
import { refusal } from "../template.ts"

/** The edge refuses these bytes as no valid request and closes the connection; nothing reaches an upstream. */
export function refused(bytes: string, status = 400): Pick<Case, "client"> {
  return {
    client: [
      says(bytes),
      gets(refusal({ status, error: "http_request_error", code: "bad_request" })),
      seesEnd,
    ],
  }
}

/** The upstream answers a plain GET with these bytes, the client gets 502, and the upstream's connection is broken. */
export function badResponse(
  response: string,
  { error, code }: { readonly error: string; readonly code: string },
): Pick<Case, "client" | "upstream"> {
  return {
    client: [
      says(plainGet),
      gets(refusal({ status: 502, error, code, forwarded: "maybe", connection: "keep" })),
    ],
    upstream: [[gets(plainGetForwarded), says(response), seesAbort]],
  }
}
