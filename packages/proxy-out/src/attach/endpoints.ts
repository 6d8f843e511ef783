// The agents' endpoints under /.restante/v1/ (docs/protocol.md): attach, poll, push, websocket, detach.
// They are served by the ingress itself: neither they nor the clients' requests pass through Express.
import { IncomingMessage } from "node:http"
import { protocolVersion } from "@restante/protocol"
import type { RequestHead, WireError } from "@restante/protocol"
import { nanoid } from "nanoid"
import type { Logger } from "pino"
import { WebSocketServer } from "ws"
import type { Clock } from "../clock.ts"
import type { Credential, Credentials } from "../credentials/credentials.ts"
import { FailedAttempts } from "../credentials/failed-attempts.ts"
import { allowsRoute, allowsTunnel } from "../credentials/named-token.ts"
import { Deadlines } from "../exchange/deadlines.ts"
import type { RequestHandler } from "../exchange/client.ts"
import type { ClientConnection } from "../ingress/client-connection.ts"
import { queueOf } from "../ports/ports.ts"
import type { Ports } from "../ports/ports.ts"
import type { KnownTunnels } from "../routing/known-tunnels.ts"
import type { AgentSession } from "./agent-session.ts"
import { endpointMethods, endpointPrefix } from "./endpoint-names.ts"
import { AttachRequest } from "./attach-request.ts"
import type { AttachHello } from "./attach-request.ts"
import { PollRequest, PushRequest } from "./message-requests.ts"
import type { MessageRequestPort } from "./message-requests.ts"
import type { PollCarrier } from "./poll-carrier.ts"
import { attachProblems, jsonResponse, problemResponse, ReplyRequest } from "./replies.ts"
import { resumeSeconds, shortId } from "./sessions.ts"
import type { Sessions } from "./sessions.ts"
import { WebSocketCarrier, websocketOptions } from "./websocket-carrier.ts"

export interface EndpointsOptions {
  readonly sessions: Sessions
  readonly credentials: Credentials
  readonly tunnels: KnownTunnels
  readonly ports: Ports
  readonly clock: Clock
  readonly log: Logger
  readonly software: string
  /** Who sent the request: the peer, or whom a trusted proxy names. Default: the peer. */
  readonly clientOf?: ((head: RequestHead, peer: string) => string) | undefined
  /** An agent was refused, with this code. */
  readonly onRefused?: ((code: string) => void) | undefined
}

/** A poll is ended after this long, before any middlebox does. */
const pollSeconds = 25
/** 24 characters of nanoid's alphabet carry 144 bits. */
const sessionIdLength = 24

export class Endpoints implements MessageRequestPort {
  readonly #options: EndpointsOptions
  readonly #failedAttempts: FailedAttempts
  readonly #polls: Deadlines<PollCarrier>
  readonly #websockets = new WebSocketServer(websocketOptions)

  constructor(options: EndpointsOptions) {
    this.#options = options
    this.#failedAttempts = new FailedAttempts({ clock: options.clock })
    this.#polls = new Deadlines({
      afterMs: pollSeconds * 1000,
      clock: options.clock,
      onExpired: (poll) => poll.close(),
    })
  }

  stop(): void {
    this.#polls.stop()
  }

  /** Undefined for a target that is not an agents' endpoint. */
  route(head: RequestHead, connection: ClientConnection): RequestHandler | undefined {
    if (!head.target.startsWith(endpointPrefix)) return undefined
    const endpoint = head.target.slice(endpointPrefix.length)
    const method = endpointMethods[endpoint]
    if (method === undefined) return undefined // for people: Express answers
    if (head.method !== method)
      return new ReplyRequest(head, connection, problemResponse("method_not_allowed"))
    if (endpoint === "attach") return this.#attach(head, connection)
    const session = this.#options.sessions.get(head.fields.get("restante-session") ?? "")
    if (session === undefined) return new ReplyRequest(head, connection, problemResponse("session_unknown"))
    connection.servesAgent = true
    switch (endpoint) {
      case "poll":
        return new PollRequest(this, session, head, connection)
      case "push":
        return new PushRequest(this, session, head, connection)
      case "websocket":
        return this.#websocket(head, connection, session)
      default:
        this.#options.sessions.end(session, "detached")
        return new ReplyRequest(head, connection, jsonResponse({}))
    }
  }

  broken(session: AgentSession, connection: ClientConnection, error: WireError): void {
    this.#options.log.warn(
      { session: shortId(session), tunnel: session.tunnel, err: error },
      "session broken",
    )
    this.#options.sessions.end(session, "broken")
    connection.write(problemResponse("malformed_message", { detail: error.code }))
    connection.finish(false)
  }

  pollWaits(poll: PollCarrier): void {
    this.#polls.set(poll)
  }

  pollEnded(poll: PollCarrier): void {
    this.#polls.clear(poll)
  }

  #attach(head: RequestHead, connection: ClientConnection): RequestHandler {
    const given = /^Bearer +([\x21-\x7e]{1,2048})$/i.exec(head.fields.get("authorization") ?? "")?.[1]
    const credential = given === undefined ? undefined : this.#options.credentials.check(given)
    if (credential === undefined)
      return new ReplyRequest(head, connection, this.#wrongToken(head, connection))
    connection.servesAgent = true
    return new AttachRequest(head, connection, (hello) => this.#admit(hello, credential))
  }

  /** One line in the log for an address and minute, however many tries there are. */
  #wrongToken(head: RequestHead, { remoteAddress: peer }: ClientConnection): Buffer {
    const address = this.#options.clientOf?.(head, peer) ?? peer
    const { retryAfterSeconds, first, before } = this.#failedAttempts.note(address)
    this.#options.onRefused?.("token_refused")
    if (first) {
      const more = before > 0 ? { moreInTheMinuteBefore: before } : {}
      this.#options.log.warn({ address, ...more }, "agent refused: wrong or missing token")
    }
    return retryAfterSeconds === undefined
      ? problemResponse("token_refused")
      : problemResponse("rate_limited", { retryAfterSeconds })
  }

  async #admit(hello: AttachHello, credential: Credential): Promise<Buffer> {
    const { sessions, tunnels, ports, software, credentials } = this.#options
    const { tunnel, routes, stripPrefix, concurrency, http } = hello
    // Who only looks whether the way works takes no name, no route and no port.
    const looks = concurrency === 0
    if (!allowsTunnel(credential.tunnels, tunnel)) return this.#refused("tunnel_refused", hello, credential)
    const foreign = routes.find((route) => !allowsRoute(credential, route))
    if (foreign !== undefined) return this.#refused("route_refused", hello, credential, foreign)
    // It may have been revoked since its head was read: a body can take as long as it likes.
    if (!credentials.allows(credential.id, tunnel, routes)) {
      this.#options.onRefused?.("token_refused")
      return problemResponse("token_refused")
    }
    const full = sessions.full(credential)
    if (full !== undefined) return this.#refused("sessions_full", hello, credential, fullText(full))
    if (http) {
      const token = credential.isOwn === true ? undefined : credential.id
      const wanted = { name: tunnel, routes, stripPrefix, token }
      const claim = looks ? tunnels.examine(wanted) : tunnels.claim(wanted)
      if (claim.kind === "full") return this.#refused("tunnels_full", hello, credential, fullText(claim))
      if (claim.kind === "taken") return this.#refused("route_taken", hello, credential, claim.route)
    }
    const asked = { tunnel, ports: hello.ports, allowance: credential.allow }
    const grant = looks ? ports.examine(asked) : await ports.claim(asked)
    if (grant.kind === "refused") return this.#refused("port_refused", hello, credential, grant.reason)
    // Others may have attached meanwhile.
    const late = sessions.full(credential)
    if (late !== undefined) return this.#refused("sessions_full", hello, credential, fullText(late))
    const served = looks ? [] : grant.ports
    const session = sessions.create({
      ...hello,
      ports: served,
      queues: served.map((port) => queueOf(tunnel, port)),
      id: nanoid(sessionIdLength),
      credentialId: credential.id,
    })
    return jsonResponse({
      session: session.id,
      protocol: protocolVersion,
      resumeSeconds,
      pollSeconds,
      pieces: true,
      software,
      ports: grant.ports,
    })
  }

  #refused(code: RefusalCode, { tunnel }: AttachHello, { name }: Credential, detail?: string): Buffer {
    this.#options.onRefused?.(code)
    const more = detail === undefined ? {} : { detail }
    this.#options.log.warn(
      { code, tunnel, token: name, ...more },
      `agent refused: ${attachProblems[code].title}`,
    )
    return problemResponse(code, more)
  }

  #websocket(head: RequestHead, connection: ClientConnection, session: AgentSession): RequestHandler {
    if (head.upgrade?.toLowerCase() !== "websocket")
      return new ReplyRequest(head, connection, problemResponse("upgrade_required"))
    const { socket } = connection
    connection.takeOver((rest) => {
      const request = new IncomingMessage(socket)
      request.method = head.method
      request.url = head.target
      request.headers = headersOf(head)
      this.#websockets.handleUpgrade(request, socket, rest, (websocket) => {
        const carrier = new WebSocketCarrier(websocket, socket, session, (error) => {
          this.#options.log.warn(
            { session: shortId(session), tunnel: session.tunnel, err: error },
            "session broken",
          )
          this.#options.sessions.end(session, "broken")
        })
        session.attach(carrier)
      })
    })
    return new ReplyRequest(head, connection, undefined)
  }
}

type RefusalCode =
  | "tunnel_refused"
  | "route_refused"
  | "tunnels_full"
  | "sessions_full"
  | "route_taken"
  | "port_refused"

const fullText = ({ of, most }: { readonly of: "edge" | "token"; readonly most: number }): string =>
  `${most} ${of === "edge" ? "in all" : "with this token"}`

function headersOf(head: RequestHead): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of head.fields) headers[name.toLowerCase()] = value
  return headers
}
