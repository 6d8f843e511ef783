// Raw bytes between an upstream's connection and a stream of the session, both ways under credit. Each direction ends by itself, as
// TCP's do; the relay is over when both have.
import { randomBytes } from "node:crypto"
import { Departure, ReceiveCredit, wireLimits } from "@restante/protocol"
import type { RawUser } from "./connection.ts"
import type { UpstreamFailure } from "./failures.ts"
import { OutgoingBytes } from "./outgoing-bytes.ts"
import type { ReplyStream } from "./reply-stream.ts"
import type { UpstreamLink, Upstreams } from "./upstreams.ts"

export interface RawRelayOptions {
  readonly connection: UpstreamLink
  readonly reply: ReplyStream
  readonly pool: Pick<Upstreams, "buffers" | "windows">
  /** The bytes are WebSocket frames: both peers can be told that we leave. */
  readonly websocket: boolean
  /** Called once: with a failure the stream is still to be reset, without one both sides have ended. Not called after `abort`. */
  readonly onOver: (failure: UpstreamFailure | undefined) => void
}

export class RawRelay implements RawUser {
  /** All that the upstream has said. */
  fromUpstreamBytes = 0
  readonly #options: RawRelayOptions
  readonly #outgoing: OutgoingBytes
  readonly #incoming: ReceiveCredit
  readonly #fromUpstream: Departure | undefined
  readonly #fromEdge: Departure | undefined
  /** Of what the edge sent: with the connection, but no credit given back for it yet. */
  #untakenBytes = 0
  /** "ended": it has sent its last byte. "gone": it also reads no more. */
  #upstream: "open" | "ended" | "gone" = "open"
  /** Nothing that the upstream still says goes to the edge; the END follows what waits. */
  #edgeHasAll = false
  /** The END has been said to the edge. */
  #edgeTold = false
  /** The edge has said END. */
  #edgeEnded = false
  /** Our side of the upstream's connection has ended. */
  #upstreamTold = false
  #over = false

  constructor(options: RawRelayOptions) {
    const { reply, pool, websocket } = options
    this.#options = options
    this.#outgoing = new OutgoingBytes(reply)
    this.#incoming = new ReceiveCredit(wireLimits.initialWindowBytes, wireLimits.maxWindowBytes, pool.windows)
    this.#fromUpstream = websocket ? new Departure() : undefined
    this.#fromEdge = websocket ? new Departure(() => randomBytes(4)) : undefined
  }

  /** The edge knows that bytes come now. */
  start(): void {
    const { connection } = this.#options
    connection.expectWithin(0) // it may be silent for days
    connection.turnRaw(this)
  }

  // The edge's side.

  /** Throws WireError when the edge overdraws its credit; the session is over then. */
  onData(bytes: Buffer): void {
    if (this.#over) return
    this.#incoming.received(bytes.length)
    this.#untakenBytes += bytes.length
    if (!this.#upstreamTold && this.#upstream !== "gone") {
      const departure = this.#fromEdge
      const onward = departure === undefined ? bytes : departure.pass(bytes)
      if (onward.length > 0) this.#options.connection.write(onward)
      if (departure?.left === true) this.#endUpstream()
    } else if (!this.#upstreamTold && this.#edgeTold) {
      // As TCP does: what is sent to a connection that its owner has closed is answered with a reset.
      return this.#finish({ code: "upstream_incomplete", detail: "closed" })
    }
    this.#giveBack()
  }

  /** The client has ended its side; it still reads. */
  onEnd(): void {
    if (this.#over) return
    this.#edgeEnded = true
    this.#endUpstream()
    this.#settleWhenOver()
  }

  /** Throws WireError when that is more than a window may be; the session is over then. */
  onWindow(creditBytes: number): void {
    if (this.#over) return
    this.#outgoing.grant(creditBytes)
    this.resume()
  }

  /** The session has room again. */
  resume(): void {
    if (this.#over) return
    this.#pump()
    if (!this.#over && (this.#edgeHasAll || !this.#outgoing.full)) this.#options.connection.resume()
  }

  /** The agent stops. A WebSocket's peers get a Close (1001) between two frames; of another protocol we know no last word. */
  leave(): void {
    const up = this.#fromEdge
    const down = this.#fromUpstream
    if (up === undefined || down === undefined || this.#over) return
    if (!this.#edgeHasAll) {
      const lastWord = down.leave()
      if (lastWord.length > 0) this.#outgoing.push(lastWord)
      this.#edgeHasAll = down.left
    }
    if (!this.#upstreamTold) {
      const lastWord = up.leave()
      if (lastWord.length > 0) this.#options.connection.write(lastWord)
      if (up.left) this.#endUpstream()
    }
    this.resume()
  }

  /** The stream is over, whatever the upstream does; it notices at once. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#incoming.release()
    this.#options.connection.abort()
  }

  // The upstream's side.

  onBytes(bytes: Buffer): void {
    this.fromUpstreamBytes += bytes.length
    if (this.#edgeHasAll || this.#over) return
    const departure = this.#fromUpstream
    const onward = departure === undefined ? bytes : departure.pass(bytes)
    if (onward.length > 0) {
      const copy = this.#options.pool.buffers.take(onward.length)
      onward.copy(copy)
      this.#outgoing.push(copy)
    }
    if (departure?.left === true) this.#edgeHasAll = true
    this.#pump()
    if (!this.#edgeHasAll && this.#outgoing.full) this.#options.connection.pause()
  }

  onInputEnd(): void {
    this.#upstream = "ended"
    this.#edgeHasAll = true
    this.#pump()
  }

  onDrain(): void {
    this.#giveBack()
  }

  onBroken(failure: UpstreamFailure): void {
    const wasOpen = this.#upstream === "open"
    this.#upstream = "gone"
    if (this.#over) return
    // What it said before it ended still goes to the edge, as much as credit allows.
    if (wasOpen && !this.#edgeHasAll) return this.#finish(failure)
    this.#giveBack()
    this.#settleWhenOver()
  }

  /** It was told that we leave, and does not close. */
  onOverdue(): void {
    this.#upstream = "gone"
    this.#options.connection.abort()
    if (this.#edgeHasAll) this.#settleWhenOver()
    else this.#finish({ code: "upstream_read_timeout", detail: "close" })
  }

  #pump(): void {
    this.#outgoing.pump()
    if (this.#edgeHasAll && !this.#edgeTold && this.#outgoing.empty) {
      this.#edgeTold = true
      this.#options.reply.end("")
    }
    this.#settleWhenOver()
  }

  #giveBack(): void {
    const behind = this.#upstream !== "gone" && this.#options.connection.unsentBytes > maxUnsentBytes
    if (this.#over || behind || this.#untakenBytes === 0) return
    const bytes = this.#untakenBytes
    this.#untakenBytes = 0
    const credit = this.#incoming.consumed(bytes)
    if (credit > 0 && !this.#edgeEnded) this.#options.reply.window(credit)
  }

  #endUpstream(): void {
    if (this.#upstreamTold) return
    this.#upstreamTold = true
    if (this.#upstream === "gone") return
    const { connection } = this.#options
    connection.endWriting()
    // Only after a Close of ours: a client that ends its side may go on listening for days.
    if (this.#fromEdge?.left === true) connection.expectWithin(leaveMs)
  }

  #settleWhenOver(): void {
    if (!this.#edgeTold || !this.#edgeEnded || this.#upstream === "open") return
    // What it has not taken yet is still its: the connection ends by itself then.
    if (this.#upstream === "gone" || this.#options.connection.unsentBytes === 0) this.#finish(undefined)
  }

  #finish(failure: UpstreamFailure | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#incoming.release()
    if (this.#upstream !== "gone") this.#options.connection.release(true)
    this.#options.onOver(failure)
  }
}

/** An upstream that reads slower than this many bytes behind is waited for. */
const maxUnsentBytes = 256 * 1024
/** How long an upstream may take to close after it was told that we leave. */
const leaveMs = 2000
