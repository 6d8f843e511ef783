// One client's connection: reads requests one after the other, hands each to whoever serves it, and writes the answers
// in order (RFC 9112 §9.3). It knows framing and sockets, nothing of tunnels.
import type { Socket } from "node:net"
import { defaultHttp1Limits, Http1Error, RequestReader } from "@restante/protocol"
import type { Http1Limits, MessageSink, RequestHead, Scheme } from "@restante/protocol"
import type { ClientFault, RequestHandler } from "../exchange/client.ts"
import type { Guest } from "./admission.ts"
import { awaitSilence } from "./half-closed.ts"
import { Http1Client } from "./http1-client.ts"
import type { Http1Connection } from "./http1-client.ts"
import type { Patience } from "./patience.ts"
import { plainAddress } from "./plain-address.ts"
import { type ConnectionPhase, Watch } from "./watch.ts"

/** Who gets an answer of ours. */
export type Peer = Pick<ClientConnection, "remoteAddress" | "phase" | "exchangeId">

export interface ConnectionPort {
  onRequest(head: RequestHead, connection: ClientConnection): RequestHandler
  /** A request that is not valid HTTP: the answer to write before the connection closes. */
  badRequest(error: Http1Error, connection: Peer): Buffer
  onClosed(connection: ClientConnection): void
}

/** Pipelined requests that may wait behind a running one, in bytes; beyond that the socket is not read. */
const maxPipelinedBytes = 64 * 1024
/** After a final answer the client may still be sending: this much is read and dropped so that it can read the answer. */
const maxLingerBytes = 16 * 1024 * 1024
const lingerMs = 2000

export class ClientConnection implements MessageSink<RequestHead>, Http1Connection, Guest {
  readonly socket: Socket
  /** How an exchange sees this client. */
  readonly client: Http1Client
  readonly scheme: Scheme
  /** The TCP connection: the socket itself, or what carries its TLS. */
  readonly under: Socket
  readonly #port: ConnectionPort
  readonly #reader: RequestReader
  #handler: RequestHandler | undefined
  #requestEnded = true
  #rest: Buffer[] = []
  #restBytes = 0
  #reading = false
  #pausedByHandler = false
  #taken: ((rest: Buffer) => void) | undefined
  #lingering = 0
  #closing = false
  /** The client sends nothing more. */
  #inputEnded = false
  /** It has switched protocols: what comes is not HTTP. */
  #raw = false
  #remoteAddress: string | undefined
  /** Something of the running request's final answer has been written: no other answer may follow. */
  #answerBegun = false
  /** Called when the connection ends before another request came on it. */
  whenEnded: (() => void) | undefined
  /** An agent that was let in speaks on it: it stays open while the edge waits for what runs. */
  servesAgent = false
  /** It has brought a request. */
  known = false
  readonly #watch = new Watch()
  #bodyHasLength = false

  /** `under`: the connection that carries a TLS socket. */
  constructor(
    socket: Socket,
    port: ConnectionPort,
    limits: Http1Limits = defaultHttp1Limits,
    under: Socket = socket,
  ) {
    this.socket = socket
    this.under = under
    this.scheme = under === socket ? "http" : "https"
    this.client = new Http1Client(this)
    this.#port = port
    this.#reader = new RequestReader(this, limits)
    socket.on("data", this.#onBytes)
    socket.on("end", this.#onInputEnd)
    socket.on("drain", this.#onDrain)
    socket.on("error", ignoreError)
    socket.on("close", this.#onClose)
  }

  get remoteAddress(): string {
    return (this.#remoteAddress ??= plainAddress(this.socket.remoteAddress))
  }

  /** Of the running request, when it is an exchange. */
  get exchangeId(): string | undefined {
    return this.#handler?.ticket?.id
  }

  get phase(): ConnectionPhase {
    if (this.#raw) return "raw"
    if (this.#handler === undefined) return this.#reader.idle ? "idle" : "head"
    return this.#requestEnded ? "response" : "body"
  }

  /** Looked at once per sweep: for how many sweeps the client has not done its part of the present phase. */
  sweep(patience: Patience, sweepMs: number): { phase: ConnectionPhase; quiet: number } {
    const phase = this.phase
    const { bytesRead, bytesWritten, writableLength: unsentBytes } = this.socket
    const patient = this.#handler?.patient === true
    const [heldBack, hasLength] = [this.#pausedByHandler, this.#bodyHasLength]
    const watched = { phase, heldBack, patient, hasLength, bytesRead, bytesWritten, unsentBytes }
    return { phase, quiet: this.#watch.sweep(watched, patience, sweepMs) }
  }

  get restSweeps(): number {
    return this.servesAgent ? 0 : this.#watch.restSweeps(this.phase)
  }

  // For the handler of the running request.

  /** Bytes that the client has not taken yet. */
  get unsentBytes(): number {
    return this.socket.writableLength
  }

  write(bytes: Buffer): void {
    this.#answerBegun = true
    if (!this.socket.destroyed) this.socket.write(bytes)
  }

  /** Several pieces as one packet. */
  writeAll(pieces: readonly Buffer[]): void {
    if (this.socket.destroyed) return
    this.#answerBegun = true
    this.socket.cork()
    for (const piece of pieces) this.socket.write(piece)
    this.socket.uncork()
  }

  /** A 1xx response: the final answer is still to come. */
  writeInformational(bytes: Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes)
  }

  pauseBody(): void {
    this.#pausedByHandler = true
    this.socket.pause()
  }

  resumeBody(): void {
    this.#pausedByHandler = false
    this.socket.resume()
  }

  /** The answer is whole. The connection goes on to the next request, or closes when it must. */
  finish(keepAlive: boolean): void {
    this.#handler = undefined
    this.#answerBegun = false
    if (!keepAlive || !this.#requestEnded || this.#closing) return this.#linger()
    if (this.#pausedByHandler) this.resumeBody()
    if (this.#reading) return
    if (this.#restBytes === 0) return this.#endAfterLast()
    const rest = this.#takeRest()
    this.socket.resume()
    this.#onBytes(rest)
  }

  turnRaw(): void {
    this.#raw = true
    this.#requestEnded = false
    const early = this.#takeRest()
    if (early.length > 0) this.#handler?.onBody(early)
    if (this.#inputEnded) this.onEnd("")
    if (!this.#pausedByHandler) this.socket.resume()
  }

  endRaw(): void {
    if (!this.socket.destroyed) this.socket.end()
  }

  /** Breaks the connection so that no client can take what it has for whole (RFC 9112 §8). */
  reset(): void {
    this.#handler = undefined
    this.under.resetAndDestroy()
  }

  /** The client takes nothing of its answer any more: whoever makes it is told to stop. */
  abandon(): void {
    const handler = this.#handler
    this.reset()
    handler?.onClientGone()
  }

  /** The request takes too long to arrive, or cannot be read: answers and closes; an answer that has begun is broken off. */
  giveUp(answer: Buffer, fault: ClientFault): void {
    const handler = this.#handler
    this.#handler = undefined
    handler?.onClientGone(fault)
    if (this.#answerBegun) return this.reset()
    this.write(answer)
    this.#requestEnded = false
    this.#linger()
  }

  /** Called while a head is being handed over: what follows it on this connection belongs to `taker`. */
  takeOver(taker: (rest: Buffer) => void): void {
    this.#reader.stopAfterHead()
    this.#taken = taker
  }

  /** No further request; closes at once when none is running. */
  close(): void {
    this.closeBehind()
    if (this.#handler === undefined) this.socket.destroySoon()
  }

  /** No further request behind this one, or the one that is being handed over. */
  closeBehind(): void {
    this.#closing = true
  }

  // For the reader.

  onHead(head: RequestHead): void {
    this.#requestEnded = false
    this.#answerBegun = false
    this.whenEnded = undefined
    this.#bodyHasLength = head.body.kind === "length"
    this.#handler = this.#port.onRequest(head, this)
  }

  onData(bytes: Buffer): void {
    this.#handler?.onBody(bytes)
  }

  onEnd(trailers: string): void {
    this.#requestEnded = true
    this.#handler?.onBodyEnd(trailers)
  }

  readonly #onBytes = (bytes: Buffer): void => {
    if (this.#lingering > 0) return this.#drop(bytes)
    if (this.#raw) return this.#handler?.onBody(bytes)
    this.#reading = true
    try {
      this.#read(bytes)
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error
      this.giveUp(this.#port.badRequest(error, this), { code: "bad_request", status: error.status })
    } finally {
      this.#reading = false
    }
    this.#endAfterLast()
  }

  #read(bytes: Buffer): void {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#handler !== undefined && this.#requestEnded) return this.#stash(rest)
      const consumed = this.#reader.read(rest)
      const taken = this.#taken
      if (taken !== undefined) {
        this.#release()
        return taken(rest.subarray(consumed))
      }
      if (this.#lingering > 0) return
      rest = consumed === rest.length ? noBytes : rest.subarray(consumed)
    }
    if (this.#handler !== undefined && !this.#requestEnded) this.#handler.onReadPaused()
  }

  #takeRest(): Buffer {
    const rest = this.#rest.length === 1 ? this.#rest[0]! : Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    return rest
  }

  #stash(bytes: Buffer): void {
    this.#rest.push(bytes)
    this.#restBytes += bytes.length
    if (this.#restBytes > maxPipelinedBytes) this.socket.pause()
  }

  /** RFC 9112 §9.6: closing at once while the client still sends would destroy the answer on its way. */
  #linger(): void {
    if (this.#requestEnded) {
      this.socket.destroySoon()
      return
    }
    this.#lingering = maxLingerBytes
    this.socket.end()
    this.socket.resume()
    setTimeout(() => this.socket.destroy(), lingerMs).unref()
  }

  #drop(bytes: Buffer): void {
    this.#lingering -= bytes.length
    if (this.#lingering <= 0) this.socket.destroy()
  }

  readonly #onInputEnd = (): void => {
    this.#inputEnded = true
    if (this.#raw) return this.onEnd("")
    if (this.#handler === undefined) {
      if (this.#lingering === 0) this.socket.end()
    } else if (this.#requestEnded && !this.servesAgent) awaitSilence(this.socket, this.#onLeft)
    else this.#onLeft()
  }

  /** It has left with its answer, or with half a request of its own. */
  readonly #onLeft = (): void => {
    if (this.#raw) return // each side of it ends for itself
    const handler = this.#handler
    this.#handler = undefined
    handler?.onClientGone()
    this.socket.destroy()
  }

  /** RFC 9112 §9.6: a client that sends nothing more has had all its answers. */
  #endAfterLast(): void {
    if (this.#inputEnded && this.#handler === undefined && this.#restBytes === 0 && this.#lingering === 0)
      this.socket.destroySoon()
  }

  readonly #onDrain = (): void => {
    this.#handler?.onClientDrain()
  }

  readonly #onClose = (): void => {
    const handler = this.#handler
    this.#handler = undefined
    handler?.onClientGone()
    this.whenEnded?.()
    this.#port.onClosed(this)
  }

  /** Somebody else reads and writes this socket from now on. */
  #release(): void {
    this.socket.off("data", this.#onBytes)
    this.socket.off("end", this.#onInputEnd)
    this.socket.off("drain", this.#onDrain)
    this.socket.off("error", ignoreError)
    this.socket.off("close", this.#onClose)
    this.#port.onClosed(this)
  }
}

const noBytes = Buffer.alloc(0)

function ignoreError(): void {
  // "close" follows, and that is what counts.
}
