// What belongs to the streams of one session, by stream number. A Map would do, but not at tens of thousands of short
// streams per second: V8's hash tables leave a chain of dead tables behind that keeps everything that was ever in them alive
// from one collection to the next.

/** Open addressing with linear probing, at most half full: memory follows the most streams that ever ran at a time. */
export class StreamTable<Value> {
  /** 0 in a free slot: no stream has that number. */
  #numbers = new Float64Array(firstSlots)
  #values: (Value | undefined)[] = emptySlots(firstSlots)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(stream: number): Value | undefined {
    return this.#values[this.#slotOf(stream)]
  }

  has(stream: number): boolean {
    return this.#numbers[this.#slotOf(stream)] === stream
  }

  set(stream: number, value: Value): void {
    if ((this.#size + 1) * 2 > this.#numbers.length) this.#grow()
    const slot = this.#slotOf(stream)
    if (this.#numbers[slot] === 0) this.#size++
    this.#numbers[slot] = stream
    this.#values[slot] = value
  }

  /** Whether there was anything. */
  delete(stream: number): boolean {
    let free = this.#slotOf(stream)
    if (this.#numbers[free] === 0) return false
    const mask = this.#numbers.length - 1
    // Those behind it that were pushed out of their place move up, so that no search ends at the gap.
    for (let slot = (free + 1) & mask; this.#numbers[slot] !== 0; slot = (slot + 1) & mask) {
      const number = this.#numbers[slot] ?? 0
      if (((slot - number) & mask) < ((slot - free) & mask)) continue
      this.#numbers[free] = number
      this.#values[free] = this.#values[slot]
      free = slot
    }
    this.#numbers[free] = 0
    this.#values[free] = undefined
    this.#size--
    return true
  }

  clear(): void {
    this.#numbers.fill(0)
    this.#values.fill(undefined)
    this.#size = 0
  }

  /** What is there now; later changes do not show. */
  values(): Value[] {
    return this.#values.filter((value) => value !== undefined)
  }

  /** Where this stream stands, or the free slot where it would. */
  #slotOf(stream: number): number {
    const mask = this.#numbers.length - 1
    let slot = stream & mask
    for (let there = this.#numbers[slot]; there !== stream && there !== 0; there = this.#numbers[slot]) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const numbers = this.#numbers
    const values = this.#values
    this.#numbers = new Float64Array(numbers.length * 2)
    this.#values = emptySlots(numbers.length * 2)
    for (const [index, stream] of numbers.entries()) {
      if (stream === 0) continue
      const slot = this.#slotOf(stream)
      this.#numbers[slot] = stream
      this.#values[slot] = values[index]
    }
  }
}

/** A power of two, as all later sizes. */
const firstSlots = 64

function emptySlots<Value>(count: number): (Value | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
