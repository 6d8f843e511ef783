// Who may see the pages about the inside: whoever shows the admin token, or this machine itself.
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { Secret } from "@restante/protocol"
import type { Clock } from "../clock.ts"
import { FailedAttempts } from "../credentials/failed-attempts.ts"

export type Verdict =
  | { readonly kind: "granted" }
  /** `tokenKnown`: there is one that would open the page. */
  | { readonly kind: "refused"; readonly tokenKnown: boolean }
  /** Too many wrong tokens lately. */
  | { readonly kind: "limited"; readonly retryAfterSeconds: number }

export interface AdminAccessOptions {
  readonly token: Secret | undefined
  readonly clock: Clock
}

export class AdminAccess {
  readonly #digest: Buffer | undefined
  readonly #failures: FailedAttempts

  constructor({ token, clock }: AdminAccessOptions) {
    this.#digest = token === undefined ? undefined : digest(token.reveal())
    this.#failures = new FailedAttempts({ clock, mostPerMinute: maxTries })
  }

  check(request: Pick<IncomingMessage, "headers"> & { readonly socket: Peer }): Verdict {
    const { authorization } = request.headers
    if (authorization === undefined) {
      return isThisMachine(request)
        ? { kind: "granted" }
        : { kind: "refused", tokenKnown: this.#digest !== undefined }
    }
    // A good token is let in whatever others from the same address have tried.
    if (this.#isToken(authorization)) return { kind: "granted" }
    const { retryAfterSeconds } = this.#failures.note(request.socket.remoteAddress ?? "")
    if (retryAfterSeconds !== undefined) return { kind: "limited", retryAfterSeconds }
    return { kind: "refused", tokenKnown: this.#digest !== undefined }
  }

  /** Compares digests, so that neither content nor length of the token can be told from the time it takes. */
  #isToken(authorization: string): boolean {
    const given = /^Bearer +([\x21-\x7e]{1,2048})$/i.exec(authorization)?.[1]
    return given !== undefined && this.#digest !== undefined && timingSafeEqual(digest(given), this.#digest)
  }
}

interface Peer {
  readonly remoteAddress?: string | undefined
}

/**
 * The TCP peer is this machine, and speaks for itself: a reverse proxy on the same machine would make the whole world local, so a
 * request that has passed any proxy does not count.
 */
function isThisMachine({
  headers,
  socket,
}: Pick<IncomingMessage, "headers"> & { readonly socket: Peer }): boolean {
  const address = socket.remoteAddress ?? ""
  if (address !== "::1" && !/^(?:::ffff:)?127\./.test(address)) return false
  return !Object.keys(headers).some(
    (name) => proxyFields.has(name) || name.startsWith("x-forwarded-") || name.startsWith("cf-"),
  )
}

/** What proxies add to a request: the standard ones (RFC 7239, RFC 9110 §7.6.3) and those that are common. */
const proxyFields: ReadonlySet<string> = new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "true-client-ip",
  "x-original-forwarded-for",
  "x-envoy-external-address",
])

/** Wrong tokens a minute and address before 429. */
const maxTries = 10

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest()
}
