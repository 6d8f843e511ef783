// What a method promises about repeating it (RFC 9110 section 9.2), which decides whether a request may be sent twice.

/** RFC 9110 section 9.2.2: sending it twice has the effect of sending it once. Unknown methods are not. */
export const isIdempotent = (method: string): boolean => idempotentMethods.has(method)

/** RFC 9110 section 9.2.1: it asks for no change. */
export const isSafe = (method: string): boolean => safeMethods.has(method)

/** Those of RFC 9110 and the read-only ones of the method registry: WebDAV (RFC 4918, 3253, 5323) and QUERY. */
const safeMethods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "QUERY",
  "REPORT",
  "SEARCH",
])

const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, "PUT", "DELETE"])
