// A token with a name: what the edge keeps of it, what it allows, and how its text is made and taken apart.
import { createHash, randomBytes, randomInt } from "node:crypto"
import { parseRoute, routeCovers, Secret } from "@restante/protocol"

/** What is kept of a token. Its text is shown once, when it is made, and cannot be had again. */
export interface NamedToken {
  /** Stands in the token's text too: it finds the entry. 12 of a-z and 0-9. */
  readonly id: string
  /** What people call it. As a tunnel's name. */
  readonly name: string
  /** Of the token's whole text, hexadecimal. */
  readonly sha256: string
  /** Tunnels' names, `PREFIX*` for all that begin so, `*` for all. */
  readonly tunnels: readonly string[]
  /** Routes that these tunnels may have, and whatever lies within one; `*` for any. Undefined: any when it opens every tunnel, else none. */
  readonly routes?: readonly string[] | undefined
  /** What it allows beyond HTTP, by kind. */
  readonly allow: readonly string[]
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601; undefined: it does not end by itself. */
  readonly expiresAt?: string | undefined
}

/** A tunnel's name, `PREFIX*` or `*`. */
export const tunnelPattern: RegExp = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|[a-z0-9][a-z0-9-]{0,61}\*|\*)$/

export function allowsTunnel(patterns: readonly string[], tunnel: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? tunnel.startsWith(pattern.slice(0, -1)) : tunnel === pattern,
  )
}

/** A route or `*`. */
export function isRoutePattern(text: string): boolean {
  return text === "*" || parseRoute(text) !== undefined
}

/**
 * Whether a tunnel may have this route with such a token. A name is one thing and a route another: whoever may be called "ci" must not
 * take the requests for shop.example.com by that.
 */
export function allowsRoute(
  { tunnels, routes }: Pick<NamedToken, "tunnels" | "routes">,
  route: string,
): boolean {
  const inner = parseRoute(route)
  return (routes ?? tunnels).some((text) => {
    if (text === "*") return true
    const outer = routes && parseRoute(text)
    return outer !== undefined && inner !== undefined && routeCovers(outer, inner)
  })
}

export function isExpired({ expiresAt }: Pick<NamedToken, "expiresAt">, now: number): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= now
}

/** `rst_ID_SECRET` with 256 random bits. */
export function makeToken(): { readonly id: string; readonly token: Secret } {
  const id = Array.from({ length: idLength }, () => idLetters[randomInt(idLetters.length)]).join("")
  return { id, token: new Secret(`rst_${id}_${randomBytes(32).toString("base64url")}`) }
}

/** The id in a token's text; undefined for a text that `makeToken` did not make. */
export function tokenId(text: string): string | undefined {
  return tokenTextPattern.exec(text)?.[1]
}

/**
 * SHA-256 and nothing slower: slow hashes protect what people think up, which can be guessed. Nobody guesses 256 random bits,
 * however fast the tries are, and an agent that attaches should cost the edge microseconds.
 */
export function tokenDigest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest()
}

const idLength = 12
const idLetters = "abcdefghijklmnopqrstuvwxyz0123456789"
const tokenTextPattern = /^rst_([a-z0-9]{12})_[\w-]{43}$/
