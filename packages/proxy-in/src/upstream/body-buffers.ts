// Memory for response bodies on their way to the edge: lent while the session keeps them, and used again once the edge
// has them. Without it every large body would leave its whole size to the garbage collector.

/** As large as one read from an upstream can be. */
const bufferBytes = 256 * 1024
/** Smaller pieces are not worth it: Node's own pool serves them. */
const leastBytes = 32 * 1024
/** Kept for reuse; what more is lent at a time is left to the collector. */
const maxKept = 32

export class BodyBuffers {
  readonly #free: Buffer[] = []
  /** Bytes of a lent buffer that have not come back. */
  readonly #lent = new WeakMap<ArrayBufferLike, number>()

  /** A buffer of exactly `bytes`, at most 256 KiB. */
  take(bytes: number): Buffer {
    if (bytes < leastBytes || bytes > bufferBytes) return Buffer.allocUnsafe(bytes)
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)
    this.#lent.set(buffer.buffer, bytes)
    return buffer.subarray(0, bytes)
  }

  /** Nobody reads these any more. Parts of what was taken count; buffers of others are passed over. */
  release(parts: readonly Buffer[]): void {
    for (const part of parts) {
      const left = this.#lent.get(part.buffer)
      if (left === undefined) continue
      if (left > part.length) {
        this.#lent.set(part.buffer, left - part.length)
        continue
      }
      this.#lent.delete(part.buffer)
      if (this.#free.length < maxKept) this.#free.push(Buffer.from(part.buffer))
    }
  }
}
