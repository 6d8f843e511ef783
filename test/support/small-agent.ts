// An agent that is small enough to have a thousand of: attaches as docs/protocol.md says, over one short poll at a time,
// and answers every request itself.
import {
  deafSink,
  headFlags,
  MessageDecoder,
  messagesMediaType,
  preamble,
  protocolVersion,
  Session,
} from "@restante/protocol"
import type { Pool } from "undici"
import { bodyOf } from "./upstream.ts"

export interface SmallAgentOptions {
  /** To the edge; may be shared by many agents. */
  readonly pool: Pool
  readonly tunnel: string
  readonly token: string
  /** The text of every answer. */
  readonly text: string
  /** Ends it. */
  readonly signal: AbortSignal
}

/** Resolves once it is attached. It serves until the signal comes. */
export async function startSmallAgent(options: SmallAgentOptions): Promise<void> {
  const { pool, tunnel, token, signal } = options
  const reply = await pool.request({
    method: "POST",
    path: "/.restante/v1/attach",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      protocol: protocolVersion,
      tunnel,
      instance: tunnel,
      concurrency: 10,
      software: "small-agent",
    }),
    signal,
  })
  const said = (await reply.body.json()) as { session?: string }
  if (said.session === undefined) throw new Error(`not attached: ${JSON.stringify(said)}`)
  void serve(options, said.session)
}

async function serve({ pool, text, signal }: SmallAgentOptions, id: string): Promise<void> {
  const headers = { "restante-session": id, "content-type": messagesMediaType }
  const post = async (endpoint: string, message: readonly Buffer[]): Promise<void> => {
    const body = Buffer.concat([preamble, ...message])
    const reply = await pool.request({
      method: "POST",
      path: `/.restante/v1/${endpoint}`,
      headers,
      body,
      signal,
    })
    const decoder = new MessageDecoder()
    for (const decoded of decoder.push(await bodyOf(reply.body))) session.receive(decoded)
  }
  const push = (): void => {
    for (let message = session.nextMessage(1); message !== undefined; message = session.nextMessage(1))
      void post("push", message).catch(ignore)
  }
  const session = new Session({
    sink: {
      ...deafSink,
      onOpen: (stream) => {
        const head = `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`
        session.head(stream, headFlags.final, head, Buffer.from(text))
      },
    },
    onOutput: () => queueMicrotask(push),
  })
  try {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one poll after the other
      await post("poll", [session.ackMessage()])
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function ignore(): void {
  // Nothing here streams, and an edge that is gone needs no more answers.
}
