// Credit: how many body bytes one direction of one stream may still send. The receiver grants it as its reader consumes,
// so a slow reader slows the writer at the far end, and memory per stream never exceeds the window.
import { WireError, wireLimits } from "../wire/index.ts"

/** The sender's half. Bytes of DATA payload count, inline bodies do not. */
export class SendCredit {
  #available: number
  readonly #maxBytes: number

  constructor(
    initialBytes: number = wireLimits.initialWindowBytes,
    maxBytes: number = wireLimits.maxWindowBytes,
  ) {
    this.#available = initialBytes
    this.#maxBytes = maxBytes
  }

  /** Bytes that may be sent now. */
  get available(): number {
    return this.#available
  }

  /** Uses credit. `bytes` must not be more than `available`: sending on is our own mistake, thus a RangeError. */
  take(bytes: number): void {
    if (bytes > this.#available) throw new RangeError(`${bytes} bytes on a credit of ${this.#available}`)
    this.#available -= bytes
  }

  /** A WINDOW came. Throws WireError("credit_overflow") when the peer grants more than a window may hold. */
  grant(bytes: number): void {
    if (this.#available + bytes > this.#maxBytes)
      throw new WireError("credit_overflow", `${this.#available} + ${bytes}`)
    this.#available += bytes
  }
}

/** What the growth of all windows together may take, so that many fast streams cannot sum up without bound. */
export class WindowBudget {
  #left: number

  constructor(maxBytes: number) {
    this.#left = maxBytes
  }

  /** Bytes that windows may still grow by. */
  get leftBytes(): number {
    return this.#left
  }

  /** Takes all of `bytes`, or nothing. */
  reserve(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#left += bytes
  }
}

/** The receiver's half. */
export class ReceiveCredit {
  #maxBytes: number
  readonly #budget: WindowBudget | undefined
  readonly #initialBytes: number
  #window: number
  /** What the peer may still send, counting grants on their way to it. */
  #outstanding: number
  /** Received, not yet consumed. */
  #buffered = 0
  /** Consumed, not yet granted again. */
  #pending = 0
  #receivedAtThisSize = 0

  constructor(
    initialBytes: number = wireLimits.initialWindowBytes,
    maxBytes: number = wireLimits.maxWindowBytes,
    budget?: WindowBudget,
  ) {
    if (maxBytes > wireLimits.maxWindowBytes) throw new RangeError(`the peer refuses a window of ${maxBytes}`)
    this.#initialBytes = initialBytes
    this.#maxBytes = maxBytes
    this.#budget = budget
    this.#window = initialBytes
    this.#outstanding = initialBytes
  }

  /** The most that may be buffered now. Bytes. */
  get windowBytes(): number {
    return this.#window
  }

  /** Received and not consumed. Bytes. */
  get bufferedBytes(): number {
    return this.#buffered
  }

  /** DATA came. Throws WireError("credit_exceeded") when the peer had no credit for it. */
  received(bytes: number): void {
    if (bytes > this.#outstanding) throw new WireError("credit_exceeded", `${bytes} > ${this.#outstanding}`)
    this.#outstanding -= bytes
    this.#buffered += bytes
    this.#receivedAtThisSize += bytes
  }

  /**
   * The reader took `bytes` of what was received. Returns what to grant in a WINDOW now, 0 for nothing yet: a grant is
   * due when half the window is consumed. The window doubles when the sender has used a whole one and the reader keeps
   * up, because then only the window slows the stream; never for a slow reader, and never beyond the budget.
   */
  consumed(bytes: number): number {
    if (bytes > this.#buffered) throw new RangeError(`${bytes} bytes consumed of ${this.#buffered}`)
    this.#buffered -= bytes
    this.#pending += bytes
    if (this.#buffered === 0 && this.#receivedAtThisSize >= this.#window) this.#grow()
    if (this.#pending * 2 < this.#window) return 0
    const grant = this.#pending
    this.#pending = 0
    this.#outstanding += grant
    return grant
  }

  /** The stream is over: gives the growth back to the budget. Twice is fine. */
  release(): void {
    this.#budget?.giveBack(this.#window - this.#initialBytes)
    this.#window = this.#initialBytes
    this.#maxBytes = this.#initialBytes
  }

  #grow(): void {
    const growth = Math.min(this.#window, this.#maxBytes - this.#window)
    if (growth <= 0 || this.#budget?.reserve(growth) === false) return
    this.#window += growth
    this.#pending += growth
    this.#receivedAtThisSize = 0
  }
}
