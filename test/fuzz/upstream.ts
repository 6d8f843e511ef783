// The private server of the fuzzer: knows every exchange beforehand, checks the request byte for byte, answers as planned.
import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { BodyCheck, MessageReader, type Framing } from "./message-reader.ts"
import type { Exchange } from "./scene.ts"
import { answerBytes, contentOf, forwardedHead, hint, trailersOf, withoutChance } from "./text.ts"
import { writeSplit } from "./write-split.ts"

/** An exchange, and what became of it here. */
export interface Expected {
  readonly exchange: Exchange
  readonly id: number
  /** How often its head has come, and the whole of it. */
  heads: number
  wholes: number
  /** Told what is wrong. */
  readonly fail: (error: Error) => void
}

export class FuzzUpstream implements AsyncDisposable {
  readonly #expected = new Map<number, Expected>()
  readonly #sockets = new Set<Socket>()
  /** Called with every head that comes. */
  onHead: () => void = () => undefined
  readonly #server: Server
  /** Told of what belongs to no exchange. */
  onStray: (error: Error) => void = (error) => {
    throw error
  }

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  async start(): Promise<number> {
    this.#server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 })
    await once(this.#server, "listening")
    return (this.#server.address() as AddressInfo).port
  }

  expect(expected: Expected): void {
    this.#expected.set(expected.id, expected)
  }

  /** Nothing of it may come any more. */
  forget({ id }: Expected): void {
    this.#expected.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let running: Running | undefined
    const reader = new MessageReader({
      head: (text) => {
        running = this.#begin(text, socket)
        return running.framing
      },
      body: (bytes) => running?.body.take(bytes),
      end: (trailers) => running?.end(trailers),
    })
    socket.on("data", (bytes) => {
      try {
        reader.read(bytes)
      } catch (error) {
        const wrong = new Error(`upstream: ${String(error)}`, { cause: error })
        if (running === undefined) this.onStray(wrong)
        else running.expected.fail(wrong)
        socket.destroy()
      }
    })
    socket.on("error", () => undefined)
    socket.on("close", () => this.#sockets.delete(socket))
  }

  #begin(text: string, socket: Socket): Running {
    const id = Number(/^\S+ \/x(\d+)x/.exec(text)?.[1] ?? "NaN")
    const expected = this.#expected.get(id)
    if (expected === undefined) throw new Error(`nobody sent this: ${JSON.stringify(text)}`)
    this.onHead()
    return new Running(expected, text, socket)
  }
}

class Running {
  readonly expected: Expected
  readonly framing: Framing
  readonly body: BodyCheck
  readonly #socket: Socket

  constructor(expected: Expected, text: string, socket: Socket) {
    this.expected = expected
    this.#socket = socket
    const { exchange, id } = expected
    expected.heads++
    const want = forwardedHead(exchange, id)
    if (withoutChance(text) !== want)
      throw new Error(`got ${JSON.stringify(text)}, not ${JSON.stringify(want)}`)
    const { body } = exchange
    this.body = new BodyCheck(contentOf(body))
    this.framing =
      body.framing === "length"
        ? { kind: "length", bytes: body.bytes }
        : { kind: body.framing === "chunked" ? "chunked" : "none" }
    if (exchange.answer.at === "its head") this.#answer()
  }

  end(trailers: string): void {
    this.body.end()
    const { exchange } = this.expected
    if (trailers !== trailersOf(exchange.body))
      throw new Error(
        `trailers ${JSON.stringify(trailers)}, not ${JSON.stringify(trailersOf(exchange.body))}`,
      )
    this.expected.wholes++
    if (exchange.answer.at === "the end of the request") this.#answer()
  }

  #answer(): void {
    const { exchange } = this.expected
    const { answer } = exchange
    const socket = this.#socket
    const all = Buffer.concat([Buffer.from(hint.repeat(answer.hints)), answerBytes(exchange)])
    const { breaks } = answer
    const said = breaks === undefined ? all : all.subarray(0, Math.floor(breaks.part * all.length))
    const after = (): void => {
      if (breaks?.how === "reset") socket.resetAndDestroy()
      else if (breaks !== undefined || !answer.keepAlive) socket.end()
    }
    writeSplit(socket, said, answer.splits).then(after, (error: unknown) =>
      this.expected.fail(error as Error),
    )
  }
}
