// An edge's inbox: a Redis stream that only this edge reads, with one blocking call at a time on a connection of its own.
// It expires when the edge dies; what has been read is trimmed away.
import { RedisLink, withinMs } from "./redis-link.ts"
import type { Log } from "./redis-link.ts"
import type { RedisClient, RedisTarget } from "./redis-target.ts"

export interface RelayInboxOptions {
  readonly target: RedisTarget
  readonly name: string
  readonly key: string
  readonly log: Log
  /** Another connection, for what must not wait behind the blocking read; undefined while there is none. */
  readonly commands: () => RedisClient | undefined
  readonly onEntry: (bytes: Buffer) => void
  readonly onUp: () => void
  readonly onDown: () => void
}

export class RelayInbox {
  readonly #options: RelayInboxOptions
  readonly #link: RedisLink
  /** Id of the last entry that was read. */
  #lastId = "0-0"
  #untrimmedBytes = 0
  #open = false
  #stopped = false

  constructor(options: RelayInboxOptions) {
    this.#options = options
    this.#link = new RedisLink({
      target: options.target,
      name: options.name,
      log: options.log,
      reported: false,
      // A PING would wait behind the blocking read, which has a limit of its own.
      probed: false,
      onUp: () => void this.#run(),
      onDown: () => {
        this.#open = false
        options.onDown()
      },
    })
  }

  /** The inbox is there and is being read. */
  get up(): boolean {
    return this.#open
  }

  start(): Promise<void> {
    return this.#link.start()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#open = false
    await this.#link.stop(0)
  }

  /** To be called well within the inbox' life time. Never rejects. */
  async keepAlive(): Promise<void> {
    const commands = this.#options.commands()
    if (!commands || !this.#open) return
    try {
      this.#trim(commands)
      const alive = await commands.pexpire(this.#options.key, inboxLifeMs)
      if (alive === 0 && this.#open) await this.#create(commands)
    } catch {
      // The connection's own trouble; the next call comes soon.
    }
  }

  async #run(): Promise<void> {
    try {
      await this.#create(this.#link.client)
      this.#open = true
      this.#options.onUp()
      while (!this.#stopped) {
        // oxlint-disable-next-line no-await-in-loop -- one read after the other
        await this.#read()
      }
    } catch {
      // When it is not the connection that has ended, it has to: the next one starts over.
      if (!this.#stopped && this.#link.up) this.#link.cut()
    }
  }

  async #read(): Promise<void> {
    const { key, onEntry, commands } = this.#options
    const { client } = this.#link
    const next = client.xreadBuffer("COUNT", entriesAtOnce, "BLOCK", blockMs, "STREAMS", key, this.#lastId)
    const [stream] = (await withinMs(next, readLimitMs)) ?? []
    for (const [id, [field, bytes]] of stream?.[1] ?? []) {
      this.#lastId = id.toString()
      if (!bytes || field?.toString() !== "m") continue
      this.#untrimmedBytes += bytes.length
      onEntry(bytes)
    }
    const trimmer = commands()
    if (trimmer && this.#untrimmedBytes > trimAfterBytes) this.#trim(trimmer)
  }

  /** Senders add to an inbox that is there and never make one: so a dead edge's inbox stays gone. */
  async #create(client: RedisClient): Promise<void> {
    const { key } = this.#options
    const id = await client.xadd(key, "*", "i", "")
    await client.pexpire(key, inboxLifeMs)
    // A Redis that has lost its memory, and with a clock that went back, would hide new entries behind the old id.
    if (id !== null && compareIds(id, this.#lastId) <= 0) this.#lastId = "0-0"
  }

  #trim(client: RedisClient): void {
    this.#untrimmedBytes = 0
    client.xtrim(this.#options.key, "MINID", this.#lastId).catch(() => undefined)
  }
}

function compareIds(a: string, b: string): number {
  const [timeA = 0, countA = 0] = a.split("-").map(Number)
  const [timeB = 0, countB = 0] = b.split("-").map(Number)
  return timeA - timeB || countA - countB
}

const blockMs = 1000
const readLimitMs = 4000
const entriesAtOnce = 32
const inboxLifeMs = 30_000
const trimAfterBytes = 4 * 1_048_576
