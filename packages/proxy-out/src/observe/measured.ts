// What is measured of an exchange while it lives: moments and bytes, as plain fields, because this happens for every request.
import { monotonicMs } from "../clock.ts"
import type { ClientFault } from "../exchange/client.ts"
import type { ExchangeTrace } from "./exchange-tracing.ts"

/** Moments are milliseconds of `monotonicMs`, 0 while they have not come. */
export abstract class Measured {
  startedAt = 0
  /** Since when it has waited for an agent, the last time. */
  #offeredAt = 0
  leasedAt = 0
  headAt = 0
  endedAt = 0
  /** In the queue, all attempts together. */
  queueMs = 0
  /** As the agent measured it; negative: it did not say. */
  upstreamMicroseconds = -1
  /** Undefined while nobody asked for traces. */
  trace: ExchangeTrace | undefined = undefined
  /** What is wrong with the request, when that ended it. */
  clientFault: ClientFault | undefined = undefined
  requestBytes = 0
  responseBytes = 0

  onTiming(upstreamMicroseconds: number): void {
    this.upstreamMicroseconds = upstreamMicroseconds
  }

  /** It waits for an agent from now on. */
  offered(): void {
    this.#offeredAt = monotonicMs()
    this.leasedAt = 0
    this.upstreamMicroseconds = -1
  }

  /** An agent has it. */
  handedOut(): void {
    this.leasedAt = monotonicMs()
    this.queueMs += this.leasedAt - this.#offeredAt
  }

  ended(): void {
    this.endedAt = monotonicMs()
    if (this.#offeredAt > 0 && this.leasedAt === 0) this.queueMs += this.endedAt - this.#offeredAt
  }

  /** From the agent's getting it to the head of the answer, less what the upstream took; undefined when the agent did not say that. */
  get linkMs(): number | undefined {
    if (this.headAt === 0 || this.upstreamMicroseconds < 0) return undefined
    return Math.max(0, this.headAt - this.leasedAt - this.upstreamMicroseconds / 1000)
  }

  /** From the request's last byte of head at the upstream to its answer's head; undefined when the agent did not say it. */
  get upstreamMs(): number | undefined {
    return this.upstreamMicroseconds < 0 ? undefined : this.upstreamMicroseconds / 1000
  }

  get totalMs(): number {
    return this.endedAt - this.startedAt
  }
}
