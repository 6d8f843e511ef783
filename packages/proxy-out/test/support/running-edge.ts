// An edge whose agents' endpoints a test asks by hand.
import { preamble, Secret } from "@restante/protocol"
import { Edge } from "../../src/edge.ts"
import { recordedLog } from "./log.ts"

export class RunningEdge implements AsyncDisposable {
  readonly log = recordedLog()
  url = ""
  readonly #edge = new Edge({
    host: "127.0.0.1",
    port: 0,
    redisUrl: undefined,
    dispatch: "queue",
    holdMs: 5000,
    timeoutMs: 5000,
    maxQueue: 10,
    token: new Secret(edgeToken),
    log: this.log.log,
  })

  async start(): Promise<this> {
    this.url = `http://127.0.0.1:${(await this.#edge.start()).port}`
    return this
  }

  /** A request to an agents' endpoint. */
  async ask(method: string, endpoint: string, options: RequestInit = {}): Promise<Reply> {
    const response = await fetch(`${this.url}/.restante/v1/${endpoint}`, {
      method,
      redirect: "manual",
      ...options,
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const { status, headers } = response
    return { status, headers, bytes, json: parsed(bytes.toString("utf8")) }
  }

  attach(fields: object = {}, authorization = `Bearer ${edgeToken}`): Promise<Reply> {
    return this.ask("POST", "attach", {
      headers: { authorization },
      body: JSON.stringify({ ...hello, ...fields }),
    })
  }

  async session(): Promise<string> {
    return ((await this.attach()).json as { session: string }).session
  }

  carry(endpoint: "poll" | "push", session: string, ...messages: readonly Uint8Array[]): Promise<Reply> {
    return this.ask("POST", endpoint, {
      headers: { "restante-session": session },
      body: Buffer.concat([preamble, ...messages]),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#edge.stop()
  }
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly json: unknown
}

const hello = { protocol: 1, tunnel: "default", instance: "here", concurrency: 4, software: "test/1" }

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const edgeToken = "a-token-that-only-these-tests-use"
