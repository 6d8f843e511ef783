// One connection to the upstream: a socket, the reader of its responses, and the one exchange that uses it at the moment.
// It lives from dialling until it is closed, through any number of exchanges.
import { ResponseReader } from "@restante/protocol"
import type { Http1Limits, ResponseHead, ResponseSink } from "@restante/protocol"
import net from "node:net"
import type { UpstreamAddress } from "../agent-options.ts"
import { dial } from "./dial.ts"
import { brokenConnection, connectFailure, connectOverdue, unreadableResponse } from "./failures.ts"
import type { ConnectStage, UpstreamFailure } from "./failures.ts"
import type { UpstreamLink } from "./upstreams.ts"

/** The exchange on a connection. It is told of everything until it calls `release` or `abort`, or is told `onBroken`. */
export interface ConnectionUser {
  /** A connection that was still being made stands. */
  onReady(): void
  onInformational(head: ResponseHead): void
  onHead(head: ResponseHead): void
  /** `bytes` are valid until `onReadEnd` returns. */
  onBody(bytes: Buffer): void
  /** The response is whole. `trailers`: raw field lines, "" for none. */
  onBodyEnd(trailers: string): void
  /** What one read brought has been handed over. */
  onReadEnd(): void
  /**
   * The connection is gone. `stale`: it had served before and broke without a byte of this response (RFC 9112 section 9.3.1).
   * `unprocessed`: the upstream says that it has done nothing of it (RFC 9113 section 8.7).
   */
  onBroken(failure: UpstreamFailure, stale: boolean, unprocessed?: boolean): void
  /** Time is up, see `expectWithin`; only on a connection that is ready. */
  onOverdue(): void
}

/** Who has a connection that has switched protocols. It is told of everything until it calls `release` or `abort`, or is told `onBroken`. */
export interface RawUser {
  /** Valid until it returns. */
  onBytes(bytes: Buffer): void
  /** The upstream has ended its side; it still reads. */
  onInputEnd(): void
  /** What was written has been taken. */
  onDrain(): void
  onBroken(failure: UpstreamFailure): void
  onOverdue(): void
}

export interface ConnectionOptions {
  readonly address: UpstreamAddress
  readonly limits: Http1Limits
  readonly connectTimeoutMs: number
  /** How long it may lie idle between two exchanges, in milliseconds. */
  readonly idleMs: number
  /** The upstream may end its side of it and go on reading: for connections that may switch protocols. */
  readonly halfOpen: boolean
  readonly clock: { now(): number }
  /** Whether a connection that could serve again is to be kept. */
  keep(connection: UpstreamConnection): boolean
  /** Called once, when it can serve no more. */
  onClosed(connection: UpstreamConnection): void
}

export class UpstreamConnection implements ResponseSink, UpstreamLink {
  readonly #options: ConnectionOptions
  readonly #socket: net.Socket
  readonly #reader: ResponseReader
  #stage: ConnectStage | "ready" | "closed"
  #user: ConnectionUser | undefined
  /** Instead of a user, once it has switched protocols. */
  #raw: RawUser | undefined
  #error: Error | undefined
  #exchanges = 0
  /** A byte of the current response has arrived. */
  #begun = false
  /** The upstream lets the connection go on after the current response. */
  #persistent = false
  #reading = true
  #deadlineAt = Number.POSITIVE_INFINITY
  #idleMs: number

  constructor(options: ConnectionOptions, user: ConnectionUser) {
    const { address } = options
    this.#options = options
    this.#idleMs = options.idleMs
    this.#user = user
    this.#reader = new ResponseReader(this, options.limits)
    this.#stage = address.kind === "tcp" && net.isIP(address.host) === 0 ? "resolving" : "connecting"
    this.expectWithin(options.connectTimeoutMs)
    this.#socket = dial(address, options.halfOpen, (bytes) => this.#read(bytes))
    const secured = address.kind === "tcp" && address.tls
    this.#socket
      .once("lookup", () => this.#advance("connecting"))
      .once("connect", () => this.#advance(secured ? "securing" : "ready"))
      .once("secureConnect", () => this.#advance("ready"))
      .once("end", () => this.#eof())
      .on("drain", () => this.#raw?.onDrain())
      .on("error", (error) => this.#gone(error))
      .once("close", () => this.#gone(undefined))
  }

  get ready(): boolean {
    return this.#stage === "ready"
  }

  /** The upstream lets it go on after the current response; known once the head is. */
  get persistent(): boolean {
    return this.#persistent
  }

  /** Bytes that the system has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  /** A kept connection gets its next exchange. */
  use(user: ConnectionUser): void {
    this.#user = user
    this.#deadlineAt = Number.POSITIVE_INFINITY
  }

  /** The next response answers a request with this method. */
  begin(method: string): void {
    this.#exchanges += 1
    this.#begun = false
    this.#persistent = false
    this.#reader.begin(method)
  }

  /** `onTaken` is called when the system has the bytes, and not at all when the connection breaks before. */
  write(bytes: Buffer | string, onTaken?: () => void): void {
    if (onTaken === undefined) this.#socket.write(bytes, "latin1")
    else this.#socket.write(bytes, "latin1", (error) => (error ? undefined : onTaken()))
  }

  /** Called in `onHead` of a 101: what follows goes to `user` as it is. */
  turnRaw(user: RawUser): void {
    this.#raw = user
    this.#user = undefined
  }

  /** Raw only: ends our side. */
  endWriting(): void {
    this.#socket.end()
  }

  /** What is written in `step` goes out together. */
  together(step: () => void): void {
    this.#socket.cork()
    step()
    this.#socket.uncork()
  }

  /** Calls the user's `onOverdue` unless this is called again within `milliseconds`; 0 takes the deadline away. */
  expectWithin(milliseconds: number): void {
    this.#deadlineAt =
      milliseconds === 0 ? Number.POSITIVE_INFINITY : this.#options.clock.now() + milliseconds
  }

  /** Looks at the deadline; called by the pool a few times a second. */
  tick(now: number): void {
    if (now < this.#deadlineAt) return
    this.#deadlineAt = Number.POSITIVE_INFINITY
    if (this.#raw !== undefined) return this.#raw.onOverdue()
    const user = this.#user
    if (user === undefined) return this.close() // idle for too long
    if (this.#stage === "ready") return user.onOverdue()
    if (this.#stage !== "closed") this.#break(connectOverdue(this.#stage))
  }

  /** Called in `onReadEnd`: no further read until `resume`. What TLS has decrypted already still comes. */
  pause(): void {
    this.#reading = false
  }

  resume(): void {
    if (this.#reading) return
    this.#reading = true
    this.#socket.resume()
  }

  /**
   * The exchange is over. The connection is kept when the upstream lets it persist and nothing of either message is
   * left on it; `spent` says that the user knows better.
   */
  release(spent = false): void {
    this.#user = undefined
    this.#raw = undefined
    if (this.#stage === "closed") return
    const reusable = !spent && this.#persistent && this.#reader.idle && this.#socket.writableLength === 0
    if (reusable && this.#idleMs > 0 && this.#options.keep(this)) {
      this.resume()
      this.expectWithin(this.#idleMs)
    } else if (this.#socket.writableLength > 0) {
      // The response is here, the end of the request is still on its way: give it a moment (RFC 9112 section 9.6).
      this.#socket.end(() => this.close())
      this.expectWithin(lingerMs)
    } else this.close()
  }

  /** Ends it in the middle of whatever it does. The upstream notices at once, even one that ignores a half-closed connection. */
  abort(): void {
    this.#user = undefined
    this.#raw = undefined
    const plain =
      this.#stage === "ready" && this.#options.address.kind === "tcp" && !this.#options.address.tls
    if (plain) this.#close(() => this.#socket.resetAndDestroy())
    else this.close()
  }

  close(): void {
    this.#close(() => this.#socket.destroy())
  }

  onInformational(head: ResponseHead): void {
    this.#user?.onInformational(head)
  }

  onHead(head: ResponseHead): void {
    this.#persistent = head.keepAlive
    if (this.#exchanges === 1) this.#heedKeepAlive(head)
    this.#user?.onHead(head)
  }

  onData(bytes: Buffer): void {
    this.#user?.onBody(bytes)
  }

  onEnd(trailers: string): void {
    this.#user?.onBodyEnd(trailers)
  }

  /** Answers whether to read on. */
  #read(bytes: Buffer): boolean {
    if (this.#raw !== undefined) {
      this.#raw.onBytes(bytes)
      return this.#reading
    }
    const user = this.#user
    if (user === undefined) {
      this.close() // nothing was asked (RFC 9112 section 9.2)
      return false
    }
    this.#begun = true
    try {
      const read = this.#reader.read(bytes)
      // More than the response: the connection cannot be trusted any more (RFC 9112 section 9.2).
      if (read < bytes.length) this.#beyond(bytes.subarray(read))
      user.onReadEnd()
    } catch (error) {
      this.#break(unreadableResponse(error))
    }
    return this.#reading
  }

  #beyond(bytes: Buffer): void {
    this.#persistent = false
    this.#raw?.onBytes(bytes)
  }

  #eof(): void {
    if (this.#raw !== undefined) return this.#raw.onInputEnd()
    const user = this.#user
    this.#persistent = false
    if (user === undefined || this.#stage !== "ready") return this.#gone(undefined)
    try {
      this.#reader.eof()
    } catch {
      return this.#gone(undefined) // the response is not whole
    }
    user.onReadEnd()
    this.#gone(undefined)
  }

  #advance(stage: "connecting" | "securing" | "ready"): void {
    if (this.#stage === "closed") return
    this.#stage = stage
    if (stage !== "ready") return
    this.#deadlineAt = Number.POSITIVE_INFINITY
    this.#user?.onReady()
  }

  #gone(error: Error | undefined): void {
    this.#error ??= error
    if (this.#stage === "closed") return
    this.#break(
      this.#stage === "ready"
        ? brokenConnection(this.#error, this.#begun)
        : connectFailure(this.#error, this.#stage),
    )
  }

  #break(failure: UpstreamFailure): void {
    const user = this.#user
    const raw = this.#raw
    const stale = this.#stage === "ready" && this.#exchanges > 1 && !this.#begun
    this.#user = undefined
    this.#raw = undefined
    this.close()
    if (raw === undefined) user?.onBroken(failure, stale)
    else raw.onBroken(failure)
  }

  #close(how: () => void): void {
    if (this.#stage === "closed") return
    this.#stage = "closed"
    this.#deadlineAt = Number.POSITIVE_INFINITY
    this.#options.onClosed(this)
    how()
  }

  /** A server that says when it will close (RFC 2068 section 19.7.1.1) is left a second earlier, so that no request meets the end. */
  #heedKeepAlive(head: ResponseHead): void {
    const seconds = /(?:^|[\s,])timeout\s*=\s*"?(\d{1,9})/i.exec(head.fields.get("keep-alive") ?? "")?.[1]
    if (seconds !== undefined)
      this.#idleMs = Math.min(this.#idleMs, Math.max(0, Number(seconds) * 1000 - 1000))
  }
}

/** How long the end of a request may still travel after its response is complete. */
const lingerMs = 5000
