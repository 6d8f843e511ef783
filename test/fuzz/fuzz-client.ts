// A client of the fuzzer: sends requests as planned, and compares every byte of their answers with what the oracle says.
import { connect, type Socket } from "node:net"
import { BodyCheck, MessageReader } from "./message-reader.ts"
import {
  answeredHead,
  contentOf,
  framingForClient,
  hint,
  requestBytes,
  trailersOf,
  withoutChance,
} from "./text.ts"
import type { Expected } from "./upstream.ts"
import { writeSplit } from "./write-split.ts"

export type Outcome =
  | { readonly kind: "whole"; readonly hints: number }
  /** The edge's own answer. */
  | ({ readonly kind: "refused" } & Refused)
  /** Reset before the answer was whole. */
  | { readonly kind: "broken" }
  | { readonly kind: "left" }
  /** The edge closed the connection behind an error of its own, as it had said, and this was still to come. */
  | { readonly kind: "unanswered" }

interface Refused {
  readonly status: number
  readonly code: string
  /** Whether the upstream may have seen it. */
  readonly forwarded: boolean
}

interface Waiting {
  readonly expected: Expected
  readonly resolve: (outcome: Outcome) => void
  readonly fail: (error: Error) => void
  body: BodyCheck | undefined
  hints: number
  refused: Refused | undefined
  receivedBytes: number
}

export class FuzzClient {
  readonly socket: Socket
  /** Its connection has ended, whichever way. */
  over = false
  /** The edge has said that nothing follows its error. */
  #lastAnswer = false
  readonly ended: Promise<void>
  readonly #waiting: Waiting[] = []
  readonly #reader: MessageReader

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true })
    const ended = Promise.withResolvers<void>()
    this.ended = ended.promise
    this.#reader = new MessageReader({
      head: (text) => this.#head(text),
      body: (bytes) => this.#current.body?.take(bytes),
      end: (trailers) => this.#end(trailers),
    })
    this.socket.on("data", (bytes) => this.#try(() => this.#receive(bytes)))
    this.socket.on("end", () => this.#try(() => this.#reader.eof()))
    this.socket.on("error", () => undefined)
    this.socket.on("close", (withError) => {
      this.over = true
      ended.resolve()
      for (const waiting of this.#waiting.splice(0)) {
        if (withError) waiting.resolve({ kind: "broken" })
        else if (this.#lastAnswer && waiting.refused === undefined) waiting.resolve({ kind: "unanswered" })
        else
          waiting.fail(
            new Error(
              `the connection ended in order, before the answer to exchange ${waiting.expected.id} was whole`,
            ),
          )
      }
    })
  }

  /** The outcome of an exchange that is sent behind those before it. */
  next(expected: Expected): Promise<Outcome> {
    const outcome = Promise.withResolvers<Outcome>()
    this.#waiting.push({
      expected,
      resolve: outcome.resolve,
      fail: expected.fail,
      body: undefined,
      hints: 0,
      refused: undefined,
      receivedBytes: 0,
    })
    return outcome.promise
  }

  async sendAll(all: readonly Expected[]): Promise<void> {
    const bytes = Buffer.concat(all.map(({ exchange, id }) => requestBytes(exchange, id)))
    const last = all.at(-1)!
    const { client, splits } = last.exchange
    if (client.does !== "leaves while it sends") return writeSplit(this.socket, bytes, splits)
    const own = requestBytes(last.exchange, last.id).length
    await writeSplit(
      this.socket,
      bytes.subarray(0, bytes.length - own + Math.floor(client.part * own)),
      splits,
    )
    if (all.length > 1) await this.#answered(last)
    this.#leave()
  }

  /** What is before it has been answered. */
  async #answered(last: Expected): Promise<void> {
    while (this.#waiting.length > 0 && this.#waiting[0]?.expected !== last && !this.over) {
      // oxlint-disable-next-line no-await-in-loop -- until it is so; the scene's time limit ends it
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #leave(): void {
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ kind: "left" })
    this.socket.destroySoon()
  }

  get #current(): Waiting {
    const [waiting] = this.#waiting
    if (waiting === undefined) throw new Error("an answer that nobody asked for")
    return waiting
  }

  #try(action: () => void): void {
    const waiting = this.#waiting[0]
    try {
      action()
    } catch (error) {
      waiting?.fail(new Error(`client, exchange ${waiting.expected.id}: ${String(error)}`, { cause: error }))
      this.socket.destroy()
    }
  }

  #receive(bytes: Buffer): void {
    const waiting = this.#waiting[0]
    const behaviour = waiting?.expected.exchange.client
    if (waiting !== undefined && behaviour?.does === "leaves while it reads") {
      waiting.receivedBytes += bytes.length
      if (waiting.receivedBytes >= behaviour.bytes) return this.#leave()
    }
    this.#reader.read(bytes)
  }

  #head(text: string): ReturnType<ConstructorParameters<typeof MessageReader>[0]["head"]> {
    const waiting = this.#current
    const { exchange } = waiting.expected
    const start = text.slice(0, text.indexOf("\r\n"))
    if (text === hint || start.startsWith("HTTP/1.1 100")) {
      if (text === hint) waiting.hints++
      else if (!exchange.expectsContinue) throw new Error("100 that nobody waits for")
      return { kind: "none" }
    }
    const code = /\r\nRestante-Error: (\S+)\r\n/.exec(text)?.[1]
    if (code !== undefined) {
      const forwarded = !text.includes('details="not forwarded"')
      waiting.refused = { status: Number(start.split(" ")[1]), code, forwarded }
      this.#lastAnswer ||= text.includes("\r\nConnection: close\r\n")
      return {
        kind: "length",
        bytes: exchange.method === "HEAD" ? 0 : Number(/\r\nContent-Length: (\d+)/.exec(text)?.[1]),
      }
    }
    const want = answeredHead(exchange)
    if (withoutChance(text) !== want)
      throw new Error(`got ${JSON.stringify(text)}, not ${JSON.stringify(want)}`)
    const framing = framingForClient(exchange)
    waiting.body = new BodyCheck(framing === "none" ? Buffer.alloc(0) : contentOf(exchange.answer.body))
    return framing === "length"
      ? { kind: framing, bytes: contentOf(exchange.answer.body).length }
      : { kind: framing }
  }

  #end(trailers: string): void {
    const waiting = this.#current
    const { refused, body, expected, hints } = waiting
    if (refused !== undefined) {
      this.#waiting.shift()
      return waiting.resolve({ kind: "refused", ...refused })
    }
    if (body === undefined) return // an interim answer: the final one is still to come
    body.end()
    const want =
      framingForClient(expected.exchange) === "chunked" ? trailersOf(expected.exchange.answer.body) : ""
    if (trailers !== want)
      throw new Error(`trailers ${JSON.stringify(trailers)}, not ${JSON.stringify(want)}`)
    this.#waiting.shift()
    waiting.resolve({ kind: "whole", hints })
  }
}
