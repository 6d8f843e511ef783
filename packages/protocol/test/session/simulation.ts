// Two sessions and what lies between them, under the test's control: carriers that deliver in pieces, out of order, twice
// or not at all, that break at any byte, and that one side may believe alive long after they are dead.
import { Session } from "../../src/session/index.ts"
import { MessageDecoder, type WireLimits, wireLimits } from "../../src/wire/index.ts"
import { Recorder, type RecordedFrame, writeFrame } from "../wire/frame-record.ts"

export type Side = 0 | 1

export type Step =
  /** Numbers that pick something are taken modulo what there is. */
  | { kind: "send"; from: Side; frame: RecordedFrame }
  | { kind: "flush"; from: Side; carrier: number; maxBytes: number }
  | { kind: "ack"; from: Side; carrier: number; resend: boolean }
  /** Stream: `amount` bytes of what is in flight. Packets: the message at `amount`, which stays when `twice`. */
  | { kind: "deliver"; to: Side; carrier: number; amount: number; twice: boolean }
  /** Packets only: a message disappears. */
  | { kind: "lose"; to: Side; carrier: number; amount: number }
  /** The carrier breaks; `noticedBy` knows at once, the other side only after `notice`. */
  | { kind: "cut"; carrier: number; noticedBy: Side; replacement: CarrierKind }
  | { kind: "notice"; by: Side; carrier: number }

export type CarrierKind = "stream" | "packets"

/** Small, so that short runs reach them. */
const tightLimits: WireLimits = {
  ...wireLimits,
  maxUnacknowledgedMessages: 5,
  maxUnacknowledgedBytes: 6000,
}

export interface Outcome {
  readonly fromEdge: string
  readonly fromAgent: string
  /** Bytes and gaps that remain at either side; 0 at the end. */
  readonly left: number
}

export class Simulation {
  readonly ends: readonly [End, End]
  #nextCarrier = 1

  constructor(carriers: readonly CarrierKind[], limits: WireLimits = tightLimits, batchBytes = 300) {
    this.ends = [new End(limits, batchBytes), new End(limits, batchBytes)]
    for (const kind of carriers) this.connect(kind)
  }

  connect(kind: CarrierKind): Carrier {
    const carrier = new Carrier(this.#nextCarrier++, kind)
    for (const end of this.ends) end.carriers.push(carrier)
    return carrier
  }

  run(step: Step): void {
    switch (step.kind) {
      case "send":
        this.ends[step.from].send(step.frame)
        break
      case "flush":
        this.flush(step.from, this.#carrier(step.from, step.carrier), step.maxBytes)
        break
      case "ack":
        this.#carrier(step.from, step.carrier)?.put(
          other(step.from),
          this.ends[step.from].session.ackMessage({ resend: step.resend }),
        )
        break
      case "deliver":
        this.#carrier(step.to, step.carrier)?.deliver(step.to, this.ends[step.to], step.amount, step.twice)
        break
      case "lose":
        this.#carrier(step.to, step.carrier)?.lose(step.to, step.amount)
        break
      case "cut":
        this.cut(step.noticedBy, this.#carrier(step.noticedBy, step.carrier))
        this.connect(step.replacement)
        break
      case "notice": {
        const dead = this.ends[step.by].carriers.filter((carrier) => carrier.isCut)
        const carrier = dead[step.carrier % dead.length]
        if (carrier !== undefined) this.ends[step.by].lost(carrier)
        break
      }
    }
    for (const end of this.ends) end.check()
  }

  flush(from: Side, carrier: Carrier | undefined, maxBytes?: number): boolean {
    if (carrier === undefined) return false
    const buffers = this.ends[from].session.nextMessage(carrier.id, maxBytes)
    if (buffers === undefined) return false
    carrier.put(other(from), Buffer.concat(buffers))
    return true
  }

  cut(noticedBy: Side, carrier: Carrier | undefined): void {
    if (carrier === undefined) return
    carrier.cut()
    this.ends[noticedBy].lost(carrier)
  }

  /** Everything breaks, both sides know it, and one good carrier takes over. */
  healByReattaching(): void {
    for (const end of this.ends) {
      for (const carrier of end.carriers.slice()) {
        carrier.cut()
        end.lost(carrier)
      }
    }
    const carrier = this.connect("stream")
    this.#pump(carrier, () => {})
  }

  /** Nothing more breaks, but nobody noticed what was lost: the timers of both sides have to find out. */
  healByAsking(): void {
    const carrier = this.connect("stream")
    this.#pump(carrier, (end, side) => {
      if (end.session.missing) carrier.put(other(side), end.session.ackMessage({ resend: true }))
      // Without a later message the peer cannot know that one is missing: the sender's own timer.
      else if (end.session.unacknowledgedBytes > 0) end.session.resendAll()
    })
  }

  /** Rounds of: flush everything, deliver everything, acknowledge; until nothing moves, or too many of them. */
  #pump(carrier: Carrier, whenStuck: (end: End, side: Side) => void): void {
    for (let round = 0; round < 500; round++) {
      for (const side of sides) while (this.flush(side, carrier)) continue
      for (const side of sides)
        if (this.ends[side].session.ackDue) carrier.put(other(side), this.ends[side].session.ackMessage())
      const moved = carrier.deliverAll(this.ends)
      for (const end of this.ends) end.check()
      if (moved) continue
      if (this.ends.every((end) => end.isQuiet)) return
      for (const side of sides) whenStuck(this.ends[side], side)
    }
    throw new Error("the two sides never became quiet")
  }

  /** What each side got, and what remains to be done; to be compared with `sent`. */
  get arrived(): Outcome {
    const [edge, agent] = this.ends
    return { fromEdge: agent.received.text, fromAgent: edge.received.text, left: edge.left + agent.left }
  }

  get sent(): Outcome {
    const [edge, agent] = this.ends
    return { fromEdge: edge.sent.text, fromAgent: agent.sent.text, left: 0 }
  }

  /** At any time, what has arrived is the beginning of what was sent (that all of it is: see `arrived`). */
  checkOrder(): void {
    for (const side of sides) {
      const received = this.ends[side].received.text
      if (!this.ends[other(side)].sent.text.startsWith(received))
        throw new Error(`what arrived is not what was sent: …${received.slice(-200)}`)
    }
  }

  #carrier(side: Side, index: number): Carrier | undefined {
    const { carriers } = this.ends[side]
    return carriers[index % carriers.length]
  }
}

/** One session and what its owner would know. */
export class End {
  readonly session: Session
  readonly sent = new Transcript()
  readonly received = new Transcript()
  /** Carriers this side believes alive. */
  readonly carriers: Carrier[] = []
  #told = false

  constructor(limits: WireLimits, batchBytes: number) {
    const recorder = new Recorder()
    recorder.frames.push = (...frames) => {
      for (const frame of frames) this.received.add(frame)
      return 0
    }
    this.session = new Session({
      sink: recorder,
      limits,
      batchBytes,
      onOutput: () => {
        this.#told = true
      },
    })
  }

  get isQuiet(): boolean {
    const { session } = this
    return session.unacknowledgedBytes === 0 && !session.hasOutput && !session.missing && !session.ackDue
  }

  get left(): number {
    const { unacknowledgedBytes, queuedBytes, missing } = this.session
    return unacknowledgedBytes + queuedBytes + (missing ? 1 : 0)
  }

  send(frame: RecordedFrame): void {
    this.sent.add(frame)
    writeFrame(this.session, frame)
  }

  lost(carrier: Carrier): void {
    const index = this.carriers.indexOf(carrier)
    if (index >= 0) this.carriers.splice(index, 1)
    this.session.carrierLost(carrier.id)
  }

  /** The owner was told of every output. */
  check(): void {
    if (this.session.hasOutput && !this.#told) throw new Error("output without onOutput")
    if (!this.session.hasOutput) this.#told = false
  }
}

/** A way between the two, in both directions. */
export class Carrier {
  readonly id: number
  readonly #kind: CarrierKind
  readonly #inFlight: [Buffer[], Buffer[]] = [[], []]
  readonly #decoders = [new MessageDecoder({ preamble: false }), new MessageDecoder({ preamble: false })]
  #cut = false

  constructor(id: number, kind: CarrierKind) {
    this.id = id
    this.#kind = kind
  }

  get isCut(): boolean {
    return this.#cut
  }

  put(to: Side, message: Buffer): void {
    if (!this.#cut) this.#inFlight[to].push(message)
  }

  cut(): void {
    this.#cut = true
    this.#inFlight[0].length = 0
    this.#inFlight[1].length = 0
  }

  bytesInFlight(to: Side): number {
    return this.#inFlight[to].reduce((sum, message) => sum + message.length, 0)
  }

  deliver(to: Side, end: End, amount: number, twice: boolean): void {
    const queue = this.#inFlight[to]
    if (queue.length === 0) return
    if (this.#kind === "packets") {
      const index = amount % queue.length
      const message = queue[index]
      if (!twice) queue.splice(index, 1)
      if (message !== undefined) end.session.receive(message)
      return
    }
    const bytes = Buffer.concat(queue)
    queue.length = 0
    const delivered = Math.min(amount, bytes.length)
    if (delivered < bytes.length) queue.push(bytes.subarray(delivered))
    // A copy per delivery, as a socket would make one.
    const messages = this.#decoders[to]?.push(Buffer.from(bytes.subarray(0, delivered))) ?? []
    for (const message of messages) end.session.receive(message)
  }

  lose(to: Side, index: number): void {
    const queue = this.#inFlight[to]
    if (this.#kind === "packets" && queue.length > 0) queue.splice(index % queue.length, 1)
  }

  /** Returns whether anything moved. */
  deliverAll(ends: readonly [End, End]): boolean {
    let moved = false
    for (const side of sides) {
      while (this.#inFlight[side].length > 0) {
        this.deliver(side, ends[side], Number.MAX_SAFE_INTEGER, false)
        moved = true
      }
    }
    return moved
  }
}

const sides: readonly [Side, Side] = [0, 1]

function other(side: Side): Side {
  return side === 0 ? 1 : 0
}

/** Frames as text, in order. How a body was cut into DATA frames does not show, for the session may cut it anew. */
class Transcript {
  text = ""
  #dataOf = 0

  add(frame: RecordedFrame): void {
    if (frame.type === "data") {
      this.text += frame.stream === this.#dataOf ? frame.bytes : `\ndata ${frame.stream} ${frame.bytes}`
      this.#dataOf = frame.stream
    } else {
      this.text += `\n${JSON.stringify(frame, Object.keys(frame).toSorted())}`
      this.#dataOf = 0
    }
  }
}
