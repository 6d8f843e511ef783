// The public ports: accept connections, give each request to the exchanges, to the agents' endpoints or to the people's
// pages under /.restante/, and close connections that dawdle.
import { createServer } from "node:net"
import type { Server, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { originTarget } from "@restante/protocol"
import type { Http1Error, RequestHead, Scheme } from "@restante/protocol"
import { nanoid } from "nanoid"
import type { Logger } from "pino"
import type { ErrorPage } from "../exchange/error-page.ts"
import { errorResponse } from "../exchange/error-response.ts"
import { failures } from "../exchange/failures.ts"
import type { FailureCode, FailureTraits } from "../exchange/failures.ts"
import { isAgents } from "../attach/endpoint-names.ts"
import type { RefusedRequest } from "../observe/settled-exchange.ts"
import { Admission, defaultMaxOpenConnections, type Guest } from "./admission.ts"
import { ClientConnection } from "./client-connection.ts"
import type { Client, RequestHandler } from "../exchange/client.ts"
import type { ConnectionPort, Peer } from "./client-connection.ts"
import type { Http2Client } from "./h2/http2-client.ts"
import { Http2Connection, type Http2Port } from "./h2/http2-connection.ts"
import { PageRequest } from "./h2/page-request.ts"
import { takeByPreface } from "./h2/preface.ts"
import { endedWithin } from "./ended-within.ts"
import { endsHere, optionsAnswer } from "./max-forwards.ts"
import { defaultPatience, type Patience } from "./patience.ts"
import { losePatience } from "./lose-patience.ts"
import { Redirect } from "./redirect.ts"
import { Refusal } from "./refusal.ts"
import type { TrustedProxies } from "./trusted-proxies.ts"
import type { Certificates } from "./tls/certificates.ts"
import { TlsDoor } from "./tls/tls-door.ts"

export interface IngressOptions {
  readonly host: string
  readonly port: number
  readonly log: Logger
  readonly dateLine: () => string
  /** Default: `defaultPatience`. It, the proxies and the page may change: they are read each time. */
  readonly patience?: Partial<Patience> | undefined
  /** A request that ended here got this error. */
  readonly onRefused?: ((refused: RefusedRequest) => void) | undefined
  /** Proxies in front, whose word about their clients counts. */
  readonly trustedProxies?: TrustedProxies | undefined
  /** The operator's own page. */
  readonly errorPage?: ErrorPage | undefined
  /** Requests for tunnels. */
  readonly accept: (head: RequestHead, connection: ClientConnection) => RequestHandler
  /** The same for those that come by HTTP/2. */
  readonly acceptHttp2: (head: RequestHead, client: Client) => RequestHandler
  /** Requests under /.restante/: the agents' endpoints; undefined for what is for people. */
  readonly attach: (head: RequestHead, connection: ClientConnection) => RequestHandler | undefined
  /** A connection whose request is for people: an HTTP server of its own goes on with it. */
  readonly admin: (socket: Duplex) => void
  /** Most connections, at least 1. Default `defaultMaxOpenConnections`. */
  readonly maxOpenConnections?: number | undefined
  /** With them `port` speaks TLS, and HTTP/2 with whom likes it. */
  readonly certificates?: Certificates | undefined
  /** A port beside a TLS port that sends everybody there. */
  readonly redirectPort?: number | undefined
  /** Clients without TLS may begin with HTTP/2 (RFC 9113 section 3.3). */
  readonly h2c?: boolean | undefined
}

/** Reserved path prefix of the tunnel's own endpoints. */
const reservedPrefix = "/.restante/"

const sweepMs = 1000
/** A client that is slow to read the last answer before a stop is waited for this long. */
const flushMs = 10_000
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, allowHalfOpen: true }

export class Ingress implements ConnectionPort, Http2Port {
  readonly #options: IngressOptions
  readonly #server: Server
  readonly #redirectServer: Server | undefined
  readonly #door: TlsDoor | undefined
  readonly #connections = new Set<ClientConnection>()
  readonly #http2Connections = new Set<Http2Connection>()
  readonly #admission: Admission
  /** For who speaks plain HTTP where TLS is spoken. */
  readonly #plainAtTls: ConnectionPort = {
    onRequest: (head, connection) => this.#refusal({ ...head, keepAlive: false }, connection, "tls_required"),
    badRequest: (_error, connection) => this.#error("tls_required", {}, { connection }),
    onClosed: (connection) => this.onClosed(connection),
  }
  #port = 0
  #sweeper: NodeJS.Timeout | undefined

  constructor(options: IngressOptions) {
    this.#options = options
    const { certificates, redirectPort, h2c, maxOpenConnections: most = defaultMaxOpenConnections } = options
    const admission = new Admission({ most, guests: () => this.#guests(), now: () => performance.now() })
    this.#admission = admission
    const http1 = (socket: Socket, port: ConnectionPort = this, under = socket): void => {
      this.#connections.add(new ClientConnection(socket, port, undefined, under))
    }
    const http2 = (socket: Socket, scheme: Scheme, under = socket): void => {
      if (admission.admit(under)) this.#http2Connections.add(new Http2Connection(socket, scheme, this, under))
      else under.destroy()
    }
    let take = (socket: Socket): void => http1(socket)
    if (certificates !== undefined) {
      const door = new TlsDoor({
        certificates,
        handshakeMs: patienceOf(options).headMs,
        onPlain: (socket) => http1(socket, this.#plainAtTls),
        onSecure: (socket, under, protocol) =>
          protocol === "h2" ? http2(socket, "https", under) : http1(socket, this, under),
      })
      this.#door = door
      take = (socket) => door.take(socket)
    } else if (h2c === true) {
      take = (socket) =>
        takeByPreface(
          socket,
          patienceOf(options).headMs,
          () => http2(socket, "http"),
          () => http1(socket),
        )
    }
    const server = (serve: (socket: Socket) => void): Server => {
      const made = createServer(socketOptions, (socket) => {
        admission.enter(socket)
        if (!socket.destroyed) serve(socket)
      })
      made.maxConnections = admission.hardLimit
      return made
    }
    this.#server = server(take)
    if (redirectPort !== undefined) {
      const redirect = new Redirect({ httpsPort: () => this.#port, dateLine: options.dateLine, port: this })
      this.#redirectServer = server((socket) => http1(socket, redirect))
    }
  }

  /** Resolves when the ports are open; rejects with the system's error when one cannot be. */
  async start(): Promise<{ port: number }> {
    const { port, redirectPort } = this.#options
    this.#port = await this.#listen(this.#server, port)
    if (this.#redirectServer !== undefined) await this.#listen(this.#redirectServer, redirectPort ?? 0)
    this.#options.certificates?.start()
    this.#armSweep()
    return { port: this.#port }
  }

  /** Open connections, by who is at the other end. */
  get connections(): { readonly clients: number; readonly agents: number } {
    let agents = 0
    for (const { servesAgent } of this.#connections) if (servesAgent) agents++
    return { clients: this.#connections.size + this.#http2Connections.size - agents, agents }
  }

  /** Ends the clients' connections as soon as they are idle. Agents still get in: what runs needs them. */
  refuseNew(): void {
    for (const connection of this.#connections) if (!connection.servesAgent) connection.close()
    for (const connection of this.#http2Connections) connection.close()
  }

  /** Ends what is left, at once where nothing waits to be read by a client, after some seconds at most where it does. */
  async stop(): Promise<void> {
    clearTimeout(this.#sweeper)
    this.#options.certificates?.stop()
    this.#door?.stop()
    if (this.#server.listening) this.#server.close()
    if (this.#redirectServer?.listening === true) this.#redirectServer.close()
    const unread: Promise<void>[] = []
    for (const connection of this.#connections) {
      const { socket, servesAgent, unsentBytes } = connection
      if (servesAgent || unsentBytes === 0) socket.destroy()
      else unread.push(endedWithin(socket, flushMs))
    }
    for (const connection of this.#http2Connections) {
      if (connection.unsentBytes === 0) connection.destroy()
      else unread.push(connection.finished(flushMs))
    }
    await Promise.all(unread)
  }

  onRequest(head: RequestHead, connection: ClientConnection): RequestHandler {
    const { method } = head
    if (!connection.known) {
      connection.known = true
      if (!this.#admission.admit(connection.under)) return this.#oneTooMany(head, connection)
    }
    if (method === "CONNECT" || method === "TRACE")
      return this.#refusal(head, connection, "method_not_allowed")
    if (endsHere(head)) return this.#lastHop(head, connection)
    if (originTarget(head).startsWith(reservedPrefix)) {
      connection.servesAgent = false
      return this.#options.attach(head, connection) ?? this.#handToPeople(head, connection)
    }
    return this.#options.accept(head, connection)
  }

  onHttp2Request(head: RequestHead, client: Http2Client): RequestHandler | undefined {
    const { acceptHttp2, admin, dateLine } = this.#options
    const { method } = head
    if (method === "CONNECT" || method === "TRACE")
      return this.#http2Refusal(head, client, "method_not_allowed")
    if (endsHere(head)) return new Refusal(head, () => client.answer(optionsAnswer(dateLine(), true)))
    if (!head.target.startsWith(reservedPrefix)) return acceptHttp2(head, client)
    if (isAgents(head.target)) return undefined
    // It was a CONNECT, to which a page's 200 would say that it has a WebSocket (RFC 8441 section 5).
    if (head.upgrade !== undefined) return this.#http2Refusal(head, client, "method_not_allowed")
    return new PageRequest(head, client, admin)
  }

  badRequest({ status, code }: Http1Error, connection: Peer): Buffer {
    const differences = { status, title: `The request is not valid HTTP: ${code}.` }
    return this.#error("bad_request", differences, { connection })
  }

  timeout(connection: Peer): Buffer {
    return this.#error("request_timeout", {}, { connection })
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection)
  }

  onHttp2Closed(connection: Http2Connection): void {
    this.#http2Connections.delete(connection)
  }

  async #listen(server: Server, port: number): Promise<number> {
    const { host, log } = this.#options
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen({ host, port, backlog: 4096 }, () => {
        server.off("error", reject)
        resolve()
      })
    })
    server.on("error", (error) => log.error({ err: error }, "listener failed"))
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : port
  }

  *#guests(): Iterable<Guest> {
    yield* this.#connections
    yield* this.#http2Connections
  }

  /** There is no room for it; an agent gets in all the same. */
  #oneTooMany(head: RequestHead, connection: ClientConnection): RequestHandler {
    const agent = head.target.startsWith(reservedPrefix) ? this.#options.attach(head, connection) : undefined
    if (!connection.servesAgent) connection.closeBehind()
    return agent ?? this.#refusal({ ...head, keepAlive: false }, connection, "connections_full")
  }

  #lastHop(head: RequestHead, connection: ClientConnection): RequestHandler {
    return new Refusal(head, (keepAlive) => {
      connection.write(optionsAnswer(this.#options.dateLine(), keepAlive))
      connection.finish(keepAlive)
    })
  }

  #handToPeople(head: RequestHead, connection: ClientConnection): RequestHandler {
    const { socket } = connection
    connection.takeOver((rest) => {
      const again = Buffer.from(
        `${head.method} ${head.target} HTTP/1.${head.minorVersion}\r\n${head.fields.raw}\r\n`,
        "latin1",
      )
      socket.unshift(Buffer.concat([again, rest]))
      this.#options.admin(socket)
    })
    return unused
  }

  #refusal(head: RequestHead, connection: ClientConnection, code: FailureCode): RequestHandler {
    return new Refusal(head, (keepAlive) => {
      connection.write(this.#error(code, {}, { connection, request: head, keepAlive }))
      connection.finish(keepAlive)
    })
  }

  #http2Refusal(head: RequestHead, client: Http2Client, code: FailureCode): RequestHandler {
    return new Refusal(head, () =>
      client.answer(this.#error(code, {}, { connection: client, request: head, keepAlive: true })),
    )
  }

  #error(
    code: FailureCode,
    differences: Partial<FailureTraits>,
    { connection, request, keepAlive = false }: Unserved,
  ): Buffer {
    const { dateLine, errorPage, onRefused, trustedProxies } = this.#options
    const traits = { ...failures[code], ...differences }
    const exchangeId = connection.exchangeId ?? nanoid()
    // In the middle of a body it is an exchange already, whose end is told as such.
    if (connection.phase !== "body" || request !== undefined) {
      const { remoteAddress: peer } = connection
      const clientAddress = (request && trustedProxies?.clientOf(request.fields, peer)) ?? peer
      onRefused?.({ request, clientAddress, code, status: traits.status, exchangeId })
    }
    return errorResponse({
      code,
      traits,
      exchangeId,
      keepAlive,
      dateLine: dateLine(),
      request,
      page: errorPage,
    })
  }

  #armSweep(): void {
    this.#sweeper = setTimeout(() => {
      const patience = patienceOf(this.#options)
      for (const connection of this.#connections)
        losePatience(connection, patience, sweepMs, () => this.timeout(connection))
      for (const connection of this.#http2Connections) connection.sweep(patience, sweepMs)
      this.#armSweep()
    }, sweepMs)
    this.#sweeper.unref()
  }
}

interface Unserved {
  readonly connection: Peer
  /** Undefined when it could not be read, or did not come in time; the connection closes then. */
  readonly request?: RequestHead | undefined
  readonly keepAlive?: boolean
}

function patienceOf({ patience }: IngressOptions): Patience {
  return { ...defaultPatience, ...patience }
}

const unused: RequestHandler = {
  onBody: ignore,
  onBodyEnd: ignore,
  onReadPaused: ignore,
  onClientDrain: ignore,
  onClientGone: ignore,
}

function ignore(): void {
  // The connection has another owner from the next byte on.
}
