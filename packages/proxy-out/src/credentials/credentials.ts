// Who may attach, and to which tunnels: the operator's own token, and the named ones of a file that is read again whenever
// it changes.
import { timingSafeEqual } from "node:crypto"
import type { OpenPort, Secret } from "@restante/protocol"
import type { Logger } from "pino"
import type { Clock } from "../clock.ts"
import { allowsPort } from "../ports/allowance.ts"
import { fileStamp, readIfThere } from "../state/owned-file.ts"
import { allowsRoute, allowsTunnel, isExpired, type NamedToken, tokenDigest, tokenId } from "./named-token.ts"
import { parseTokens, TokensFileError } from "./tokens-file.ts"

/** What a token that was accepted allows. */
export interface Credential {
  /** Stays the same while the token is valid; begins with "default" for the operator's own token. */
  readonly id: string
  /** For logs. */
  readonly name: string
  /** The operator's own: what named tokens may have of the edge is not its limit. */
  readonly isOwn?: boolean | undefined
  readonly tunnels: readonly string[]
  /** See `allowsRoute`. */
  readonly routes?: readonly string[] | undefined
  /** What is allowed beyond HTTP, by kind. */
  readonly allow: readonly string[]
}

export interface CredentialsOptions {
  /** The token that opens every tunnel; undefined: only named ones are let in. */
  readonly token: Secret | undefined
  /** Where named tokens are; undefined: there are none. */
  readonly file: string | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Tokens were revoked, narrowed or made, or one has expired: sessions are to be looked through with `allows`. */
  readonly onChange: () => void
}

interface OwnToken {
  readonly digest: Buffer
  readonly credential: Credential
}

export class Credentials {
  readonly #options: CredentialsOptions
  #own: OwnToken | undefined
  /** How many tokens of the operator's own there have been. */
  #owns = 0
  #tokens = new Map<string, { readonly token: NamedToken; readonly digest: Buffer }>()
  #stamp: string | undefined
  /** How often in a row there was no file. */
  #missed = 0
  #broken: string | undefined
  #nextExpiry = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: CredentialsOptions) {
    this.#options = options
    this.#own = this.#ownOf(options.token)
  }

  /** From now on this one opens every tunnel; what another one let in no longer may serve. */
  change(token: Secret | undefined): void {
    const own = this.#ownOf(token)
    if (own?.digest.toString("hex") === this.#own?.digest.toString("hex")) return
    this.#own = own
    this.#options.log.info("the token that opens every tunnel has changed")
    this.#options.onChange()
  }

  /** Reads the file and watches it from then on. */
  async start(): Promise<void> {
    if (this.#options.file === undefined) return
    await this.#look(this.#options.file)
    this.#later(this.#options.file)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** How many tokens let somebody in. */
  get size(): number {
    return this.#tokens.size + (this.#own === undefined ? 0 : 1)
  }

  /** What the token allows; undefined when it lets nobody in. Digests are compared, in constant time: neither content nor length shows. */
  check(text: string): Credential | undefined {
    const digest = tokenDigest(text)
    if (this.#own !== undefined && timingSafeEqual(digest, this.#own.digest)) return this.#own.credential
    const entry = this.#tokens.get(tokenId(text) ?? "")
    if (entry === undefined || !timingSafeEqual(digest, entry.digest)) return undefined
    const { token } = entry
    return isExpired(token, this.#options.clock.now()) ? undefined : token
  }

  /** Whether what was let in with this credential may still serve this tunnel with these routes and ports. */
  allows(
    credentialId: string,
    tunnel: string,
    routes: readonly string[] = [],
    ports: readonly OpenPort[] = [],
  ): boolean {
    if (credentialId === this.#own?.credential.id) return true
    const entry = this.#tokens.get(credentialId)
    return (
      entry !== undefined &&
      !isExpired(entry.token, this.#options.clock.now()) &&
      allowsTunnel(entry.token.tunnels, tunnel) &&
      routes.every((route) => allowsRoute(entry.token, route)) &&
      ports.every(({ kind, port }) => allowsPort(entry.token.allow, kind, port))
    )
  }

  #ownOf(token: Secret | undefined): OwnToken | undefined {
    if (token === undefined) return undefined
    const credential = { ...ownCredential, id: `default-${++this.#owns}` }
    return { digest: tokenDigest(token.reveal()), credential }
  }

  #later(file: string): void {
    this.#timer = setTimeout(() => {
      void this.#look(file).finally(() => {
        if (!this.#stopped) this.#later(file)
      })
    }, lookMs).unref()
  }

  async #look(file: string): Promise<void> {
    const { clock, log, onChange } = this.#options
    try {
      const stamp = await fileStamp(file)
      if (stamp === "" && this.#stamp !== undefined && this.#stamp !== "" && ++this.#missed < missesToBelieve)
        return
      if (stamp !== this.#stamp) {
        const text = await readIfThere(file)
        const tokens = text === undefined ? [] : parseTokens(text)
        this.#take(tokens)
        this.#stamp = stamp
        this.#missed = 0
        this.#broken = undefined
        if (text !== undefined) log.info({ tokens: tokens.length }, "tokens read")
        onChange()
      }
    } catch (error) {
      this.#complain(file, error)
    }
    if (clock.now() < this.#nextExpiry) return
    this.#take([...this.#tokens.values()].map(({ token }) => token))
    onChange()
  }

  #take(tokens: readonly NamedToken[]): void {
    this.#tokens = new Map(
      tokens.map((token) => [token.id, { token, digest: Buffer.from(token.sha256, "hex") }]),
    )
    const now = this.#options.clock.now()
    this.#nextExpiry = Number.POSITIVE_INFINITY
    for (const token of tokens) {
      if (token.expiresAt !== undefined && !isExpired(token, now))
        this.#nextExpiry = Math.min(this.#nextExpiry, Date.parse(token.expiresAt))
    }
  }

  /** What was valid stays valid; said once for every way in which the file is broken. */
  #complain(file: string, error: unknown): void {
    const reason =
      error instanceof TokensFileError
        ? error.message
        : error instanceof Error && "code" in error
          ? String(error.code)
          : "unknown"
    if (this.#broken === reason) return
    this.#broken = reason
    this.#options.log.error(
      { file, reason },
      "the file of tokens cannot be used: those read before stay valid",
    )
  }
}

const ownCredential = { name: "default", isOwn: true, tunnels: ["*"], allow: ["*"] } as const
const lookMs = 1000
/** Some editors take a file away before they put the new one there. */
const missesToBelieve = 2
