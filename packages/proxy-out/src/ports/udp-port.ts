// One UDP port of the public host that is open for a tunnel: each client address that sends something has a flow of its own, until
// it has been silent for a while. Answers go to addresses that sent something first, and to no others.
import { openKind, portHeadText } from "@restante/protocol"
import type { PortEnd } from "@restante/protocol"
import { nanoid } from "nanoid"
import dgram from "node:dgram"
import type { RemoteInfo, Socket } from "node:dgram"
import { once } from "node:events"
import { isIPv6 } from "node:net"
import { Deadlines } from "../exchange/deadlines.ts"
import { headAddress } from "./addresses.ts"
import { AddressShares } from "./address-shares.ts"
import { settledStream } from "./port-traffic.ts"
import type { PortTraffic } from "./port-traffic.ts"
import type { PublicPort, PublicPortOptions } from "./public-port.ts"
import { UdpFlow } from "./udp-flow.ts"

/** Asked of the system, which may give less: a burst that is not read at once is lost. */
const receiveBufferBytes = 4 * 1024 * 1024

export class UdpPort implements PublicPort {
  readonly #options: PublicPortOptions
  readonly #flows = new Map<string, UdpFlow>()
  readonly #silence: Deadlines<UdpFlow>
  readonly #shares: AddressShares
  #socket: Socket | undefined

  constructor(options: PublicPortOptions) {
    this.#options = options
    this.#shares = new AddressShares(options.limits)
    this.#silence = new Deadlines({
      afterMs: options.flowMs,
      clock: options.clock,
      onExpired: (flow) => flow.silent(),
    })
  }

  async open(host: string, port: number): Promise<PortTraffic> {
    const socket = dgram.createSocket({
      type: isIPv6(host) ? "udp6" : "udp4",
      recvBufferSize: receiveBufferBytes,
    })
    socket.bind({ address: host, port, exclusive: true })
    try {
      await once(socket, "listening")
    } catch (error) {
      socket.close() // Node leaves it open, and an agent that is refused asks again and again
      throw error
    }
    socket.on("error", () => {}) // of a datagram that could not be sent: it is lost, as datagrams may be
    const { kind, tunnel, observer } = this.#options
    const traffic = observer.trafficOf({ kind, tunnel, port })
    socket.on("message", (datagram, from) => this.#heard({ socket, traffic }, datagram, from))
    this.#socket = socket
    return traffic
  }

  close(): void {
    for (const flow of this.#flows.values()) flow.abort()
    this.#silence.stop()
    this.#socket?.close()
    this.#socket = undefined
  }

  #heard(open: OpenSocket, datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`
    const known = this.#flows.get(key)
    if (known !== undefined) {
      this.#silence.set(known)
      return known.clientSaid(datagram)
    }
    const { streams } = this.#options
    const client = { address: headAddress(from.address), port: from.port }
    const reason = streams.full ? "queue_full" : this.#shares.enter(client.address)
    if (reason !== undefined) return void open.traffic.refused[reason]++
    const flow = this.#flow(open, key, client, from)
    this.#flows.set(key, flow)
    open.traffic.begun(flow)
    flow.clientSaid(datagram)
    this.#silence.set(flow)
    streams.offer(flow)
  }

  #flow(
    { socket, traffic }: OpenSocket,
    key: string,
    client: PortEnd,
    { address, port: clientPort }: RemoteInfo,
  ): UdpFlow {
    const { owner, queue, name, kind, tunnel, port, streams, observer } = this.#options
    const local = socket.address()
    return new UdpFlow(
      {
        id: nanoid(),
        kind: openKind.udp,
        tunnel: queue,
        owner,
        attempt: 1,
        deadlineAt: streams.holdEndsAt(),
        idempotent: false,
        record: { clientAddress: client.address, scheme: "http" },
        head: portHeadText({
          name,
          client,
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
          this.#socket?.send(datagram, clientPort, address, (error) => {
            if (error !== null) traffic.droppedDatagrams++
          })
        },
        dropped: () => void traffic.droppedDatagrams++,
        leased: (flow) => streams.leased(flow),
        ended: (flow, outcome) => {
          this.#flows.delete(key)
          this.#silence.clear(flow)
          this.#shares.leave(client.address)
          streams.ended(flow)
          traffic.over(flow, outcome)
          observer.settledAtPort(settledStream(flow, outcome, { kind, tunnel, port, client }))
        },
      },
    )
  }
}

interface OpenSocket {
  readonly socket: Socket
  readonly traffic: PortTraffic
}
