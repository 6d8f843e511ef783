// Short answers to agents: JSON, and problem details (RFC 9457) whose code tells the agent what to do.
import type { RequestHead } from "@restante/protocol"
import { protocolVersion } from "@restante/protocol"
import type { RequestHandler } from "../exchange/client.ts"
import type { ClientConnection } from "../ingress/client-connection.ts"

export const attachProblems = {
  token_refused: { status: "401 Unauthorized", title: "The token is missing or not the right one." },
  rate_limited: {
    status: "429 Too Many Requests",
    title: "Too many wrong tokens came from this address. The right one is let in at once.",
  },
  route_taken: { status: "409 Conflict", title: "Another tunnel has this route already." },
  port_refused: { status: "403 Forbidden", title: "This edge does not open that port for this agent." },
  tunnels_full: { status: "503 Service Unavailable", title: "This edge knows too many tunnels already." },
  sessions_full: { status: "503 Service Unavailable", title: "Too many agents are attached already." },
  tunnel_refused: { status: "403 Forbidden", title: "This token does not allow that tunnel." },
  route_refused: { status: "403 Forbidden", title: "This token does not allow that route." },
  version_unsupported: {
    status: "400 Bad Request",
    title: "This edge speaks another version of the protocol.",
  },
  malformed_request: { status: "400 Bad Request", title: "The request is not one that an agent sends." },
  malformed_message: {
    status: "400 Bad Request",
    title: "The messages cannot be read; the session has ended.",
  },
  session_unknown: { status: "410 Gone", title: "The session is over. Attach anew." },
  upgrade_required: { status: "426 Upgrade Required", title: "This endpoint speaks websocket only." },
  method_not_allowed: { status: "405 Method Not Allowed", title: "This endpoint does not know that method." },
} as const

export type AttachProblem = keyof typeof attachProblems

export interface ProblemDetails {
  readonly detail?: string
  readonly retryAfterSeconds?: number
}

export function problemResponse(
  code: AttachProblem,
  { detail, retryAfterSeconds }: ProblemDetails = {},
): Buffer {
  const { status, title } = attachProblems[code]
  const supported = code === "version_unsupported" ? { supported: [protocolVersion] } : {}
  const body = JSON.stringify({
    title,
    status: Number(status.slice(0, 3)),
    code,
    ...(detail === undefined ? {} : { detail }),
    ...supported,
  })
  let fields = ""
  if (code === "token_refused") fields += 'WWW-Authenticate: Bearer realm="restante"\r\n'
  if (code === "upgrade_required") fields += "Upgrade: websocket\r\n"
  if (retryAfterSeconds !== undefined) fields += `Retry-After: ${retryAfterSeconds}\r\n`
  return response(status, "application/problem+json", body, fields)
}

export function jsonResponse(value: object): Buffer {
  return response("200 OK", "application/json", JSON.stringify(value), "")
}

function response(status: string, type: string, body: string, fields: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nRestante-Version: ${protocolVersion}\r\nContent-Type: ${type}\r\nCache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${fields}\r\n${body}`,
    "utf8",
  )
}

/** A request whose answer is known before its body: the body is read and dropped. */
export class ReplyRequest implements RequestHandler {
  readonly #connection: ClientConnection
  readonly #keepAlive: boolean
  #answer: Buffer | undefined

  constructor(head: RequestHead, connection: ClientConnection, answer: Buffer | undefined) {
    this.#connection = connection
    this.#keepAlive = head.keepAlive
    this.#answer = answer
    // A body that may be long, or endless (a streamed push), is not waited for.
    if (head.body.kind === "chunked") queueMicrotask(() => this.#reply(false))
  }

  onBody(): void {}

  onBodyEnd(): void {
    this.#reply(this.#keepAlive)
  }

  onReadPaused(): void {}

  onClientDrain(): void {}

  onClientGone(): void {
    this.#answer = undefined
  }

  #reply(keepAlive: boolean): void {
    const answer = this.#answer
    this.#answer = undefined
    if (answer === undefined) return
    this.#connection.write(answer)
    this.#connection.finish(keepAlive)
  }
}
