// Edges pass each other bytes through Redis: each has an inbox, a stream that it reads with one blocking call. What arrives
// is complete and in order, or the peer is reported lost; nothing is ever silently missing.
import type { RelayEntry } from "./relay-entry.ts"
import { decodeEntry } from "./relay-entry.ts"
import { RelayInbox } from "./relay-inbox.ts"
import { RelayPeer, defaultRelayLimits } from "./relay-peer.ts"
import type { RelayLimits } from "./relay-peer.ts"
import { RedisLink, describe, withinMs } from "./redis-link.ts"
import type { Log } from "./redis-link.ts"
import type { RedisTarget } from "./redis-target.ts"

export interface RelayOptions {
  readonly redis: RedisTarget
  /** Unique to this run of this edge: 1 to 64 letters, digits, "-" and "_". */
  readonly edgeId: string
  readonly log: Log
  /** What all keys begin with. Default "restante". */
  readonly prefix?: string
  readonly limits?: RelayLimits
}

/** "gap": something on the way was lost; "silent": not heard of for ten seconds; "gone": it has stopped, or has no inbox. */
export type PeerLoss = "gap" | "silent" | "gone"

/** One payload's limit. */
export const maxRelayPayloadBytes = 4 * 1_048_576

export class Relay implements AsyncDisposable {
  readonly #options: Required<RelayOptions>
  readonly #sender: RedisLink
  readonly #inbox: RelayInbox
  readonly #peers = new Map<string, Connection>()
  readonly #flushing = new Set<Connection>()
  #epoch = Math.floor(Math.random() * 2 ** 31)
  #message: (from: string, payload: Buffer) => void = () => undefined
  #peerLost: (edgeId: string, why: PeerLoss) => void = () => undefined
  #tickTimer: NodeJS.Timeout | undefined
  #flushScheduled = false
  #downSince: number | undefined = 0
  #stopped = false

  /** Throws TypeError for a malformed URL or edge id. */
  constructor(options: RelayOptions) {
    if (!/^[\w-]{1,64}$/.test(options.edgeId))
      throw new TypeError("an edge id is 1 to 64 letters, digits, - and _")
    this.#options = { prefix: "restante", limits: defaultRelayLimits, ...options }
    const { redis: target, edgeId, log, prefix } = this.#options
    this.#sender = new RedisLink({
      target,
      name: `${prefix}-${edgeId}-relay`,
      log,
      reported: false,
      onUp: () => this.#linkChanged(),
      onDown: () => this.#linkChanged(),
    })
    this.#inbox = new RelayInbox({
      target,
      name: `${prefix}-${edgeId}-inbox`,
      key: this.#inboxOf(edgeId),
      log,
      commands: () => (this.#sender.up ? this.#sender.client : undefined),
      onEntry: (bytes) => this.#received(bytes),
      onUp: () => this.#linkChanged(),
      onDown: () => this.#linkChanged(),
    })
  }

  /** Each payload that arrives, in the order in which its sender posted it. It is a view that keeps a larger buffer alive. */
  onMessage(handler: (from: string, payload: Buffer) => void): void {
    this.#message = handler
  }

  /**
   * Whatever was under way between the two edges is lost, in both directions; the peer is told the same as soon as it can
   * hear it. Payloads that arrive or are posted afterwards belong to a new beginning.
   */
  onPeerLost(handler: (edgeId: string, why: PeerLoss) => void): void {
    this.#peerLost = handler
  }

  /** Resolves when Redis is connected, or after two seconds without. */
  async start(): Promise<void> {
    if (this.#stopped || this.#tickTimer) return
    this.#downSince = performance.now()
    this.#tickTimer = setTimeout(() => this.#tick(), tickMs).unref()
    await withinMs(Promise.all([this.#sender.start(), this.#inbox.start()]), startLimitMs).catch(
      () => undefined,
    )
  }

  /** Sends what waits, says goodbye to every peer and removes the inbox. Twice is fine. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#tickTimer)
    if (this.#sender.up) {
      const goodbyes = [...this.#peers.values()].map((connection) => this.#sayGoodbye(connection))
      await withinMs(Promise.all(goodbyes), stopLimitMs).catch(() => undefined)
      await withinMs(this.#sender.client.del(this.#inboxOf(this.#options.edgeId)), stopLimitMs).catch(
        () => undefined,
      )
    }
    this.#peers.clear()
    await Promise.all([this.#sender.stop(), this.#inbox.stop()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Never throws for a remote failure. Throws RangeError for a payload beyond `maxRelayPayloadBytes` or for this very edge. */
  post(edgeId: string, payload: Buffer): void {
    if (payload.length > maxRelayPayloadBytes) throw new RangeError("payload too large to relay")
    if (edgeId === this.#options.edgeId) throw new RangeError("an edge does not relay to itself")
    if (this.#stopped) return
    const connection = this.#connection(edgeId)
    if (connection.peer.post(payload)) this.#scheduleFlush(connection)
    else this.#lose(connection, "gap")
  }

  #connection(edgeId: string): Connection {
    let connection = this.#peers.get(edgeId)
    if (!connection) {
      const peer = new RelayPeer(this.#options.edgeId, () => ++this.#epoch, this.#options.limits)
      const now = performance.now()
      connection = {
        edgeId,
        peer,
        heardAt: now,
        spokeAt: now,
        sending: undefined,
        inboxMissingSince: undefined,
      }
      this.#peers.set(edgeId, connection)
    }
    return connection
  }

  /** All that is posted in one turn of the event loop leaves together. */
  #scheduleFlush(connection: Connection): void {
    this.#flushing.add(connection)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      const connections = [...this.#flushing]
      this.#flushing.clear()
      for (const each of connections) this.#send(each)
    })
  }

  /** One entry at a time; the next collects what is posted meanwhile. */
  #send(connection: Connection): void {
    if (connection.sending || !this.#sender.up) return
    const entry = connection.peer.take()
    if (!entry) return
    connection.spokeAt = performance.now()
    connection.sending = this.#deliverTo(connection, entry)
  }

  async #deliverTo(connection: Connection, entry: Buffer): Promise<void> {
    let delivered = false
    try {
      delivered = await this.#add(connection, entry)
    } catch (error) {
      // It is sent again when the connection is back, or with the next tick.
      this.#options.log.debug(
        { edge: connection.edgeId, reason: describe(error) },
        "relay entry not sent yet",
      )
    }
    connection.sending = undefined
    if (!delivered) return
    connection.peer.sent()
    this.#send(connection)
  }

  /** Returns false when the peer has no inbox. The same entry may be added twice after a cut connection: its number tells. */
  async #add(connection: Connection, entry: Buffer): Promise<boolean> {
    const key = this.#inboxOf(connection.edgeId)
    const id = await this.#sender.client.xadd(
      key,
      "NOMKSTREAM",
      "MAXLEN",
      "~",
      maxInboxEntries,
      "*",
      "m",
      entry,
    )
    if (id !== null) connection.inboxMissingSince = undefined
    else connection.inboxMissingSince ??= performance.now()
    return id !== null
  }

  #received(bytes: Buffer): void {
    const entry = decodeEntry(bytes)
    if (!entry) {
      this.#options.log.warn({ bytes: bytes.length }, "malformed relay entry dropped")
      return
    }
    if (entry.kind === "bye") {
      const known = this.#peers.get(entry.from)
      if (known) this.#forget(known, "gone")
      return
    }
    this.#deliver(this.#connection(entry.from), entry)
  }

  #deliver(connection: Connection, entry: RelayEntry): void {
    connection.heardAt = performance.now()
    const { payloads, lost } = connection.peer.receive(entry)
    if (lost) this.#report(connection, "gap")
    try {
      for (const payload of payloads) this.#message(connection.edgeId, payload)
    } catch (error) {
      this.#options.log.error({ edge: connection.edgeId, err: error }, "relayed payload not processed")
      this.#lose(connection, "gap")
    }
    this.#scheduleFlush(connection)
  }

  /** The peer may be there: it is told, and both begin anew. */
  #lose(connection: Connection, why: PeerLoss): void {
    connection.peer.restart()
    this.#report(connection, why)
    this.#scheduleFlush(connection)
  }

  /** The peer is not there. If it is after all, it will be told that it was forgotten. */
  #forget(connection: Connection, why: PeerLoss): void {
    this.#peers.delete(connection.edgeId)
    this.#flushing.delete(connection)
    this.#report(connection, why)
  }

  #report(connection: Connection, why: PeerLoss): void {
    this.#options.log.info({ edge: connection.edgeId, why }, "peer edge lost")
    this.#peerLost(connection.edgeId, why)
  }

  #linkChanged(): void {
    const now = performance.now()
    if (!this.#sender.up || !this.#inbox.up) {
      this.#downSince ??= now
      return
    }
    this.#downSince = undefined
    // Nobody could be heard meanwhile: silence counts from now.
    for (const connection of this.#peers.values()) {
      connection.heardAt = now
      connection.inboxMissingSince = undefined
      connection.peer.speak()
      this.#scheduleFlush(connection)
    }
  }

  #tick(): void {
    this.#tickTimer = setTimeout(() => this.#tick(), tickMs).unref()
    const now = performance.now()
    void this.#inbox.keepAlive()
    for (const connection of this.#peers.values()) {
      const silentSince = this.#downSince ?? connection.heardAt
      const missingSince = connection.inboxMissingSince ?? now
      if (now - silentSince > silentAfterMs) this.#forget(connection, "silent")
      else if (now - missingSince > missingAfterMs) this.#forget(connection, "gone")
      else {
        if (now - connection.spokeAt > heartbeatMs || connection.peer.unanswered) connection.peer.speak()
        this.#scheduleFlush(connection)
      }
    }
  }

  async #sayGoodbye(connection: Connection): Promise<void> {
    await connection.sending
    for (let entry = connection.peer.take(); entry; entry = connection.peer.take()) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      if (!(await this.#add(connection, entry))) return
      connection.peer.sent()
    }
    await this.#add(connection, connection.peer.bye())
  }

  #inboxOf(edgeId: string): string {
    return `${this.#options.prefix}:inbox:{${edgeId}}`
  }
}

interface Connection {
  readonly edgeId: string
  readonly peer: RelayPeer
  /** When the last entry came and went, by `performance.now()`. */
  heardAt: number
  spokeAt: number
  sending: Promise<void> | undefined
  inboxMissingSince: number | undefined
}

const tickMs = 500
const heartbeatMs = 2500
const silentAfterMs = 10_000
/** An edge makes its inbox anew as soon as it is connected, so a missing one is given this time. */
const missingAfterMs = 3000
const maxInboxEntries = 20_000
const startLimitMs = 2000
const stopLimitMs = 1000
