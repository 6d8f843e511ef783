// What is counted at a port, and what is told of each connection or flow that is over.
import type { PortEnd, PortKind, ResetCode } from "@restante/protocol"
import { monotonicMs } from "../clock.ts"
import type { Ticket } from "../queue/broker.ts"
import type { Overflow } from "./address-shares.ts"

/**
 * How a connection or a flow ended. "closed": both sides ended. "silent": a flow whose client said nothing for long. "left": the
 * client broke off. "broken": by the private server's side. "no_agent": nobody took it in time. "stopped": this edge, or the port.
 */
export const portOutcomes = ["closed", "silent", "left", "broken", "no_agent", "stopped"] as const
export type PortOutcome = (typeof portOutcomes)[number]

/** Why one was not let in. "queue_full": too many wait for an agent already. */
export const portRefusals = ["port_full", "address_full", "queue_full"] as const satisfies readonly (
  | Overflow
  | "queue_full"
)[]
export type PortRefusal = (typeof portRefusals)[number]

/** One that is not over. */
export interface LivePortStream {
  /** No agent has it yet. */
  readonly waiting: boolean
  readonly fromClientBytes: number
  readonly toClientBytes: number
}

/** Whose traffic it is. */
export interface PortPlace {
  readonly kind: PortKind
  readonly tunnel: string
  /** The edge's. */
  readonly port: number
}

/** One that is over. */
export interface SettledPortStream extends PortPlace {
  readonly exchangeId: string
  readonly client: PortEnd
  readonly attempt: number
  readonly outcome: PortOutcome
  /** What the agent said when it broke it off. */
  readonly code: ResetCode | undefined
  readonly fromClientBytes: number
  readonly toClientBytes: number
  /** Until an agent had it; all of `totalMs` when none did. */
  readonly queueMs: number
  readonly totalMs: number
}

/** What is told of one at its end. */
export function settledStream(
  stream: PortStreamEnd,
  outcome: PortOutcome,
  place: PortPlace & { readonly client: PortEnd },
): SettledPortStream {
  const { ticket, startedAt, takenAt, code, fromClientBytes, toClientBytes } = stream
  const now = monotonicMs()
  return {
    ...place,
    exchangeId: ticket.id,
    attempt: ticket.attempt,
    outcome,
    code,
    fromClientBytes,
    toClientBytes,
    queueMs: (takenAt === 0 ? now : takenAt) - startedAt,
    totalMs: now - startedAt,
  }
}

/** What a connection or a flow knows of itself. Moments are of `monotonicMs`. */
interface PortStreamEnd extends LivePortStream {
  readonly ticket: Pick<Ticket, "id" | "attempt">
  readonly startedAt: number
  /** 0 when no agent had it. */
  readonly takenAt: number
  readonly code: ResetCode | undefined
}

/** A connection that was not let in. */
export interface RefusedAtPort extends PortPlace {
  readonly client: PortEnd
  readonly reason: PortRefusal
}

export interface PortObserver {
  /** What is counted there from now on; the same place has the same counts again. */
  trafficOf(place: PortPlace): PortTraffic
  settledAtPort(stream: SettledPortStream): void
  refusedAtPort(refused: RefusedAtPort): void
}

export class PortTraffic {
  readonly live = new Set<LivePortStream>()
  accepted = 0
  readonly refused: Record<PortRefusal, number> = { port_full: 0, address_full: 0, queue_full: 0 }
  readonly ended: Record<PortOutcome, number> = {
    closed: 0,
    silent: 0,
    left: 0,
    broken: 0,
    no_agent: 0,
    stopped: 0,
  }
  /** Datagrams that had no room, either way. */
  droppedDatagrams = 0
  #fromClientBytes = 0
  #toClientBytes = 0

  begun(stream: LivePortStream): void {
    this.accepted++
    this.live.add(stream)
  }

  /** Once for each. */
  over(stream: LivePortStream, outcome: PortOutcome): void {
    this.live.delete(stream)
    this.ended[outcome]++
    this.#fromClientBytes += stream.fromClientBytes
    this.#toClientBytes += stream.toClientBytes
  }

  get waiting(): number {
    let count = 0
    for (const { waiting } of this.live) if (waiting) count++
    return count
  }

  /** Those that are not over included. */
  get fromClientBytes(): number {
    let bytes = this.#fromClientBytes
    for (const stream of this.live) bytes += stream.fromClientBytes
    return bytes
  }

  get toClientBytes(): number {
    let bytes = this.#toClientBytes
    for (const stream of this.live) bytes += stream.toClientBytes
    return bytes
  }
}
