// One TCP connection of a client at a port: held until an agent takes it, then its bytes are a stream's. Both directions end by
// themselves; a break at either end is a break at the other. What an agent has begun (TAKEN) is never given to another.
import { notBegunCodes, wireLimits } from "@restante/protocol"
import type { ResetCode, WindowBudget } from "@restante/protocol"
import type { Socket } from "node:net"
import type { AgentStream, StreamLoss, StreamSink } from "../exchange/agent-stream.ts"
import { RawPipe } from "../exchange/raw-pipe.ts"
import type { Ticket } from "../queue/broker.ts"
import { monotonicMs } from "../clock.ts"
import type { PortStream } from "./port-streams.ts"
import type { LivePortStream, PortOutcome } from "./port-traffic.ts"

export interface TcpConnectionPort {
  readonly budget: WindowBudget
  /** An agent has it. */
  leased(connection: TcpConnection): void
  /** Nobody began it: it has a new ticket and waits again. */
  waitsAgain(connection: TcpConnection): void
  /** The agent's stream is over, or there never was one. Called once. */
  ended(connection: TcpConnection, how: PortOutcome): void
  /** Epoch milliseconds. */
  holdEndsAt(): number
}

/** "taken": the agent has begun it, bytes go both ways. */
type Phase = "waiting" | "leased" | "taken" | "over"

/** What a client may say before an agent has it; then it is not read any more. */
const maxEarlyBytes = wireLimits.maxInlineBytes
/** How often a connection that no agent begins is offered: bounds what agents that hand everything back can cost. */
const maxOffers = 20

export class TcpConnection implements PortStream, StreamSink, LivePortStream {
  readonly repeatable = false
  readonly startedAt: number = monotonicMs()
  /** When an agent began it; 0 while none has. */
  takenAt = 0
  /** What the agent said when it broke it off. */
  code: ResetCode | undefined
  readonly #socket: Socket
  readonly #port: TcpConnectionPort
  #ticket: Ticket
  #phase: Phase = "waiting"
  #stream: AgentStream | undefined
  #pipe: RawPipe | undefined
  #early: Buffer[] = []
  #earlyBytes = 0
  #clientEnded = false
  #agentEnded = false
  /** Both directions have ended, and the agent has been told all. */
  #allSaid = false

  constructor(socket: Socket, ticket: Ticket, port: TcpConnectionPort) {
    this.#socket = socket
    this.#ticket = ticket
    this.#port = port
    socket
      .on("data", (bytes) => this.#clientSaid(bytes))
      .on("end", () => this.#onClientEnd())
      .on("drain", () => this.#pipe?.clientDrained())
      .on("error", () => {}) // "close" follows and says that there was one
      .on("close", (hadError) => this.#onClose(hadError))
  }

  get ticket(): Ticket {
    return this.#ticket
  }

  get waiting(): boolean {
    return this.#phase === "waiting"
  }

  get fromClientBytes(): number {
    return this.#socket.bytesRead
  }

  get toClientBytes(): number {
    return this.#socket.bytesWritten
  }

  // The queue's side.

  leased(stream: AgentStream): StreamSink {
    this.#phase = "leased"
    this.#stream = stream
    this.#port.leased(this)
    return this
  }

  holdExpired(): void {
    if (this.#phase === "waiting") this.#break("no_agent")
  }

  edgeStops(): void {
    if (this.#phase === "waiting") this.#break("stopped")
  }

  abort(): void {
    this.#stream?.reset("cancelled")
    this.#break("stopped")
  }

  // The agent's side.

  /** Nothing was sent to it before: until here another agent could have had it. */
  onTaken(): void {
    const stream = this.#stream
    if (this.#phase !== "leased" || stream === undefined) return
    this.#phase = "taken"
    this.takenAt = monotonicMs()
    const socket = this.#socket
    this.#pipe = new RawPipe({
      client: {
        get unsentBytes() {
          return socket.writableLength
        },
        data: (bytes) => void socket.write(bytes),
        end: () => void socket.end(),
        pauseBody: () => void socket.pause(),
        resumeBody: () => void socket.resume(),
      },
      stream,
      budget: this.#port.budget,
      websocket: false,
      onOver: () => {
        this.#allSaid = true
        if (socket.destroyed) this.#settle("closed") // else once the client has taken the rest
      },
    })
    const early = this.#early
    this.#early = []
    socket.resume()
    for (const bytes of early) this.#pipe.clientSaid(bytes)
    if (this.#clientEnded) this.#pipe.clientEnded()
  }

  onTiming(): void {}

  onHead(): void {
    this.#misled()
  }

  onData(bytes: Buffer): void {
    if (this.#pipe === undefined) return this.#misled()
    try {
      this.#pipe.onData(bytes)
    } catch {
      this.#misled() // more than it had credit for
    }
  }

  onEnd(): void {
    if (this.#pipe === undefined) return this.#misled()
    this.#agentEnded = true
    this.#pipe.onEnd()
  }

  onReset(code: ResetCode): void {
    if (this.#phase === "leased" && notBegunCodes.has(code)) return this.#offerAgain()
    this.code = code
    this.#break("broken")
  }

  onLost({ begun }: StreamLoss): void {
    if (this.#phase === "leased" && begun !== "maybe") this.#offerAgain()
    else this.#break("broken")
  }

  onWindow(creditBytes: number): void {
    try {
      this.#pipe?.onWindow(creditBytes)
    } catch {
      this.#misled() // more than a window may be
    }
  }

  onWritable(): void {
    this.#pipe?.onWritable()
  }

  // The client's side.

  #clientSaid(bytes: Buffer): void {
    if (this.#pipe !== undefined) return this.#pipe.clientSaid(bytes)
    this.#early.push(bytes)
    this.#earlyBytes += bytes.length
    if (this.#earlyBytes >= maxEarlyBytes) this.#socket.pause()
  }

  #onClientEnd(): void {
    this.#clientEnded = true
    this.#pipe?.clientEnded()
  }

  #onClose(hadError: boolean): void {
    if (this.#phase === "over") return
    if (this.#allSaid && !hadError) return this.#settle("closed")
    // Both sides have said all; the agent has not had the credit for the rest of it yet.
    if (!hadError && this.#clientEnded && this.#agentEnded) return
    this.#stream?.reset("cancelled")
    this.#settle("left")
  }

  #offerAgain(): void {
    this.#stream = undefined
    const { attempt } = this.#ticket
    if (attempt >= maxOffers) return this.#break("broken")
    this.#ticket = { ...this.#ticket, attempt: attempt + 1, deadlineAt: this.#port.holdEndsAt() }
    this.#phase = "waiting"
    this.#port.waitsAgain(this)
  }

  /** The agent says what makes no sense here. */
  #misled(): void {
    if (this.#phase === "over") return
    this.#stream?.reset("internal")
    this.#break("broken")
  }

  /** What is not whole must not look so: the client gets a RST. */
  #break(how: PortOutcome): void {
    if (this.#phase === "over") return
    this.#settle(how)
    this.#socket.resetAndDestroy()
  }

  #settle(how: PortOutcome): void {
    this.#phase = "over"
    this.#stream = undefined
    this.#early = []
    this.#pipe?.release()
    this.#port.ended(this, how)
  }
}
