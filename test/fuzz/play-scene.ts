// Plays a scene against a pair and judges it: what each client gets, byte for byte, and how often each request reached the upstream.
import { within } from "../support/until.ts"
import { FuzzClient, type Outcome } from "./fuzz-client.ts"
import { judgeLossy } from "./judge-lossy.ts"
import { playHttp2 } from "./play-http2.ts"
import type { ClientConnection, Exchange, Scene } from "./scene.ts"
import { connectionStays } from "./text.ts"
import type { Expected, FuzzUpstream } from "./upstream.ts"

export interface Stage {
  /** Of the edge. */
  readonly port: number
  readonly upstream: FuzzUpstream
  /** How long a scene may take. Default 60 s. */
  readonly sceneLimitMs?: number
  /** The edge takes HTTP/2 as well, and every other connection is one of it. Default false. */
  readonly http2?: boolean
  /** Agents are killed meanwhile, so exchanges may fail (judge-lossy.ts): told of each and what its client got. */
  readonly onLossy?: (expected: Expected, kind: Outcome["kind"]) => void
}

/** Whether this connection of a scene is one of HTTP/2, in a stage that mixes them: every other one. */
const speaksHttp2 = (stage: Stage, index: number): boolean => stage.http2 === true && index % 2 === 0

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
  const played = Promise.all(
    connections.map((one, index) =>
      speaksHttp2(stage, index) ? playHttp2(stage.port, one, prepare) : playConnection(stage, one, prepare),
    ),
  )
  await within("the scene to end", stage.sceneLimitMs ?? 60_000, Promise.race([played, failure.promise]))
  // What a client has left, and what went wrong, may still be on its way to the upstream; so may what a killed agent sent.
  if (stage.onLossy === undefined)
    for (const one of expected) if (one.exchange.client.does === "waits") stage.upstream.forget(one)
  return expected.length
}

async function playConnection(
  stage: Stage,
  { pipelined, exchanges }: ClientConnection,
  prepare: (exchange: Exchange) => Expected,
): Promise<void> {
  const all = exchanges.map(prepare)
  let client: FuzzClient | undefined
  try {
    if (pipelined) {
      client = new FuzzClient(stage.port)
      const answers = all.map((one) => client!.next(one))
      const last = all.at(-1)!
      await client.sendAll(all)
      for (const [index, one] of all.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        await judge(stage, client, one, await answers[index]!, one === last)
      }
      return
    }
    for (const one of all) {
      if (client === undefined || client.over) client = new FuzzClient(stage.port)
      const answer = client.next(one)
      // oxlint-disable no-await-in-loop -- one after the other
      await client.sendAll([one])
      const goesOn: boolean = await judge(stage, client, one, await answer, true)
      // oxlint-enable no-await-in-loop
      if (!goesOn) client = undefined
    }
  } finally {
    client?.socket.destroy()
  }
}

/** Whether the connection can be used again. Throws when anything is not as planned. */
async function judge(
  { onLossy }: Stage,
  client: FuzzClient,
  expected: Expected,
  got: Outcome,
  mayEnd: boolean,
): Promise<boolean> {
  if (onLossy !== undefined) {
    onLossy(expected, got.kind)
    const goesOn = judgeLossy(expected, got) && !client.over
    if (!goesOn && mayEnd) client.socket.destroy()
    return goesOn
  }
  const { exchange } = expected
  const wrong = (what: string): Error => new Error(`exchange ${expected.id} (${exchange.method}): ${what}`)
  const { answer } = exchange
  if (got.kind === "unanswered") throw wrong("was left without an answer")
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
