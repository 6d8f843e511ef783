// Tells other edges that a tunnel's queue has something for them, over one subscription for all tunnels. A lost wake-up
// costs time, never a ticket: every edge also looks by itself now and then.
import type { RedisClient } from "./redis-target.ts"

export interface WakeUpsOptions {
  readonly prefix: string
  readonly edgeId: string
  /** The connection that listens; it is used for nothing else. */
  readonly listener: RedisClient
  readonly sender: RedisClient
}

export class WakeUps {
  readonly #options: WakeUpsOptions
  readonly #watched = new Map<string, () => void>()
  #changed = new Set<string>()
  #scheduled = false
  #listening = false

  constructor(options: WakeUpsOptions) {
    this.#options = options
    options.listener.on("message", (channel: string, sender: string) => {
      if (sender !== options.edgeId) this.#watched.get(channel)?.()
    })
  }

  /** `wake` is called when another edge may have added something to the queue. */
  watch(queueName: string, wake: () => void): void {
    this.#watched.set(this.#channel(queueName), wake)
    this.#change(queueName)
  }

  unwatch(queueName: string): void {
    if (this.#watched.delete(this.#channel(queueName))) this.#change(queueName)
  }

  announce(queueName: string): void {
    const { sender, edgeId } = this.#options
    sender.publish(this.#channel(queueName), edgeId).catch(() => undefined)
  }

  /** The listening connection is there (again): subscribes to everything anew. */
  listenerUp(): void {
    this.#listening = true
    this.#changed.clear()
    this.#subscribe([...this.#watched.keys()])
  }

  listenerDown(): void {
    this.#listening = false
  }

  #change(queueName: string): void {
    this.#changed.add(this.#channel(queueName))
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#apply())
  }

  #apply(): void {
    this.#scheduled = false
    const changed = [...this.#changed]
    this.#changed = new Set()
    if (!this.#listening) return
    this.#subscribe(changed.filter((channel) => this.#watched.has(channel)))
    const unwanted = changed.filter((channel) => !this.#watched.has(channel))
    if (unwanted.length > 0) this.#options.listener.unsubscribe(...unwanted).catch(() => undefined)
  }

  #subscribe(channels: string[]): void {
    if (channels.length === 0) return
    this.#options.listener.subscribe(...channels).then(
      // What was announced before this moment, nobody here has heard.
      () => channels.forEach((channel) => this.#watched.get(channel)?.()),
      // A cluster's connection for subscriptions comes up a little after the cluster itself.
      () =>
        setTimeout(
          () => this.#listening && this.#subscribe(channels.filter((channel) => this.#watched.has(channel))),
          retryMs,
        ).unref(),
    )
  }

  #channel(queueName: string): string {
    return `${this.#options.prefix}:wake:${queueName}`
  }
}

const retryMs = 200
