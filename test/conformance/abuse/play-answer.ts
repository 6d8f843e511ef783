// Plays a hostile answer to one request, and judges what its client got, and what those got who asked next.
import { connect } from "node:net"
import { readNode } from "../../../packages/protocol/test/http1/oracle.ts"
import { until } from "../../support/until.ts"
import { asked } from "./abuse-case.ts"
import type { AnswerCase } from "./answer-cases.ts"
import { answerTo, textOf, type Witness } from "./witness.ts"

/** Rejects with the first thing that is not as the case says. */
export async function playAnswer(
  port: number,
  witness: Witness,
  one: AnswerCase,
): Promise<"nothing is wrong"> {
  const { bytes, ends, verdict } = one
  witness.answer = (request, socket) => {
    if (request.target !== "/hostile") return answerTo(request)
    if (ends) queueMicrotask(() => socket.end())
    return bytes
  }
  using victim = new Asker(port)
  await victim.ask("/hostile")
  const got = victim.answers
  const [first] = got
  const broken = victim.ended
  if (verdict.kind === "bad gateway" && (first?.status !== 502 || got.length !== 1))
    throw new Error(`not one 502: ${JSON.stringify(got)}`)
  if (
    verdict.kind === "passes" &&
    (first?.status !== verdict.status || first.body !== verdict.body || got.length !== 1)
  )
    throw new Error(`not what was said: ${JSON.stringify(got)}`)
  // As long as nothing of it has gone to the client, 502 says it better.
  if (verdict.kind === "broken" && !(first === undefined ? victim.wasReset : first.status === 502))
    throw new Error(`not broken: ${JSON.stringify(got)}`)
  for (const target of ["/next", "/after-that"]) {
    // oxlint-disable-next-line no-await-in-loop -- whoever comes next, one after the other
    await checkOwnAnswer(port, target)
    if (!broken) await victim.ask(target) // oxlint-disable-line no-await-in-loop -- likewise
  }
  if (!broken) checkTexts(victim, ["/next", "/after-that"])
  return "nothing is wrong"
}

async function checkOwnAnswer(port: number, target: string): Promise<void> {
  using other = new Asker(port)
  await other.ask(target)
  checkTexts(other, [target])
}

/** Its last answers are those to these targets. */
function checkTexts(asker: Asker, targets: readonly string[]): void {
  const texts = asker.answers.slice(-targets.length).map(({ body }) => body)
  const wanted = targets.map((target) => textOf(asked("GET", target)))
  if (JSON.stringify(texts) !== JSON.stringify(wanted))
    throw new Error(`somebody got ${JSON.stringify(texts)}`)
}

class Asker implements Disposable {
  readonly #socket
  #received = Buffer.alloc(0)
  #asked = 0
  ended = false
  wasReset = false

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true })
    this.#socket.on("data", (bytes) => (this.#received = Buffer.concat([this.#received, bytes])))
    this.#socket.on("error", () => (this.wasReset = true))
    this.#socket.on("close", () => (this.ended = true))
  }

  /** Resolves when as many answers are here as were asked for, or the connection has ended. */
  async ask(target: string): Promise<void> {
    this.#asked++
    this.#socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await until(
      () => `an answer to ${target}; have ${JSON.stringify(this.#received.toString("latin1").slice(-300))}`,
      () => this.ended || this.answers.length >= this.#asked,
      10_000,
    )
  }

  /** Whole final answers, as Node reads them. */
  get answers(): { status: number; body: string }[] {
    const { messages } = readNode({ kind: "response", methods: ["GET"], bytes: this.#received })
    return messages
      .filter((message) => message.complete && Number(message.start[0]) >= 200)
      .map((message) => ({ status: Number(message.start[0]), body: message.body }))
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
