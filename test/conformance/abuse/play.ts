// Plays cases of the abuse corpus against a pair, and judges them: what the client got, what every reader sees at the upstream,
// and whether the next requests, on this connection and on another one, get their own answers.
import { connect, type Socket } from "node:net"
import { readNode } from "../../../packages/protocol/test/http1/oracle.ts"
import { until } from "../../support/until.ts"
import { type AbuseCase, asked, type Asked } from "./abuse-case.ts"
import { type NamedReader, readers } from "./readers.ts"
import { textOf, type Witness } from "./witness.ts"

export interface Stage {
  readonly port: number
  readonly witness: Witness
  /** How long the end of a connection may take. Default 10 s. */
  readonly patienceMs?: number
}

/** "one write" or small pieces, so that every end of a buffer is somewhere in the middle of something. */
export const deliveries = ["in one piece", "in small pieces"] as const
export type Delivery = (typeof deliveries)[number]

/** Rejects with the first thing that is not as the case says. */
export async function play(stage: Stage, one: AbuseCase, delivery: Delivery): Promise<"nothing is wrong"> {
  const { verdict } = one
  const { patienceMs = 10_000 } = stage
  stage.witness.take()
  using client = new AbuseClient(stage.port)
  using neighbour = new AbuseClient(stage.port)
  await client.send(one.bytes, delivery)
  const requests =
    verdict.kind === "passes" ? [...verdict.requests] : verdict.kind === "refused" ? [...verdict.before] : []
  if (verdict.kind === "nothing") client.socket.end()
  const refusals = verdict.kind === "refused" ? 1 : 0
  const stays = verdict.kind === "passes" && verdict.connection === "stays"
  await client.has(requests, requests.length + refusals)
  if (stays) {
    await client.asks(same)
    requests.push(same)
  } else await until("the edge to close the connection", () => client.ended, patienceMs)
  await neighbour.asks(other)
  await until("what was begun at the upstream to be broken off", () => stage.witness.settled, patienceMs)
  checkAnswers(client, requests, verdict.kind === "refused" ? verdict.statuses : [])
  const testimonies = stage.witness.take()
  const expected = [...requests, other]
  for (const reader of readers)
    checkReader(
      reader,
      testimonies.map(({ bytes }) => bytes),
      expected,
    )
  return "nothing is wrong"
}

const same = asked("GET", "/on-the-same-connection")
const other = asked("GET", "/on-another-connection")

function checkAnswers(client: AbuseClient, requests: readonly Asked[], statuses: readonly number[]): void {
  const answers = client.answers([...requests, asked("GET", "")])
  const wanted = requests.map((request) => ({
    status: 200,
    text: request.method === "HEAD" ? "" : textOf(request),
  }))
  requests.forEach((_, index) => {
    const [got, want] = [answers[index], wanted[index]]
    if (got?.status !== want?.status || got?.text !== want?.text)
      throw new Error(`answer ${index} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`)
  })
  const further = answers.slice(requests.length).map(({ status }) => status)
  const [refusal] = further
  if (statuses.length === 0 ? further.length > 0 : further.length !== 1 || !statuses.includes(refusal ?? 0))
    throw new Error(
      `behind the answers came ${JSON.stringify(further)}, not one of ${JSON.stringify(statuses)}`,
    )
}

function checkReader(reader: NamedReader, connections: readonly Buffer[], expected: readonly Asked[]): void {
  if (!expected.every(({ method }) => reader.knows(method))) return
  const seen = connections.map((bytes) => reader.read(bytes))
  const texts = (all: readonly Asked[]): string =>
    JSON.stringify(
      all
        .map(({ method, target, body }) => `${method} ${target} ${body.length}: ${body.slice(0, 200)}`)
        .toSorted(),
    )
  const whole = seen.flatMap((one) => one.whole)
  if (texts(whole) !== texts(expected))
    throw new Error(
      `${reader.name} sees ${texts(whole).slice(0, 1000)}, not ${texts(expected).slice(0, 1000)}`,
    )
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** A client that says a case, and what it is answered. */
export class AbuseClient implements Disposable {
  readonly socket: Socket
  ended = false
  #received = Buffer.alloc(0)

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
    this.socket.on("data", (bytes) => (this.#received = Buffer.concat([this.#received, bytes])))
    this.socket.on("end", () => (this.ended = true))
    this.socket.on("error", () => (this.ended = true))
    this.socket.on("close", () => (this.ended = true))
  }

  async send(text: string, delivery: Delivery): Promise<void> {
    const bytes = Buffer.from(text, "latin1")
    // As many pieces as the kernel does not join, however long the whole is.
    const pieceBytes =
      delivery === "in one piece" ? Math.max(bytes.length, 1) : Math.max(7, Math.ceil(bytes.length / 100))
    for (let at = 0; at < bytes.length && !this.ended; at += pieceBytes) {
      this.socket.write(bytes.subarray(at, at + pieceBytes))
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Resolves when as many final answers are here, or the connection has ended. */
  async has(requests: readonly Asked[], count: number): Promise<void> {
    const methods = [...requests, asked("GET", "")]
    await until(
      () => `${count} answers; have ${JSON.stringify(this.#received.toString("latin1").slice(-500))}`,
      () => this.ended || this.answers(methods).length >= count,
      10_000,
    )
  }

  /** The next request on this connection, and its own answer. */
  async asks(request: Asked): Promise<void> {
    const before = this.#received.length
    this.socket.write(`${request.method} ${request.target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    const text = textOf(request)
    await until(
      () =>
        `the answer "${text}"; have ${JSON.stringify(this.#received.subarray(before).toString("latin1"))}`,
      () => this.#received.subarray(before).toString("latin1").endsWith(`\r\n\r\n${text}`),
      10_000,
    )
  }

  /** Final answers as Node reads them; a broken one throws. */
  answers(requests: readonly Asked[]): Answer[] {
    const methods = requests.map(({ method }) => method)
    const { messages } = readNode({ kind: "response", methods, bytes: this.#received })
    return messages
      .filter((message) => message.complete && Number(message.start[0]) >= 200)
      .map((message) => ({ status: Number(message.start[0]), text: message.body }))
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
