// Decodes the chunked transfer coding (RFC 9112 section 7.1): sizes, data without a copy, trailers. Extensions are checked and dropped.

import { Http1Error } from "./errors.ts"
import { checkFieldCount } from "./fields.ts"
import { chunkLinePattern, diagnoseFields, fieldLinesPattern } from "./grammar.ts"
import { HeadBuffer } from "./head-buffer.ts"
import type { Http1Limits } from "./limits.ts"

export class ChunkedDecoder {
  /** Trailer lines as they came, once the body is complete. */
  trailers: string | undefined
  readonly #limits: Http1Limits
  readonly #trailer: HeadBuffer
  #phase: "size" | "data" | "data_end" | "trailer" = "size"
  #line = ""
  #remaining = 0
  #extensionBytes = 0

  constructor(limits: Http1Limits) {
    this.#limits = limits
    this.#trailer = new HeadBuffer("end", limits.maxTrailerBytes, () => "trailers_too_large")
  }

  /** A new body begins. */
  begin(): void {
    this.trailers = undefined
    this.#phase = "size"
    this.#extensionBytes = 0
  }

  /** Takes bytes from index `from` until one run of data was given out, the body ended, or nothing is left; returns the next index. */
  take(bytes: Buffer, from: number, sink: { onData(bytes: Buffer): void }): number {
    let at = from
    while (at < bytes.length) {
      switch (this.#phase) {
        case "size":
          at = this.#takeSize(bytes, at)
          break
        case "data": {
          const end = Math.min(at + this.#remaining, bytes.length)
          this.#remaining -= end - at
          if (this.#remaining === 0) {
            this.#phase = "data_end"
            this.#remaining = 2
          }
          sink.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
          return end
        }
        case "data_end":
          if (bytes[at] !== (this.#remaining === 2 ? 13 : 10)) throw new Http1Error("bad_chunk")
          at += 1
          this.#remaining -= 1
          if (this.#remaining === 0) this.#phase = "size"
          break
        case "trailer":
          at = this.#trailer.take(bytes, at)
          if (this.#trailer.text === undefined) break
          this.trailers = checkTrailers(this.#trailer.text, this.#limits)
          return at
      }
    }
    return at
  }

  #takeSize(bytes: Buffer, from: number): number {
    let at = from
    if (this.#line === "") {
      let size = 0
      const last = Math.min(bytes.length, from + 8)
      for (; at < last; at += 1) {
        const digit = hexDigit[bytes[at] ?? 0] ?? 16
        if (digit > 15) break
        size = size * 16 + digit
      }
      if (at > from && bytes[at] === 13 && bytes[at + 1] === 10) {
        this.#begin(size)
        return at + 2
      }
    }
    const lineEnd = bytes.indexOf(10, at)
    const end = lineEnd === -1 ? bytes.length : lineEnd + 1
    if (this.#line.length + end - from > this.#limits.maxChunkLineBytes)
      throw new Http1Error("chunk_line_too_long")
    this.#line += bytes.toString("latin1", from, end)
    if (lineEnd === -1) return end
    const line = this.#line
    this.#line = ""
    if (!line.endsWith("\r\n")) throw new Http1Error("bare_line_end")
    const [, digits = "", extensions = ""] = chunkLinePattern.exec(line) ?? []
    const size = digits === "" ? Number.NaN : Number.parseInt(digits, 16)
    if (!Number.isSafeInteger(size)) throw new Http1Error("bad_chunk")
    this.#extensionBytes += extensions.length
    if (this.#extensionBytes > this.#limits.maxChunkExtensionBytes)
      throw new Http1Error("chunk_extensions_too_large")
    this.#begin(size)
    return end
  }

  #begin(size: number): void {
    this.#phase = size === 0 ? "trailer" : "data"
    this.#remaining = size
  }
}

function checkTrailers(text: string, limits: Http1Limits): string {
  if (text === "\r\n") return ""
  const raw = text.slice(0, -2)
  if (!fieldLinesPattern.test(raw)) throw new Http1Error(diagnoseFields(text))
  checkFieldCount(raw, limits)
  if (misplacedFields.test(raw)) throw new Http1Error("bad_trailer")
  return raw
}

/** RFC 9110 section 6.5.1: in a trailer section they come too late, and whoever merges it into the head would believe them. */
const misplacedFields = /^(?:connection|content-length|host|transfer-encoding|upgrade):/im

/** Value of an ASCII hex digit, 16 for every other byte. */
const hexDigit: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? 16 : value
})
