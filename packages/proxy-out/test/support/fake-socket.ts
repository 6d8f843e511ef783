// A client's socket without a network: what the client sends arrives when the test says so, what it is sent is kept, and
// it reads no faster than the test lets it. Delivery is synchronous, so that no test has to wait.
import { EventEmitter } from "node:events"
import type { Socket } from "node:net"

export class FakeSocket extends EventEmitter {
  remoteAddress: string | undefined = "203.0.113.9"
  destroyed = false
  /** We have ended our side; the client sees the end after all that was written. */
  ended = false
  /** The connection was broken off with RST. */
  wasReset = false
  bytesRead = 0
  bytesWritten = 0
  readonly #written: Buffer[] = []
  readonly #arrived: Buffer[] = []
  #untaken = 0
  #stalled = false
  #paused = false

  /** The same object as the type that the code under test wants. */
  get asSocket(): Socket {
    return this as unknown as Socket
  }

  // The client's side.

  /** All that was ever written, latin-1. */
  get text(): string {
    return Buffer.concat(this.#written).toString("latin1")
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#written)
  }

  /** Nothing more is read from it until resume(). */
  get held(): boolean {
    return this.#paused
  }

  send(bytes: string | Buffer): void {
    const sent = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes
    if (this.destroyed) return
    if (this.#paused) this.#arrived.push(sent)
    else this.#bring(sent)
  }

  /** The client ends its side. */
  halfClose(): void {
    this.emit("end")
  }

  /** The client reads nothing from now on. */
  stall(): void {
    this.#stalled = true
  }

  /** The client takes `bytes` of what waits for it, by default all, and goes on reading then. */
  take(bytes: number = this.#untaken): void {
    const waited = this.#untaken > 0
    this.#untaken -= Math.min(bytes, this.#untaken)
    if (this.#untaken > 0) return
    this.#stalled = false
    if (waited) this.emit("drain")
  }

  // What the code under test uses.

  get writableLength(): number {
    return this.#untaken
  }

  write(bytes: Buffer): boolean {
    if (this.ended || this.destroyed) throw new Error("written after the end")
    this.#written.push(Buffer.from(bytes))
    this.bytesWritten += bytes.length
    if (this.#stalled) this.#untaken += bytes.length
    return this.#untaken === 0
  }

  cork(): void {}

  uncork(): void {}

  pause(): this {
    this.#paused = true
    return this
  }

  resume(): this {
    this.#paused = false
    // As a real one: later, not from within.
    queueMicrotask(() => {
      while (!this.#paused && this.#arrived.length > 0) this.#bring(this.#arrived.shift()!)
    })
    return this
  }

  end(): this {
    this.ended = true
    return this
  }

  destroySoon(): void {
    this.ended = true
    this.destroy()
  }

  destroy(): this {
    if (this.destroyed) return this
    this.destroyed = true
    queueMicrotask(() => this.emit("close"))
    return this
  }

  resetAndDestroy(): this {
    this.wasReset = true
    return this.destroy()
  }

  #bring(bytes: Buffer): void {
    this.bytesRead += bytes.length
    this.emit("data", bytes)
  }
}
