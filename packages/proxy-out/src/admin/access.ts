// Who may see the pages about the inside: whoever shows the admin token, or this machine itself.
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { Secret } from "@restante/protocol"
import type { Clock } from "../clock.ts"
import type { TrustedProxies } from "../ingress/trusted-proxies.ts"
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
  /** Who has told us that a proxy stands at an address speaks for no address there. */
  readonly proxies?: Pick<TrustedProxies, "trusts"> | undefined
}

type AdminRequest = Pick<IncomingMessage, "headers"> & {
  readonly socket: Peer
  readonly httpVersion?: string
}

export class AdminAccess {
  #proxies: AdminAccessOptions["proxies"]
  #digest: Buffer | undefined
  readonly #failures: FailedAttempts

  constructor(options: AdminAccessOptions) {
    this.change(options)
    this.#failures = new FailedAttempts({ clock: options.clock, mostPerMinute: maxTries })
  }

  /** Another token, or none, and other proxies count from now on. */
  change({ token, proxies }: Pick<AdminAccessOptions, "token" | "proxies">): void {
    this.#proxies = proxies
    this.#digest = token === undefined ? undefined : digest(token.reveal())
  }

  check(request: AdminRequest): Verdict {
    const { authorization } = request.headers
    if (authorization === undefined) {
      return isThisMachine(request) && this.#proxies?.trusts(request.socket.remoteAddress ?? "") !== true
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

const localHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

interface Peer {
  readonly remoteAddress?: string | undefined
}

/**
 * The TCP peer is this machine, and speaks for itself: a reverse proxy on the same machine would make the whole world local, so a
 * request that has passed any proxy does not count. One that adds nothing (nginx without proxy_set_header) still speaks HTTP/1.0 or passes
 * the Host of the world on. The Host also keeps away a page in a local browser whose name was made to lead here (DNS rebinding).
 */
function isThisMachine({ headers, socket, httpVersion }: AdminRequest): boolean {
  if (httpVersion === "1.0" || !localHost.test(headers.host ?? "")) return false
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
