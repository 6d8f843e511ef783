// One TCP port of the public host that is open for a tunnel: each connection that comes in becomes a ticket of the port's queue.
import { openKind, portHeadText } from "@restante/protocol"
import type { PortEnd } from "@restante/protocol"
import { nanoid } from "nanoid"
import { once } from "node:events"
import net from "node:net"
import type { Socket } from "node:net"
import { headAddress } from "./addresses.ts"
import { AddressShares } from "./address-shares.ts"
import { settledStream } from "./port-traffic.ts"
import type { PortRefusal, PortTraffic } from "./port-traffic.ts"
import type { PublicPort, PublicPortOptions } from "./public-port.ts"
import { TcpConnection } from "./tcp-connection.ts"

/** TCP keep-alive: a client that vanished without a word is noticed, however long the connection is silent. */
const probeAfterMs = 30_000
/** As many as the kernel keeps until they are accepted, if it lets us. */
const backlog = 1024

export class TcpPort implements PublicPort {
  readonly #options: PublicPortOptions
  readonly #server: net.Server
  readonly #shares: AddressShares

  constructor(options: PublicPortOptions) {
    this.#options = options
    this.#shares = new AddressShares(options.limits)
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true })
  }

  async open(host: string, port: number): Promise<PortTraffic> {
    this.#server.listen({ host, port, backlog })
    await once(this.#server, "listening")
    const { kind, tunnel, observer } = this.#options
    const traffic = observer.trafficOf({ kind, tunnel, port })
    this.#server.on("connection", (socket) => this.#accept(socket, traffic))
    this.#server.on("error", () => {}) // a connection that could not be accepted: the next one may be
    return traffic
  }

  /** Takes no more; connections that there are go on. */
  close(): void {
    this.#server.close()
  }

  #accept(socket: Socket, traffic: PortTraffic): void {
    const { owner, queue, name, kind, tunnel, port, streams, observer } = this.#options
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    if (remoteAddress === undefined || remotePort === undefined || localPort === undefined)
      return destroy(socket) // it has left already
    const client = { address: headAddress(remoteAddress), port: remotePort }
    const reason = streams.full ? "queue_full" : this.#shares.enter(client.address)
    if (reason !== undefined) return this.#refuse(socket, traffic, client, reason)
    socket.once("close", () => this.#shares.leave(client.address))
    socket.setKeepAlive(true, probeAfterMs)
    const connection = new TcpConnection(
      socket,
      {
        id: nanoid(),
        kind: openKind.tcp,
        tunnel: queue,
        owner,
        attempt: 1,
        deadlineAt: streams.holdEndsAt(),
        idempotent: false,
        record: { clientAddress: client.address, scheme: "http" },
        head: portHeadText({
          name,
          client,
          edge: { address: headAddress(localAddress), port: localPort },
        }),
        bodyFollows: true,
        body: undefined,
      },
      {
        budget: streams.budget,
        leased: (leased) => streams.leased(leased),
        waitsAgain: (again) => streams.offerAgain(again),
        ended: (over, outcome) => {
          streams.ended(over)
          traffic.over(over, outcome)
          observer.settledAtPort(settledStream(over, outcome, { kind, tunnel, port, client }))
        },
        holdEndsAt: () => streams.holdEndsAt(),
      },
    )
    traffic.begun(connection)
    streams.offer(connection)
  }

  /** At once: a client that is told knows, one that waits does not. */
  #refuse(socket: Socket, traffic: PortTraffic, client: PortEnd, reason: PortRefusal): void {
    const { kind, tunnel, port, observer } = this.#options
    traffic.refused[reason]++
    observer.refusedAtPort({ kind, tunnel, port, client, reason })
    destroy(socket)
  }
}

function destroy(socket: Socket): void {
  socket.on("error", () => {})
  socket.resetAndDestroy()
}
