// Which fields cross a proxy, as data. RFC 9110 sections 5.3, 6.5.1, 7.6.1 and 11.7.

/** About one connection only: never forwarded, not configurable. Trailer is not in it: we carry the trailers, so it stays true. */
export const connectionFields: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]

/**
 * What Connection cannot nominate away, prefixes included: who may look, where it goes, where it ends, what it is.
 * RFC 9110 section 7.6.1 forbids to nominate a field that is meant for every recipient; those that do are after an attack.
 */
export const guardedFields: RegExp =
  /^(?:accept.*|age|allow|authorization|authentication-.*|cache-control|cdn-loop|content-.*|cookie2?|date|etag|expect|expires|forwarded|from|host|idempotency-key|if-.*|last-modified|location|max-forwards|origin|pragma|prefer|range|referer|retry-after|server|set-cookie2?|strict-transport-security|trailer|user-agent|vary|via|warning|www-authenticate|x-forwarded-.*|x-real-ip)$/

/**
 * What a trailer section cannot carry: framing, routing, request modifiers, authentication, response control, content format
 * (RFC 9110 section 6.5.1), besides the fields about the connection.
 */
export const forbiddenTrailers: readonly string[] = [
  ...connectionFields,
  "age",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expect",
  "expires",
  "forwarded",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "location",
  "max-forwards",
  "pragma",
  "range",
  "retry-after",
  "set-cookie",
  "trailer",
  "vary",
  "via",
  "warning",
  "www-authenticate",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]
