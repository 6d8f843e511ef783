// Which protocols a client may ask the upstream to switch to, and whether an answer is one of them (RFC 9110 section 7.8).
// Upgrade is about one connection; these functions decide what of it crosses the tunnel as a stream of kind `upgrade`.
import { trimOws } from "../http1/fields.ts"
import type { RequestHead } from "../http1/request-head.ts"
import type { ResponseHead } from "../http1/response-head.ts"

/**
 * The value for the upstream's Upgrade field: what the client offered, less the protocols that never cross. Undefined: the request is an
 * ordinary one. RFC 9110 section 7.8 lets a recipient ignore Upgrade, and we do with a request that has a body: the client could only
 * switch behind it.
 */
export function upgradeOffer({ upgrade, body }: Pick<RequestHead, "upgrade" | "body">): string | undefined {
  if (upgrade === undefined) return undefined
  if (body.kind === "chunked" || (body.kind === "length" && body.length > 0)) return undefined
  const members = membersOf(upgrade)
  const crossing = members.filter((member) => protocolPattern.test(member) && !keptBack.test(member))
  if (crossing.length === 0) return undefined
  return crossing.length === members.length ? upgrade : crossing.join(", ")
}

/**
 * Whether the head is a 101 that switches to something offered. RFC 9110 section 15.2.2: it has to say to what, and section 7.8: to
 * nothing else. Names are compared without case; an offer without a version is met by any version.
 */
export function switchesTo(
  offer: string,
  { status, upgrade }: Pick<ResponseHead, "status" | "upgrade">,
): boolean {
  if (status !== 101 || upgrade === undefined) return false
  const offered = membersOf(offer.toLowerCase())
  const chosen = membersOf(upgrade.toLowerCase())
  return (
    chosen.length > 0 &&
    chosen.every(
      (member) => offered.includes(member) || offered.includes(member.slice(0, member.indexOf("/"))),
    )
  )
}

/** The two field lines that ask for, or announce, the switch. */
export function upgradeLines(protocols: string): string {
  return `Connection: Upgrade\r\nUpgrade: ${protocols}\r\n`
}

/** Whether what is switched to is WebSocket (RFC 6455 section 4.2.2). */
export function isWebSocket(protocols: string): boolean {
  return trimOws(protocols, 0, protocols.length).toLowerCase() === "websocket"
}

/** RFC 9110 section 5.6.1: empty members of a list mean nothing. */
function membersOf(list: string): string[] {
  return list
    .split(",")
    .map((member) => trimOws(member, 0, member.length))
    .filter((member) => member !== "")
}

/** RFC 9110 section 7.8: protocol = name [ "/" version ], both tokens. */
const protocolPattern = /^[\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?$/

/**
 * Protocols in which HTTP requests would go on: unread, they could say anything under this connection's name. RFC 9113 section 3.1 has
 * withdrawn h2c; TLS is RFC 2817.
 */
const keptBack = /^(?:h2c?|h3|http|tls)(?:[/-]|$)/i
