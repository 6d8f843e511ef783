// What one client address says at a UDP port, and the answers to it. Datagrams are passed on or dropped, never kept for later: who
// speaks UDP repeats what got lost, and old datagrams are worth less than none.
import {
  datagramHeaderBytes,
  DatagramReader,
  framedDatagram,
  ReceiveCredit,
  SendCredit,
  wireLimits,
} from "@restante/protocol"
import type { ResetCode, WindowBudget } from "@restante/protocol"
import { monotonicMs } from "../clock.ts"
import type { AgentStream, StreamSink } from "../exchange/agent-stream.ts"
import type { Ticket } from "../queue/broker.ts"
import type { PortStream } from "./port-streams.ts"
import type { LivePortStream, PortOutcome } from "./port-traffic.ts"

export interface UdpFlowPort {
  readonly budget: WindowBudget
  /** To this flow's client. */
  send(datagram: Buffer): void
  /** A datagram had no room. */
  dropped(): void
  /** An agent has it. */
  leased(flow: UdpFlow): void
  /** Called once. */
  ended(flow: UdpFlow, outcome: PortOutcome): void
}

/** What a client may say before an agent has its flow; more is dropped. */
const maxEarlyDatagrams = 16

export class UdpFlow implements PortStream, StreamSink, LivePortStream {
  readonly repeatable = false
  readonly ticket: Ticket
  readonly startedAt: number = monotonicMs()
  /** When an agent got it; 0 while none has. */
  takenAt = 0
  /** What the agent said when it broke it off. */
  code: ResetCode | undefined
  /** Of datagrams that were passed on. */
  fromClientBytes = 0
  toClientBytes = 0
  readonly #port: UdpFlowPort
  readonly #credit = new SendCredit()
  readonly #incoming: ReceiveCredit
  readonly #reader: DatagramReader
  #phase: "waiting" | "leased" | "over" = "waiting"
  #stream: AgentStream | undefined
  #early: Buffer[] = []

  constructor(ticket: Ticket, port: UdpFlowPort) {
    this.ticket = ticket
    this.#port = port
    this.#incoming = new ReceiveCredit(wireLimits.initialWindowBytes, wireLimits.maxWindowBytes, port.budget)
    this.#reader = new DatagramReader((datagram) => {
      this.toClientBytes += datagram.length
      port.send(datagram)
    })
  }

  get waiting(): boolean {
    return this.#phase === "waiting"
  }

  /** The client sent a datagram. */
  clientSaid(datagram: Buffer): void {
    if (this.#phase === "leased") this.#pass(datagram)
    else if (this.#early.length < maxEarlyDatagrams) this.#early.push(datagram)
    else this.#port.dropped()
  }

  /** The client has been silent for so long that it is taken to have left. */
  silent(): void {
    this.#giveUp("silent")
  }

  // The queue's side.

  leased(stream: AgentStream): StreamSink {
    this.#phase = "leased"
    this.takenAt = monotonicMs()
    this.#stream = stream
    this.#port.leased(this)
    const early = this.#early
    this.#early = []
    for (const datagram of early) this.#pass(datagram)
    return this
  }

  holdExpired(): void {
    for (let lost = this.#early.length; lost > 0; lost--) this.#port.dropped()
    this.#over("no_agent")
  }

  edgeStops(): void {
    this.abort()
  }

  abort(): void {
    this.#giveUp("stopped")
  }

  // The agent's side.

  onTaken(): void {}

  onTiming(): void {}

  onHead(): void {
    this.#misled()
  }

  onData(bytes: Buffer): void {
    if (this.#phase !== "leased") return
    try {
      this.#incoming.received(bytes.length)
    } catch {
      return this.#misled() // more than it had credit for
    }
    if (!this.#reader.push(bytes)) return this.#misled()
    const credit = this.#incoming.consumed(bytes.length)
    if (credit > 0) this.#stream?.window(credit)
  }

  onEnd(): void {
    this.#giveUp("closed")
  }

  onReset(code: ResetCode): void {
    this.code = code
    this.#over("broken")
  }

  onLost(): void {
    this.#over("broken")
  }

  onWindow(creditBytes: number): void {
    try {
      this.#credit.grant(creditBytes)
    } catch {
      this.#misled() // more than a window may be
    }
  }

  onWritable(): void {}

  #pass(datagram: Buffer): void {
    const stream = this.#stream
    const bytes = datagramHeaderBytes + datagram.length
    if (stream === undefined || stream.congested || this.#credit.available < bytes)
      return this.#port.dropped()
    this.#credit.take(bytes)
    this.fromClientBytes += datagram.length
    stream.data(framedDatagram(datagram))
  }

  #misled(): void {
    this.#stream?.reset("internal")
    this.#over("broken")
  }

  #giveUp(outcome: PortOutcome): void {
    this.#stream?.reset("cancelled")
    this.#over(outcome)
  }

  #over(outcome: PortOutcome): void {
    if (this.#phase === "over") return
    this.#phase = "over"
    this.#stream = undefined
    this.#early = []
    this.#incoming.release()
    this.#port.ended(this, outcome)
  }
}
