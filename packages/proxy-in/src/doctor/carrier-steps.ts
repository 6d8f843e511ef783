// The steps that try what carries a session's messages: websocket, streamed bodies, and polls that wait.
import { randomBytes } from "node:crypto"
import { Readable } from "node:stream"
import { deafSink, preamble, Session, type Message, type Report } from "@restante/protocol"
import type { EdgeClient, Welcome } from "../attach/edge-client.ts"
import type { MessageExchange } from "../attach/message-request.ts"
import { LinkError } from "../attach/link-error.ts"
import { WebSocketLink } from "../attach/websocket.ts"
import { withCheckSession } from "./check-session.ts"
import type { ExaminationRoom } from "./doctor.ts"
import type { AgentFindingCode } from "./findings.ts"

type AgentReport = Report<AgentFindingCode>

export async function websocketStep(room: ExaminationRoom): Promise<AgentReport> {
  const { transport, clock } = room.options
  if (transport === "poll") return { code: "websocket_unwanted" }
  const problem = await inSession(room, (client, { session: id }) => {
    const session = quietSession()
    const { promise, resolve } = Promise.withResolvers<LinkError | undefined>()
    const link = new WebSocketLink({
      client,
      clock,
      mostRetryMs: room.options.patienceMs,
      port: {
        session: id,
        nextCarrierId: () => 1,
        acknowledgement: () => session.ackMessage(),
        receive: (message) => session.receive(message),
        alive: ignore,
        lost: ignore,
        failed: (error) => resolve(LinkError.from(error)),
        flush: ignore,
      },
      onOpen: (open) => open && resolve(undefined),
      onFailed: resolve,
    })
    link.start()
    return promise.finally(() => link.stop())
  })
  if (problem === undefined) return { code: "websocket_works" }
  const code = transport === "websocket" ? "websocket_needed" : "websocket_refused"
  return { code, detail: problem.detail }
}

export async function streamingStep(room: ExaminationRoom): Promise<AgentReport> {
  const [down, up] = await Promise.all([inSession(room, streamsDown), inSession(room, streamsUp)])
  if (down && up) return { code: "streaming_both" }
  if (!down && !up) return { code: "streaming_none" }
  return { code: up ? "streaming_up" : "streaming_down" }
}

export async function pollStep(room: ExaminationRoom): Promise<AgentReport> {
  const limitMs = room.options.pollMs
  return inSession(room, async (client, { session: id, pollSeconds }) => {
    const begunAt = performance.now()
    const session = quietSession()
    const { promise, resolve } = Promise.withResolvers<LinkError | "watched" | undefined>()
    const poll = client.poll(id, session.ackMessage(), false, {
      onMessage: (message) => session.receive(message),
      onEnd: resolve,
    })
    // An edge ends its poll by itself; a path that swallows that has to be given up.
    const timer = setTimeout(() => resolve("watched"), limitMs ?? pollSeconds * 1000 + graceMs)
    const ended = await promise
    clearTimeout(timer)
    poll.abort()
    const seconds = (performance.now() - begunAt) / 1000
    const held = `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
    if (ended === undefined) return { code: "poll_held", detail: held }
    if (ended === "watched" && limitMs !== undefined)
      return { code: "poll_held", detail: `at least ${held}, --quick` }
    const why = ended === "watched" ? "no answer" : ended.detail
    return seconds < atOnceSeconds
      ? { code: "poll_fails", detail: why }
      : { code: "poll_cut", detail: `after ${held}: ${why}` }
  })
}

const graceMs = 5000
const atOnceSeconds = 1
/** A path that streams passes the first bytes on long before this. */
const streamMs = 2000

function streamsDown(client: EdgeClient, { session: id }: Welcome): Promise<boolean> {
  return within((resolve) => {
    const session = quietSession()
    return client.poll(id, session.ackMessage(), true, {
      onMessage: () => resolve(true),
      onEnd: () => resolve(false),
    })
  })
}

/** The PONG to a PING in a body that has not ended comes back by a poll. */
function streamsUp(client: EdgeClient, { session: id }: Welcome): Promise<boolean> {
  const proof = randomBytes(8)
  return within((resolve) => {
    const session = quietSession((bytes) => bytes.equals(proof) && resolve(true))
    const receive: MessageExchange = {
      onMessage: (message: Message) => session.receive(message),
      onEnd: ignore,
    }
    const poll = client.poll(id, session.ackMessage(), false, receive)
    const body = new Readable({ read: ignore })
    body.push(Buffer.concat([preamble, session.pingMessage(proof)]))
    const push = client.streamedPush(id, body, { onMessage: ignore, onEnd: () => resolve(false) })
    const abort = (): void => {
      poll.abort()
      push.abort()
      body.push(null)
    }
    return { abort }
  })
}

async function within(begin: (resolve: (streams: boolean) => void) => { abort(): void }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const request = begin(resolve)
  const timer = setTimeout(() => resolve(false), streamMs)
  const streams = await promise
  clearTimeout(timer)
  request.abort()
  return streams
}

function inSession<T>(
  { options, newClient }: ExaminationRoom,
  look: (client: EdgeClient, welcome: Welcome) => Promise<T>,
): Promise<T> {
  const { token, tunnel } = options
  if (token === undefined) throw new TypeError("no token")
  const client = newClient(token)
  return withCheckSession({ client, tunnel }, (welcome) => look(client, welcome))
}

/** Our end of a session in which nothing happens. */
function quietSession(onPong: (bytes: Buffer) => void = ignore): Session {
  return new Session({ sink: deafSink, onOutput: ignore, onPong })
}

function ignore(): void {
  // Nothing is served here.
}
