// The agent's requests to its edge, one function per endpoint (docs/protocol.md). Sockets, TLS and HTTP are undici's;
// every answer is checked to be a Restante edge's before a byte of it is used.
import { Readable } from "node:stream"
import {
  maxPorts,
  messagesMediaType,
  portKinds,
  portNamePattern,
  preamble,
  protocolVersion,
} from "@restante/protocol"
import type { OpenPort, PortRequest, Secret } from "@restante/protocol"
import { Pool } from "undici"
import { z } from "zod"
import { balancerCookies } from "./balancer-cookies.ts"
import { EdgeDialer } from "./edge-dialer.ts"
import type { EdgeDialerOptions } from "./edge-dialer.ts"
import { LinkError } from "./link-error.ts"
import { MessageRequest } from "./message-request.ts"
import type { MessageExchange } from "./message-request.ts"
import { asksForTls, foreignAnswer, parseJson, refusal } from "./refusal.ts"

export interface EdgeClientOptions extends EdgeDialerOptions {
  readonly token: Secret
}

export interface Hello {
  readonly tunnel: string
  readonly routes?: readonly string[] | undefined
  readonly stripPrefix?: boolean | undefined
  readonly instance: string
  readonly concurrency: number
  readonly http?: boolean | undefined
  readonly ports?: readonly PortRequest[] | undefined
  readonly connections?: number | undefined
  readonly software: string
}

export interface Welcome {
  readonly session: string
  readonly resumeSeconds: number
  readonly pollSeconds: number
  /** Whether it takes messages in pieces. Default false. */
  readonly pieces?: boolean | undefined
  /** Those that were asked for; none from an edge that does not know of ports. */
  readonly ports: readonly OpenPort[]
}

export interface Look {
  readonly status: number
  /** Of the protocol; undefined when no Restante edge answered. */
  readonly version: string | undefined
  /** It is asked in the clear, and wants to be asked over TLS. */
  readonly wantsTls: boolean
  /** The edge's clock. */
  readonly date: string | undefined
}

const attachTimeoutMs = 15_000
const maxReplyBytes = 64 * 1024

const welcomeSchema: z.ZodType<Welcome & { protocol: number }> = z.object({
  session: z.string().regex(/^[\w-]{16,64}$/),
  protocol: z.literal(protocolVersion),
  resumeSeconds: z.number().positive(),
  pollSeconds: z.number().positive(),
  pieces: z.boolean().optional(),
  ports: z
    .array(
      z.object({
        kind: z.enum(portKinds),
        name: z.string().regex(portNamePattern),
        port: z.int().min(1).max(65_535),
      }),
    )
    .max(maxPorts)
    .default([]),
})

export class EdgeClient {
  readonly external: URL
  readonly dialer: EdgeDialer
  readonly #token: Secret
  #pool: Pool
  readonly #basePath: string
  #cookies: string | undefined

  constructor({ token, ...options }: EdgeClientOptions) {
    const { external } = options
    this.external = external
    this.dialer = new EdgeDialer(options)
    this.#token = token
    this.#basePath = external.pathname.replace(/\/+$/, "")
    this.#pool = this.#newPool()
  }

  /** Breaks all requests that run and forgets their connections, also the idle ones: nothing comes over them any more. */
  renew(): void {
    const old = this.#pool
    this.#pool = this.#newPool()
    void old.destroy()
  }

  close(): Promise<void> {
    return this.#pool.destroy()
  }

  /** Of an endpoint, as the edge knows it. */
  path(endpoint: string): string {
    return `${this.#basePath}/.restante/v1/${endpoint}`
  }

  /** What every request of the session that was attached last says, also when it opens a websocket. */
  sessionHeaders(session: string): Record<string, string> {
    const headers: Record<string, string> = { "restante-session": session }
    if (this.#cookies !== undefined) headers["cookie"] = this.#cookies
    return headers
  }

  /** What answers at the edge's health page. Raises LinkError, not for what an answer says. */
  async look(timeoutMs: number = attachTimeoutMs): Promise<Look> {
    try {
      const reply = await this.#pool.request({
        method: "GET",
        path: `${this.dialer.requestPrefix}${this.#basePath}/.restante/healthz`,
        headers: { ...this.dialer.requestHeaders },
        signal: AbortSignal.timeout(timeoutMs),
      })
      await reply.body.dump()
      const { date, "restante-version": version } = reply.headers
      const wantsTls = asksForTls(this.external, reply)
      return { status: reply.statusCode, version: only(version), wantsTls, date: only(date) }
    } catch (reason) {
      throw LinkError.from(reason)
    }
  }

  /** Raises LinkError. */
  async attach(hello: Hello, signal: AbortSignal): Promise<Welcome> {
    try {
      const reply = await this.#pool.request({
        method: "POST",
        path: this.#target("attach"),
        headers: {
          ...this.dialer.requestHeaders,
          authorization: `Bearer ${this.#token.reveal()}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ protocol: protocolVersion, pieces: true, ...hello }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(attachTimeoutMs)]),
      })
      const text = await readText(reply.body)
      if (asksForTls(this.external, reply)) throw new LinkError("tls_required", `status ${reply.statusCode}`)
      if (reply.headers["restante-version"] === undefined) throw foreignAnswer(reply.statusCode)
      if (reply.statusCode !== 200) throw refusal(reply.statusCode, text)
      const welcome = welcomeSchema.safeParse(parseJson(text))
      if (!welcome.success) throw new LinkError("version", undefined, { cause: welcome.error })
      this.#cookies = balancerCookies(reply.headers["set-cookie"])
      return welcome.data
    } catch (reason) {
      throw LinkError.from(reason)
    }
  }

  /** Says goodbye. Failure means nothing: the edge notices by itself. */
  async detach(session: string): Promise<void> {
    try {
      const reply = await this.#pool.request({
        method: "DELETE",
        path: this.#target("session"),
        headers: { ...this.dialer.requestHeaders, ...this.sessionHeaders(session) },
        signal: AbortSignal.timeout(2000),
      })
      await reply.body.dump()
    } catch {
      // The session expires by itself then.
    }
  }

  push(session: string, parts: readonly Buffer[], exchange: MessageExchange): MessageRequest {
    return this.#send("push", session, Buffer.concat([preamble, ...parts]), false, exchange)
  }

  poll(
    session: string,
    acknowledgement: Buffer,
    streamed: boolean,
    exchange: MessageExchange,
  ): MessageRequest {
    return this.#send("poll", session, Buffer.concat([preamble, acknowledgement]), streamed, exchange)
  }

  streamedPush(session: string, body: Readable, exchange: MessageExchange): MessageRequest {
    return this.#send("push", session, body, true, exchange)
  }

  /** Of an endpoint, as a request names it. */
  #target(endpoint: string): string {
    return `${this.dialer.requestPrefix}${this.path(endpoint)}`
  }

  #newPool(): Pool {
    return new Pool(this.external.origin, {
      pipelining: 1,
      // Long polls and streams are meant to be quiet: the link itself notices a dead edge.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_place, opened) => void this.dialer.open("requests", opened),
    })
  }

  #send(
    endpoint: string,
    session: string,
    body: Buffer | Readable,
    streamed: boolean,
    exchange: MessageExchange,
  ): MessageRequest {
    const request = new MessageRequest(exchange)
    const headers = { ...this.dialer.requestHeaders, ...this.sessionHeaders(session) }
    headers["content-type"] = messagesMediaType
    if (streamed) headers["restante-stream"] = "1"
    this.#pool.dispatch({ method: "POST", path: this.#target(endpoint), headers, body }, request)
    return request
  }
}

function only(field: string | string[] | undefined): string | undefined {
  return typeof field === "string" ? field : undefined
}

async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxReplyBytes) throw new LinkError("not_restante", "a long answer")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}
