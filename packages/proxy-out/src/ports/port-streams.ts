// All connections that came in at ports and are not over: keeps those that no agent has taken yet, for as long as requests are
// held, and is the arbiter of who may lease their tickets.
import { WindowBudget } from "@restante/protocol"
import { monotonicMs } from "../clock.ts"
import type { Clock } from "../clock.ts"
import { Deadlines } from "../exchange/deadlines.ts"
import type { Broker, Ticket } from "../queue/broker.ts"
import type { Leasable } from "../exchange/agent-stream.ts"

export interface PortStreamsOptions {
  readonly broker: Broker
  readonly clock: Clock
  // These may change while the edge runs: they are read each time.
  readonly holdMs: number
  readonly maxQueue: number
}

/** What waits at a port, and runs once an agent has it. */
export interface PortStream extends Leasable {
  readonly ticket: Ticket
  /** Nobody took it in time. */
  holdExpired(): void
  /** The edge stops: what no agent has is given up. */
  edgeStops(): void
  /** Breaks it off, whatever it does. */
  abort(): void
}

/** Growth of all windows of ports together; the first 256 KiB of each come on top. */
const windowBudgetBytes = 64 * 1024 * 1024

export class PortStreams {
  readonly #options: PortStreamsOptions
  readonly #live = new Set<PortStream>()
  readonly #waiting = new Map<string, PortStream>()
  readonly #holds: Deadlines<PortStream>
  readonly budget = new WindowBudget(windowBudgetBytes)
  #idle: (() => void) | undefined

  constructor(options: PortStreamsOptions) {
    this.#options = options
    this.#holds = new Deadlines({
      get afterMs() {
        return options.holdMs
      },
      clock: options.clock,
      onExpired: (stream) => {
        this.#waiting.delete(stream.ticket.id)
        options.broker.withdraw(stream.ticket)
        stream.holdExpired()
      },
    })
  }

  /** The stream with this id, if it waits for an agent. */
  get(id: string): PortStream | undefined {
    return this.#waiting.get(id)
  }

  get live(): number {
    return this.#live.size
  }

  get waiting(): number {
    return this.#holds.size
  }

  /** Epoch milliseconds. */
  holdEndsAt(): number {
    return this.#options.clock.now() + this.#options.holdMs
  }

  /** As many wait as may. */
  get full(): boolean {
    return this.#holds.size >= this.#options.maxQueue
  }

  /** Puts it into the queue. Not while that is full. */
  offer(stream: PortStream): void {
    this.#live.add(stream)
    this.#wait(stream)
    this.#options.broker.offer(stream.ticket)
  }

  /** It was handed out and nobody began it. */
  offerAgain(stream: PortStream): void {
    this.#wait(stream)
    this.#options.broker.reoffer(stream.ticket)
  }

  /** An agent has it. */
  leased(stream: PortStream): void {
    this.#leaveQueue(stream)
  }

  /** It is over. Twice is fine. */
  ended(stream: PortStream): void {
    if (this.#leaveQueue(stream)) this.#options.broker.withdraw(stream.ticket)
    this.#live.delete(stream)
    if (this.#live.size === 0) this.#idle?.()
  }

  /** Gives up what waits, waits until what runs has ended, at most `graceMs`; the rest is broken off. */
  async drain(graceMs: number): Promise<void> {
    const endsAt = monotonicMs() + graceMs
    for (const stream of this.#live) stream.edgeStops()
    if (this.#live.size > 0) {
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        new Promise<void>((resolve) => (this.#idle = resolve)),
        new Promise<void>((resolve) => (timer = setTimeout(resolve, endsAt - monotonicMs()))),
      ])
      clearTimeout(timer)
    }
    for (const stream of this.#live) stream.abort()
    this.#holds.stop()
  }

  #wait(stream: PortStream): void {
    this.#waiting.set(stream.ticket.id, stream)
    this.#holds.set(stream)
  }

  #leaveQueue(stream: PortStream): boolean {
    this.#holds.clear(stream)
    return this.#waiting.delete(stream.ticket.id)
  }
}
