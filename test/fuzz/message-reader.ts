// The fuzzer's own reader of HTTP/1 messages, for both ends: slow, plain, and strict about everything that we write.

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" }

export interface Listener {
  /** With its empty line. Says what follows. */
  head(text: string): Framing
  body(bytes: Buffer): void
  /** The message is whole. */
  end(trailers: string): void
}

type Phase =
  | { readonly kind: "head" | "size" | "chunk end" | "trailers" | "close" }
  | { readonly kind: "bytes" | "chunk"; left: number }

export class MessageReader {
  readonly #listener: Listener
  #rest: Buffer = Buffer.alloc(0)
  #phase: Phase = { kind: "head" }

  constructor(listener: Listener) {
    this.#listener = listener
  }

  /** Between two messages, with nothing of the next one. */
  get idle(): boolean {
    return this.#phase.kind === "head" && this.#rest.length === 0
  }

  /** Throws when the bytes are no message. */
  read(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.#rest.length > 0 && this.#step());
  }

  /** The connection has ended in order. Resolves a body that ends with it. */
  eof(): void {
    if (this.#phase.kind === "close") this.#end("")
  }

  /** Whether it got on. */
  #step(): boolean {
    const phase = this.#phase
    switch (phase.kind) {
      case "head": {
        const head = this.#upTo("\r\n\r\n")
        if (head === undefined) return false
        const framing = this.#listener.head(head)
        if (framing.kind === "none" || (framing.kind === "length" && framing.bytes === 0)) this.#end("")
        else if (framing.kind === "length") this.#phase = { kind: "bytes", left: framing.bytes }
        else this.#phase = { kind: framing.kind === "chunked" ? "size" : "close" }
        return true
      }
      case "bytes":
      case "chunk":
        this.#take(phase)
        if (phase.left > 0) return false
        if (phase.kind === "chunk") this.#phase = { kind: "chunk end" }
        else this.#end("")
        return true
      case "close":
        this.#listener.body(this.#rest)
        this.#rest = Buffer.alloc(0)
        return false
      case "size": {
        const line = this.#upTo("\r\n")
        if (line === undefined) return false
        if (!/^[0-9a-f]+\r\n$/.test(line)) throw new Error(`a chunk size ${JSON.stringify(line)}`)
        const left = Number.parseInt(line, 16)
        this.#phase = left === 0 ? { kind: "trailers" } : { kind: "chunk", left }
        return true
      }
      case "chunk end": {
        if (this.#rest.length < 2) return false
        if (this.#upTo("\r\n") !== "\r\n") throw new Error("no line end behind a chunk")
        this.#phase = { kind: "size" }
        return true
      }
      case "trailers": {
        if (this.#rest.length < 2) return false
        const none = this.#rest[0] === 13
        const trailers = this.#upTo(none ? "\r\n" : "\r\n\r\n")
        if (trailers === undefined) return false
        this.#end(trailers.slice(0, -2))
        return true
      }
    }
  }

  #take(phase: { left: number }): void {
    const piece = this.#rest.subarray(0, phase.left)
    this.#rest = this.#rest.subarray(piece.length)
    phase.left -= piece.length
    this.#listener.body(piece)
  }

  #upTo(end: string): string | undefined {
    const at = this.#rest.indexOf(end, 0, "latin1")
    if (at === -1) {
      if (this.#rest.length > 200_000) throw new Error("no end of a head or a line")
      return undefined
    }
    const text = this.#rest.toString("latin1", 0, at + end.length)
    this.#rest = this.#rest.subarray(at + end.length)
    return text
  }

  #end(trailers: string): void {
    this.#phase = { kind: "head" }
    this.#listener.end(trailers)
  }
}

/** Compares a body with what it must be, piece by piece; throws at the first wrong byte. */
export class BodyCheck {
  readonly #expected: Buffer
  #at = 0

  constructor(expected: Buffer) {
    this.#expected = expected
  }

  take(bytes: Buffer): void {
    const there = this.#expected.subarray(this.#at, this.#at + bytes.length)
    if (!there.equals(bytes))
      throw new Error(`another body from byte ${this.#at} of ${this.#expected.length}`)
    this.#at += bytes.length
  }

  /** Throws unless all has come. */
  end(): void {
    if (this.#at !== this.#expected.length)
      throw new Error(`${this.#at} bytes of a body of ${this.#expected.length}, and its end`)
  }
}
