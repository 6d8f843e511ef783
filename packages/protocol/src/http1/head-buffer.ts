// Finds the end of a head (or of a trailer section) in bytes that arrive in any pieces.
// A head that comes whole is never copied; one that comes in pieces costs linear time, and a stray byte in it is found at once.

import { Http1Error, type Http1ErrorCode } from "./errors.ts"
import { strayByte } from "./grammar.ts"

/** What an empty line in front means: nothing (RFC 9112 section 2.2), the end (no trailers), or part of the text. */
export type EmptyLineRule = "skip" | "end" | "keep"

export class HeadBuffer {
  /** The text up to and with the empty line once it is complete, until the next take(). */
  text: string | undefined
  readonly #rule: EmptyLineRule
  readonly #maxBytes: number
  readonly #tooLarge: (head: string) => Http1ErrorCode
  #bytes: Buffer = nothing
  #length = 0
  #emptyLines = 0

  constructor(rule: EmptyLineRule, maxBytes: number, tooLarge: (head: string) => Http1ErrorCode) {
    this.#rule = rule
    this.#maxBytes = maxBytes
    this.#tooLarge = tooLarge
  }

  /** Whether no byte waits for the rest. */
  get empty(): boolean {
    return this.#length === 0
  }

  /** Takes bytes from index `from` up to the end of the head at most; returns the index after the last one it took. */
  take(bytes: Buffer, from: number): number {
    this.text = undefined
    if (this.#length > 0) return this.#continue(bytes, from)
    let at = from
    if (this.#rule !== "keep" && bytes[at] === 13) {
      at = this.#leadingLines(bytes, at)
      if (this.text !== undefined || at === bytes.length) return at
    }
    if (bytes[at] === 10) throw new Http1Error("bare_line_end")
    const end = bytes.indexOf(headEnd, at)
    if (end === -1) return this.#keep(bytes, at)
    if (end + 4 - at > this.#maxBytes) throw this.#overflow(bytes.subarray(at, at + this.#maxBytes))
    this.#emptyLines = 0
    this.text = bytes.toString("latin1", at, end + 4)
    return end + 4
  }

  #leadingLines(bytes: Buffer, from: number): number {
    let at = from
    while (bytes[at] === 13) {
      if (at + 1 === bytes.length) return this.#keep(bytes, at)
      if (bytes[at + 1] !== 10) throw new Http1Error("bare_line_end")
      at += 2
      if (this.#rule === "end") {
        this.text = "\r\n"
        return at
      }
      this.#emptyLines += 1
      if (this.#emptyLines > maxEmptyLines) throw new Http1Error("empty_lines")
    }
    return at
  }

  /** A further piece. It is put behind the others, and only what is new is searched. */
  #continue(bytes: Buffer, from: number): number {
    if (this.#length === 1 && this.#rule !== "keep" && this.#bytes[0] === 13)
      return this.#afterLeadingCr(bytes, from)
    const before = this.#length
    this.#append(bytes, from)
    const kept = this.#bytes.subarray(0, this.#length)
    const end = kept.indexOf(headEnd, Math.max(0, before - 3))
    if (end === -1) {
      this.#check(before)
      if (before + bytes.length - from > this.#maxBytes) throw this.#overflow(kept)
      return bytes.length
    }
    this.text = kept.toString("latin1", 0, end + 4)
    this.#bytes = nothing
    this.#length = 0
    this.#emptyLines = 0
    return from + end + 4 - before
  }

  #afterLeadingCr(bytes: Buffer, from: number): number {
    this.#length = 0
    this.#bytes = nothing
    if (bytes[from] !== 10) throw new Http1Error("bare_line_end")
    if (this.#rule === "end") {
      this.text = "\r\n"
      return from + 1
    }
    this.#emptyLines += 1
    if (this.#emptyLines > maxEmptyLines) throw new Http1Error("empty_lines")
    return from + 1 === bytes.length ? from + 1 : this.take(bytes, from + 1)
  }

  #keep(bytes: Buffer, from: number): number {
    this.#append(bytes, from)
    this.#check(0)
    if (bytes.length - from > this.#maxBytes) throw this.#overflow(this.#bytes.subarray(0, this.#length))
    return bytes.length
  }

  /** Copies at most up to the limit, in a buffer that doubles. */
  #append(bytes: Buffer, from: number): void {
    const length = Math.min(this.#length + bytes.length - from, this.#maxBytes)
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(Math.max(length, this.#bytes.length * 2, 512), this.#maxBytes),
      )
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, this.#length, from, from + length - this.#length)
    this.#length = length
  }

  /** Looks at what is new, from the byte before it. */
  #check(before: number): void {
    const stray = strayByte(this.#bytes.toString("latin1", Math.max(0, before - 1), this.#length))
    if (stray !== undefined) throw new Http1Error(stray)
  }

  #overflow(kept: Buffer): Http1Error {
    const head = kept.toString("latin1", 0, kept.length)
    return new Http1Error(strayByte(head) ?? this.#tooLarge(head))
  }
}

const headEnd = Buffer.from("\r\n\r\n", "latin1")
const nothing = Buffer.alloc(0)

/** RFC 9112 section 2.2 asks to ignore at least one; more than a few is no client. */
const maxEmptyLines = 8
