// The HTTP/2 connections to the one configured upstream: an exchange is a stream of one of them. A connection that is full, has been
// told to go (GOAWAY, RFC 9113 section 6.8) or has broken is left, and the next exchange makes a new one.
import type { UpstreamAddress } from "../../agent-options.ts"
import type { ConnectionUser } from "../connection.ts"
import type { UpstreamPool, UpstreamPoolStats } from "../pool.ts"
import type { UpstreamLink, Upstreams } from "../upstreams.ts"
import { Http2Link } from "./http2-link.ts"
import { Http2Session } from "./http2-session.ts"

export interface Http2UpstreamsOptions {
  readonly upstream: Extract<UpstreamAddress, { readonly kind: "tcp" }>
  /** Whose buffers and windows are used as well. */
  readonly shared: Pick<UpstreamPool, "buffers" | "windows">
  /** How long a new connection may take, to the upstream's SETTINGS, in milliseconds. Default 10 s. */
  readonly connectTimeoutMs?: number
  /** How long a connection is kept without an exchange, in milliseconds. Default 60 s. */
  readonly idleMs?: number
  /** Milliseconds; only differences count. */
  readonly clock: { now(): number }
}

export class Http2Upstreams implements Upstreams, AsyncDisposable {
  readonly persistent = true
  readonly http2 = true
  readonly #options: Http2UpstreamsOptions
  readonly #sessions = new Set<Http2Session>()
  readonly #links = new Set<Http2Link>()
  readonly #closed = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | undefined
  #closing = false
  #dialled = 0
  #exchanges = 0

  constructor(options: Http2UpstreamsOptions) {
    this.#options = options
  }

  get upstream(): UpstreamAddress {
    return this.#options.upstream
  }

  get buffers(): Upstreams["buffers"] {
    return this.#options.shared.buffers
  }

  get windows(): Upstreams["windows"] {
    return this.#options.shared.windows
  }

  get stats(): UpstreamPoolStats {
    let idle = 0
    for (const session of this.#sessions) if (session.streams === 0) idle++
    return { connections: this.#sessions.size, idle, dialled: this.#dialled, exchanges: this.#exchanges }
  }

  acquire(user: ConnectionUser, fresh = false): UpstreamLink | undefined {
    if (this.#closing) return undefined
    this.#exchanges += 1
    const session = (fresh ? undefined : this.#roomy()) ?? this.#dial()
    const link = new Http2Link({
      session,
      user,
      clock: this.#options.clock,
      connectTimeoutMs: this.#options.connectTimeoutMs ?? 10_000,
      onClosed: (closed) => this.#links.delete(closed),
    })
    this.#links.add(link)
    return link
  }

  /** Takes no exchange any more, and waits for those that run. */
  close(): Promise<void> {
    this.#closing = true
    for (const session of this.#sessions) session.close()
    this.#settle()
    return this.#closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #roomy(): Http2Session | undefined {
    for (const session of this.#sessions) if (session.roomy) return session
    return undefined
  }

  #dial(): Http2Session {
    const session = new Http2Session(this.#options.upstream, () => {
      this.#sessions.delete(session)
      this.#settle()
    })
    this.#dialled += 1
    this.#sessions.add(session)
    this.#timer ??= setTimeout(() => this.#tick(), tickMs)
    return session
  }

  #settle(): void {
    if (this.#sessions.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#closing) this.#closed.resolve()
  }

  #tick(): void {
    this.#timer = setTimeout(() => this.#tick(), tickMs)
    const now = this.#options.clock.now()
    for (const link of this.#links) link.tick(now)
    for (const session of this.#sessions) session.tick(now, this.#options.idleMs ?? 60_000)
  }
}

/** Resolution of every deadline. */
const tickMs = 100
