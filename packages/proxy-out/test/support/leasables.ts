// Exchanges for tests of what stands between the queue and the agents: each writes down what becomes of it.
import { openKind } from "@restante/protocol"
import type { ResetCode } from "@restante/protocol"
import type { AgentStream, Leasable, StreamLoss, StreamSink } from "../../src/exchange/agent-stream.ts"
import type { Ticket } from "../../src/queue/broker.ts"

export function ticketOf(id: string, fields: Partial<Ticket> = {}): Ticket {
  return {
    id,
    kind: openKind.http,
    tunnel: "default",
    owner: "edge-a",
    attempt: 1,
    deadlineAt: Date.now() + 30_000,
    idempotent: false,
    record: { clientAddress: "203.0.113.9", scheme: "http" },
    head: `POST /${id} HTTP/1.1\r\nHost: a\r\n\r\n`,
    bodyFollows: false,
    body: undefined,
    ...fields,
  }
}

export class FakeExchange implements Leasable, StreamSink {
  upstreamMicroseconds = -1
  readonly ticket: Ticket
  waiting = true
  repeatable = false
  stream: AgentStream | undefined
  /** What the agent's side said, in order. */
  readonly heard: string[] = []
  readonly #chunks: Buffer[] = []

  constructor(id: string, fields: Partial<Ticket> = {}) {
    this.ticket = ticketOf(id, fields)
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  leased(stream: AgentStream): StreamSink {
    this.waiting = false
    this.stream = stream
    this.heard.push("leased")
    return this
  }

  onTiming(upstreamMicroseconds: number): void {
    this.upstreamMicroseconds = upstreamMicroseconds
  }

  onTaken(): void {
    this.heard.push("taken")
  }

  onHead(flags: number, head: string, inlineBody: Buffer | undefined): void {
    const [start = ""] = head.split("\r\n")
    this.heard.push(
      `head ${flags} ${start}${inlineBody === undefined ? "" : ` ${inlineBody.toString("latin1")}`}`,
    )
  }

  onData(bytes: Buffer): void {
    this.#chunks.push(bytes)
    this.heard.push(`data ${bytes.length}`)
  }

  onEnd(trailers: string): void {
    this.heard.push(`end ${JSON.stringify(trailers)}`)
  }

  onReset(code: ResetCode): void {
    this.heard.push(`reset ${code}`)
  }

  onWindow(creditBytes: number): void {
    this.heard.push(`window ${creditBytes}`)
  }

  onWritable(): void {
    this.heard.push("writable")
  }

  onLost({ begun }: StreamLoss): void {
    this.heard.push(`lost ${begun}`)
  }
}
