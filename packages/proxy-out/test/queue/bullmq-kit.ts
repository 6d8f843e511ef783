// Edges that share a real Redis, and a look into it.
import { Redis } from "ioredis"
import type { RedisServer } from "../../../../test/support/redis.ts"
import { systemClock } from "../../src/clock.ts"
import { BullmqBroker } from "../../src/queue/bullmq-broker.ts"
import type { BullmqBrokerOptions } from "../../src/queue/bullmq-broker.ts"
import { BullmqStore, queueNameOf } from "../../src/queue/bullmq-store.ts"
import type { BullmqQueue } from "../../src/queue/bullmq-store.ts"
import type { LogEntry } from "./kit.ts"
import { recordingLog } from "./kit.ts"

/** Started brokers and connections of one test; ends them all when the test is over. */
export class Fleet implements AsyncDisposable {
  readonly prefix: string
  readonly entries: LogEntry[] = []
  readonly #redis: RedisServer
  readonly #stack = new AsyncDisposableStack()

  constructor(redis: RedisServer) {
    this.#redis = redis
    this.prefix = `t${crypto.randomUUID().slice(0, 8)}`
  }

  async edge(edgeId: string, options: Partial<BullmqBrokerOptions> = {}): Promise<BullmqBroker> {
    const { log, entries } = recordingLog()
    const broker = this.#stack.use(
      new BullmqBroker({
        redis: this.#redis.url,
        edgeId,
        dispatch: "queue",
        prefix: this.prefix,
        log,
        ...options,
      }),
    )
    await broker.start()
    this.#stack.defer(() => void this.entries.push(...entries))
    entriesOf.set(broker, entries)
    return broker
  }

  /** A connection of the test's own. */
  client(): Redis {
    const client = new Redis(this.#redis.url, { connectionName: "test" })
    client.on("error", () => undefined)
    this.#stack.defer(() => client.disconnect())
    return client
  }

  /** A tunnel's queue as an edge sees it that then dies or misbehaves. */
  async rawQueue(tunnel: string): Promise<BullmqQueue> {
    const client = this.client()
    await client.ping()
    const options = { prefix: this.prefix, token: crypto.randomUUID(), clock: systemClock }
    return new BullmqStore(client, options).queue(queueNameOf(tunnel))
  }

  /** Keys of this test in Redis. */
  async keys(): Promise<string[]> {
    const client = this.client()
    const keys = await client.keys(`${this.prefix}:*`)
    client.disconnect()
    return keys
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

/** What the edge has logged so far. */
export function logOf(broker: BullmqBroker): LogEntry[] {
  return entriesOf.get(broker) ?? []
}

const entriesOf = new WeakMap<BullmqBroker, LogEntry[]>()
