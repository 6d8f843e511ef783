// Plays a scene against a pair and judges it: what each client gets, byte for byte, and how often each request reached the upstream.
import { connect, type Socket } from "node:net"
import { within } from "../support/until.ts"
import { BodyCheck, MessageReader } from "./message-reader.ts"
import type { ClientConnection, Exchange, Scene } from "./scene.ts"
import {
  answeredHead,
  connectionStays,
  contentOf,
  framingForClient,
  hint,
  requestBytes,
  trailersOf,
  withoutChance,
} from "./text.ts"
import type { Expected, FuzzUpstream } from "./upstream.ts"
import { writeSplit } from "./write-split.ts"

export interface Stage {
  /** Of the edge. */
  readonly port: number
  readonly upstream: FuzzUpstream
  /** How long a scene may take. Default 60 s. */
  readonly sceneLimitMs?: number
}

let nextId = 1

/** Resolves with how many exchanges it had; rejects with the first thing that is wrong. */
export async function playScene(stage: Stage, { connections }: Scene): Promise<number> {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  stage.upstream.onStray = failure.reject
  const expected: Expected[] = []
  const prepare = (exchange: Exchange): Expected => {
    const one: Expected = { exchange, id: nextId++, heads: 0, wholes: 0, fail: failure.reject }
    stage.upstream.expect(one)
    expected.push(one)
    return one
  }
  const played = Promise.all(connections.map((one) => playConnection(stage, one, prepare)))
  await within("the scene to end", stage.sceneLimitMs ?? 60_000, Promise.race([played, failure.promise]))
  // What a client has left, and what went wrong, may still be on its way to the upstream.
  for (const one of expected) if (one.exchange.client.does === "waits") stage.upstream.forget(one)
  return expected.length
}

async function playConnection(
  stage: Stage,
  { pipelined, exchanges }: ClientConnection,
  prepare: (exchange: Exchange) => Expected,
): Promise<void> {
  const all = exchanges.map(prepare)
  let client: Client | undefined
  try {
    if (pipelined) {
      client = new Client(stage.port)
      const answers = all.map((one) => client!.next(one))
      const last = all.at(-1)!
      await client.sendAll(all)
      for (const [index, one] of all.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        await judge(client, one, await answers[index]!, one === last)
      }
      return
    }
    for (const one of all) {
      if (client === undefined || client.over) client = new Client(stage.port)
      const answer = client.next(one)
      // oxlint-disable no-await-in-loop -- one after the other
      await client.sendAll([one])
      const goesOn: boolean = await judge(client, one, await answer, true)
      // oxlint-enable no-await-in-loop
      if (!goesOn) client = undefined
    }
  } finally {
    client?.socket.destroy()
  }
}

/** Whether the connection can be used again. Throws when anything is not as planned. */
async function judge(client: Client, expected: Expected, got: Outcome, mayEnd: boolean): Promise<boolean> {
  const { exchange } = expected
  const wrong = (what: string): Error => new Error(`exchange ${expected.id} (${exchange.method}): ${what}`)
  const { answer } = exchange
  // RFC 9112 section 9.3.1: a request on a kept connection that the upstream broke may go once more.
  const mostHeads = answer.breaks === undefined ? 1 : 2
  if (expected.heads > mostHeads) throw wrong(`reached the upstream ${expected.heads} times`)
  if (exchange.client.does !== "waits") {
    if (got.kind === "broken") throw wrong("was broken off")
    if (got.kind === "refused") throw wrong(`was refused: ${got.code}`)
    if (exchange.client.does === "leaves while it sends" && expected.wholes > 0)
      throw wrong("looked whole to the upstream")
    client.socket.destroy()
    return false
  }
  if (answer.breaks !== undefined) {
    if (got.kind === "whole") throw wrong("looks whole to the client")
    if (got.kind === "refused" && got.status !== 502) throw wrong(`status ${got.status}`)
    return false
  }
  if (got.kind !== "whole") throw wrong(JSON.stringify(got))
  if (got.hints !== (exchange.minorVersion === 1 ? answer.hints : 0)) throw wrong(`${got.hints} hints`)
  if (answer.at === "the end of the request" && expected.wholes !== 1)
    throw wrong(`reached the upstream ${expected.wholes} times, and was answered`)
  if (answer.at === "its head" || (connectionStays(exchange) && !client.over))
    return !client.over && answer.at !== "its head"
  if (connectionStays(exchange)) throw wrong("the connection ended behind it")
  if (!mayEnd) throw wrong("would end the connection")
  await client.ended
  return false
}

type Outcome =
  | { readonly kind: "whole"; readonly hints: number }
  /** The edge's own answer. */
  | { readonly kind: "refused"; readonly status: number; readonly code: string }
  /** Reset before the answer was whole. */
  | { readonly kind: "broken" }
  | { readonly kind: "left" }

interface Waiting {
  readonly expected: Expected
  readonly resolve: (outcome: Outcome) => void
  readonly fail: (error: Error) => void
  body: BodyCheck | undefined
  hints: number
  refused: { readonly status: number; readonly code: string } | undefined
  receivedBytes: number
}

class Client {
  readonly socket: Socket
  /** Its connection has ended, whichever way. */
  over = false
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
      waiting.refused = { status: Number(start.split(" ")[1]), code }
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
