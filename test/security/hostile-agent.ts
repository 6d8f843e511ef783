// An agent with a valid token that says what the test has it say, over short polls.
import {
  deafSink,
  MessageDecoder,
  messagesMediaType,
  type OpenFrame,
  preamble,
  protocolVersion,
  Session,
} from "@restante/protocol"
import { Pool } from "undici"
import { nearToken } from "../support/near-pair.ts"
import { bodyOf } from "../support/upstream.ts"

export class HostileAgent implements AsyncDisposable {
  readonly session: Session
  readonly #pool: Pool
  readonly #over = new AbortController()
  #id = ""
  /** What the edge answered last that was no messages: status and code. */
  refusal = ""

  private constructor(port: number, onOpen: (stream: number, frame: OpenFrame) => void) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: 8 })
    this.session = new Session({
      onOutput: () => queueMicrotask(() => this.flush()),
      sink: {
        ...deafSink,
        onOpen,
      },
    })
  }

  /** Resolves when it serves the tunnel. */
  static async attach(
    port: number,
    tunnel: string,
    onOpen: (agent: HostileAgent, stream: number, frame: OpenFrame) => void = () => undefined,
  ): Promise<HostileAgent> {
    const agent: HostileAgent = new HostileAgent(port, (stream, frame) => onOpen(agent, stream, frame))
    await agent.#attach(tunnel)
    void agent.#poll()
    return agent
  }

  /** Pushes these bytes as they are. Resolves with the status. */
  async push(bytes: Buffer, session = this.#id): Promise<number> {
    const { statusCode, body } = await this.#pool.request({
      method: "POST",
      path: "/.restante/v1/push",
      headers: { "restante-session": session, "content-type": messagesMediaType },
      body: bytes,
      signal: this.#over.signal,
    })
    const answer = await bodyOf(body)
    if (statusCode !== 200) this.refusal = `${statusCode} ${answer.toString("latin1")}`
    return statusCode
  }

  /** Sends what its session has to say. */
  flush(): void {
    for (
      let message = this.session.nextMessage(1);
      message !== undefined;
      message = this.session.nextMessage(1)
    )
      this.push(Buffer.concat([preamble, ...message])).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#pool.destroy()
  }

  async #attach(tunnel: string): Promise<void> {
    const { body } = await this.#pool.request({
      method: "POST",
      path: "/.restante/v1/attach",
      headers: { authorization: `Bearer ${nearToken}`, "content-type": "application/json" },
      body: JSON.stringify({
        protocol: protocolVersion,
        tunnel,
        instance: tunnel,
        concurrency: 100,
        software: "hostile",
      }),
    })
    this.#id = ((await body.json()) as { session: string }).session
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#over.signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one poll after the other
        const { statusCode, body } = await this.#pool.request({
          method: "POST",
          path: "/.restante/v1/poll",
          headers: { "restante-session": this.#id, "content-type": messagesMediaType },
          body: Buffer.concat([preamble, this.session.ackMessage()]),
          signal: this.#over.signal,
        })
        // oxlint-disable-next-line no-await-in-loop -- likewise
        const bytes = await bodyOf(body)
        if (statusCode === 200)
          for (const message of new MessageDecoder().push(bytes)) this.session.receive(message)
        else if (statusCode !== 204) {
          this.refusal = `${statusCode} ${bytes.toString("latin1")}`
          return
        }
      }
    } catch (error) {
      this.refusal ||= String(error)
    }
  }
}
