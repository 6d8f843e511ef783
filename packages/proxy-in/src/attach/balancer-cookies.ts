// A load balancer before several edges keeps a session at its edge by a cookie that it sets when the agent attaches.
// The agent shows it again with every request of that session, as a browser would.

/**
 * The Cookie field that gives back what these Set-Cookie lines ask for; undefined when they ask for nothing usable. Attributes
 * do not count: the cookie lives as long as the session and goes to the edge alone (RFC 6265 §4.2).
 */
export function balancerCookies(setCookie: string | readonly string[] | undefined): string | undefined {
  const lines = typeof setCookie === "string" ? [setCookie] : (setCookie ?? [])
  const pairs = new Map<string, string>()
  for (const line of lines.slice(0, maxCookies)) {
    const pair = cookiePair.exec(line)
    if (pair?.[1] !== undefined && pair[2] !== undefined) pairs.set(pair[1], pair[2])
  }
  const field = Array.from(pairs, ([name, value]) => `${name}=${value}`).join("; ")
  return field === "" || field.length > maxFieldLength ? undefined : field
}

const maxCookies = 16
/** What a browser keeps of one site at least; every poll and push carries it. */
const maxFieldLength = 4096
/** RFC 6265 §4.1.1: a token, and octets that need no quoting. */
const cookiePair =
  /^\s*([!#$%&'*+\-.^_`|~\w]+)=("[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"|[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)\s*(?:;|$)/
