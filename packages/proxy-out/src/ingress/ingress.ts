// The public port: accepts connections, gives each request to the exchanges, to the agents' endpoints or to the people's
// pages under /.restante/, and closes connections that dawdle.
import { createServer } from "node:net"
import type { Server, Socket } from "node:net"
import { originTarget } from "@restante/protocol"
import type { Http1Error, RequestHead } from "@restante/protocol"
import { nanoid } from "nanoid"
import type { Logger } from "pino"
import type { ErrorPage } from "../exchange/error-page.ts"
import { errorResponse } from "../exchange/error-response.ts"
import { failures } from "../exchange/failures.ts"
import type { FailureCode, FailureTraits } from "../exchange/failures.ts"
import type { RefusedRequest } from "../observe/settled-exchange.ts"
import { ClientConnection } from "./client-connection.ts"
import type { RequestHandler } from "../exchange/client.ts"
import type { ConnectionPort } from "./client-connection.ts"
import { endsHere, optionsAnswer } from "./max-forwards.ts"
import { defaultPatience, type Patience } from "./patience.ts"
import { Refusal } from "./refusal.ts"
import type { TrustedProxies } from "./trusted-proxies.ts"

export interface IngressOptions {
  readonly host: string
  readonly port: number
  readonly log: Logger
  readonly dateLine: () => string
  /** Default: `defaultPatience`. */
  readonly patience?: Partial<Patience> | undefined
  /** A request that ended here got this error. */
  readonly onRefused?: ((refused: RefusedRequest) => void) | undefined
  /** Proxies in front, whose word about their clients counts. */
  readonly trustedProxies?: TrustedProxies | undefined
  /** The operator's own page. */
  readonly errorPage?: ErrorPage | undefined
  /** Requests for tunnels. */
  readonly accept: (head: RequestHead, connection: ClientConnection) => RequestHandler
  /** Requests under /.restante/: the agents' endpoints; undefined for what is for people. */
  readonly attach: (head: RequestHead, connection: ClientConnection) => RequestHandler | undefined
  /** A connection whose request is for people: an HTTP server of its own goes on with it. */
  readonly admin: (socket: Socket) => void
}

/** Reserved path prefix of the tunnel's own endpoints. */
const reservedPrefix = "/.restante/"

const sweepMs = 1000
/** A client that is slow to read the last answer before a stop is waited for this long. */
const flushMs = 10_000
const maxConnections = 20_000
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, allowHalfOpen: true }

export class Ingress implements ConnectionPort {
  readonly #options: IngressOptions
  readonly #server: Server
  readonly #connections = new Set<ClientConnection>()
  readonly #patience: Patience
  #sweeper: NodeJS.Timeout | undefined

  constructor(options: IngressOptions) {
    this.#options = options
    this.#patience = { ...defaultPatience, ...options.patience }
    this.#server = createServer(socketOptions, (socket) => {
      this.#connections.add(new ClientConnection(socket, this))
    })
    this.#server.maxConnections = maxConnections
  }

  /** Resolves when the port is open; rejects with the system's error when it cannot be. */
  async start(): Promise<{ port: number }> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off("error", reject)
        resolve()
      })
    })
    this.#server.on("error", (error) => this.#options.log.error({ err: error }, "listener failed"))
    this.#armSweep()
    const address = this.#server.address()
    return { port: typeof address === "object" && address !== null ? address.port : port }
  }

  /** Open connections, by who is at the other end. */
  get connections(): { readonly clients: number; readonly agents: number } {
    let agents = 0
    for (const { servesAgent } of this.#connections) if (servesAgent) agents++
    return { clients: this.#connections.size - agents, agents }
  }

  /** Ends the clients' connections as soon as they are idle. Agents still get in: what runs needs them. */
  refuseNew(): void {
    for (const connection of this.#connections) if (!connection.servesAgent) connection.close()
  }

  /** Ends what is left, at once where nothing waits to be read by a client, after some seconds at most where it does. */
  async stop(): Promise<void> {
    clearTimeout(this.#sweeper)
    if (this.#server.listening) this.#server.close()
    const unread: Promise<void>[] = []
    for (const connection of this.#connections) {
      const { socket, servesAgent, unsentBytes } = connection
      if (servesAgent || unsentBytes === 0) socket.destroy()
      else unread.push(closed(socket))
    }
    await Promise.all(unread)
  }

  onRequest(head: RequestHead, connection: ClientConnection): RequestHandler {
    const { method } = head
    if (method === "CONNECT" || method === "TRACE")
      return this.#refusal(head, connection, "method_not_allowed")
    if (endsHere(head)) return this.#lastHop(head, connection)
    if (originTarget(head).startsWith(reservedPrefix)) {
      const agent = this.#options.attach(head, connection)
      connection.servesAgent = agent !== undefined
      return agent ?? this.#handToPeople(head, connection)
    }
    return this.#options.accept(head, connection)
  }

  badRequest({ status, code }: Http1Error, connection: ClientConnection): Buffer {
    const differences = { status, title: `The request is not valid HTTP: ${code}.` }
    return this.#error("bad_request", differences, { connection })
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection)
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

  #error(
    code: FailureCode,
    differences: Partial<FailureTraits>,
    { connection, request, keepAlive = false }: Unserved,
  ): Buffer {
    const { dateLine, errorPage, onRefused, trustedProxies } = this.#options
    const traits = { ...failures[code], ...differences }
    const exchangeId = nanoid()
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
      for (const connection of this.#connections) this.#check(connection)
      this.#armSweep()
    }, sweepMs)
    this.#sweeper.unref()
  }

  #check(connection: ClientConnection): void {
    const { phase, quiet } = connection.sweep()
    const quietMs = quiet * sweepMs
    const { idleMs, headMs, bodyMs, stalledReaderMs } = this.#patience
    switch (phase) {
      case "idle":
        if (quietMs >= idleMs) connection.close()
        return
      case "head":
        if (quietMs >= headMs) connection.giveUp(this.#timeout(connection))
        return
      case "body":
        if (quietMs >= bodyMs) connection.giveUp(this.#timeout(connection))
        return
      case "response":
        if (quietMs >= stalledReaderMs) connection.reset()
        return
      case "raw": // it may be silent for days: TCP's keep-alive finds out whether the client is still there
    }
  }

  #timeout(connection: ClientConnection): Buffer {
    return this.#error("request_timeout", {}, { connection })
  }
}

interface Unserved {
  readonly connection: Pick<ClientConnection, "remoteAddress" | "phase">
  /** Undefined when it could not be read, or did not come in time; the connection closes then. */
  readonly request?: RequestHead | undefined
  readonly keepAlive?: boolean
}

/** Ends our side behind what was written, and the connection when that has been read or its time is over. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), flushMs)
    socket.once("close", () => {
      clearTimeout(timer)
      resolve()
    })
    socket.destroySoon()
  })
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
