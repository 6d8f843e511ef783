// One UDP port of the public host that is open for a tunnel: each client address that sends something has a flow of its own, until
// it has been silent for a while. Answers go to addresses that sent something first, and to no others.
import { openKind, portHeadText } from "@restante/protocol"
import { nanoid } from "nanoid"
import dgram from "node:dgram"
import type { RemoteInfo, Socket } from "node:dgram"
import { once } from "node:events"
import { isIPv6 } from "node:net"
import { Deadlines } from "../exchange/deadlines.ts"
import { headAddress } from "./addresses.ts"
import type { PortCounts, PublicPort, PublicPortOptions } from "./public-port.ts"
import { UdpFlow } from "./udp-flow.ts"

/** Asked of the system, which may give less: a burst that is not read at once is lost. */
const receiveBufferBytes = 4 * 1024 * 1024

export class UdpPort implements PublicPort {
  readonly counts: PortCounts = { accepted: 0, refused: 0, dropped: 0 }
  readonly #options: PublicPortOptions
  readonly #flows = new Map<string, UdpFlow>()
  readonly #silence: Deadlines<UdpFlow>
  #socket: Socket | undefined

  constructor(options: PublicPortOptions) {
    this.#options = options
    this.#silence = new Deadlines({
      afterMs: options.flowMs,
      clock: options.clock,
      onExpired: (flow) => flow.silent(),
    })
  }

  async open(host: string, port: number): Promise<void> {
    const socket = dgram.createSocket({
      type: isIPv6(host) ? "udp6" : "udp4",
      recvBufferSize: receiveBufferBytes,
    })
    socket.bind({ address: host, port, exclusive: true })
    await once(socket, "listening")
    socket.on("error", () => {}) // of a datagram that could not be sent: it is lost, as datagrams may be
    socket.on("message", (datagram, from) => this.#heard(socket, datagram, from))
    this.#socket = socket
  }

  close(): void {
    for (const flow of this.#flows.values()) flow.abort()
    this.#silence.stop()
    this.#socket?.close()
    this.#socket = undefined
  }

  #heard(socket: Socket, datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`
    let flow = this.#flows.get(key)
    if (flow === undefined) {
      if (this.#flows.size >= this.#options.maxConnections) {
        this.counts.refused++
        return
      }
      flow = this.#flow(socket, key, from)
      this.#flows.set(key, flow)
      flow.clientSaid(datagram)
      this.#silence.set(flow)
      if (this.#options.streams.offer(flow)) this.counts.accepted++
      else flow.abort()
      return
    }
    this.#silence.set(flow)
    flow.clientSaid(datagram)
  }

  #flow(socket: Socket, key: string, { address, port }: RemoteInfo): UdpFlow {
    const { owner, queue, name, streams } = this.#options
    const local = socket.address()
    const clientAddress = headAddress(address)
    return new UdpFlow(
      {
        id: nanoid(),
        kind: openKind.udp,
        tunnel: queue,
        owner,
        attempt: 1,
        deadlineAt: streams.holdEndsAt(),
        idempotent: false,
        record: { clientAddress, scheme: "http" },
        head: portHeadText({
          name,
          client: { address: clientAddress, port },
          edge: { address: headAddress(local.address), port: local.port },
        }),
        bodyFollows: true,
        body: undefined,
      },
      {
        budget: streams.budget,
        send: (datagram) => {
          const flow = this.#flows.get(key)
          if (flow !== undefined) this.#silence.set(flow)
          this.#socket?.send(datagram, port, address, (error) => {
            if (error !== null) this.counts.dropped++
          })
        },
        dropped: () => void this.counts.dropped++,
        leased: (flow) => streams.leased(flow),
        ended: (flow) => {
          this.#flows.delete(key)
          this.#silence.clear(flow)
          streams.ended(flow)
        },
      },
    )
  }
}
