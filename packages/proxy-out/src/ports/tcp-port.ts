// One TCP port of the public host that is open for a tunnel: each connection that comes in becomes a ticket of the port's queue.
import { openKind, portHeadText } from "@restante/protocol"
import { nanoid } from "nanoid"
import { once } from "node:events"
import net from "node:net"
import type { Socket } from "node:net"
import { headAddress } from "./addresses.ts"
import type { PortCounts, PublicPort, PublicPortOptions } from "./public-port.ts"
import { TcpConnection } from "./tcp-connection.ts"

/** TCP keep-alive: a client that vanished without a word is noticed, however long the connection is silent. */
const probeAfterMs = 30_000
/** As many as the kernel keeps until they are accepted, if it lets us. */
const backlog = 1024

export class TcpPort implements PublicPort {
  readonly counts: PortCounts = { accepted: 0, refused: 0, dropped: 0 }
  readonly #options: PublicPortOptions
  readonly #server: net.Server
  readonly #sockets = new Set<Socket>()

  constructor(options: PublicPortOptions) {
    this.#options = options
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  async open(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port, backlog })
    await once(this.#server, "listening")
    this.#server.on("error", () => {}) // a connection that could not be accepted: the next one may be
  }

  /** Takes no more; connections that there are go on. */
  close(): void {
    this.#server.close()
  }

  #accept(socket: Socket): void {
    const { owner, queue, name, streams, maxConnections } = this.#options
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    const gone = remoteAddress === undefined || remotePort === undefined || localPort === undefined
    if (gone || this.#sockets.size >= maxConnections) return this.#refuse(socket)
    socket.setKeepAlive(true, probeAfterMs)
    const clientAddress = headAddress(remoteAddress)
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
        record: { clientAddress, scheme: "http" },
        head: portHeadText({
          name,
          client: { address: clientAddress, port: remotePort },
          edge: { address: headAddress(localAddress), port: localPort },
        }),
        bodyFollows: true,
        body: undefined,
      },
      {
        budget: streams.budget,
        leased: (leased) => streams.leased(leased),
        waitsAgain: (again) => streams.offerAgain(again),
        ended: (over) => streams.ended(over),
        holdEndsAt: () => streams.holdEndsAt(),
      },
    )
    if (!streams.offer(connection)) return this.#refuse(socket)
    this.counts.accepted++
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket))
  }

  /** At once: a client that is told knows, one that waits does not. */
  #refuse(socket: Socket): void {
    this.counts.refused++
    socket.on("error", () => {})
    socket.resetAndDestroy()
  }
}
