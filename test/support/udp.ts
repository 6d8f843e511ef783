// Plain UDP for the tests: sockets that remember what they heard, and a pair with a UDP port.
import dgram from "node:dgram"
import { once } from "node:events"
import { startAgent, startEdge, type Transport } from "./pair.ts"
import { portOf, somePorts, type TcpPair } from "./tcp.ts"

export interface UdpSocket extends AsyncDisposable {
  readonly socket: dgram.Socket
  readonly port: number
  /** Every datagram, in the order they came. */
  readonly heard: Buffer[]
  /** The port that each came from. */
  readonly from: number[]
}

/** On loopback; `onDatagram` is told of each. */
export async function udpSocket(
  onDatagram: (datagram: Buffer, from: dgram.RemoteInfo, socket: dgram.Socket) => unknown = () => undefined,
  address = "127.0.0.1",
  port = 0,
): Promise<UdpSocket> {
  const heard: Buffer[] = []
  const from: number[] = []
  const socket = dgram.createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 })
  socket.on("error", () => undefined)
  socket.on("message", (datagram, sender) => {
    heard.push(datagram)
    from.push(sender.port)
    onDatagram(datagram, sender, socket)
  })
  socket.bind(port, address)
  await once(socket, "listening")
  return {
    socket,
    heard,
    from,
    port: socket.address().port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(socket, "close")
      socket.close()
      await closed
    },
  }
}

export interface UdpPairOptions {
  readonly targetPort: number
  readonly transport?: Transport
  readonly edgeArgs?: readonly string[]
}

/** An edge with one UDP port, chosen by it, that leads to the target. */
export async function startUdpPair(options: UdpPairOptions): Promise<TcpPair> {
  const { targetPort, transport = "websocket", edgeArgs = [] } = options
  await using stack = new AsyncDisposableStack()
  const edge = stack.use(await startEdge({ args: ["--udp-ports", somePorts(), ...edgeArgs] }))
  const agent = stack.use(
    await startAgent({
      external: edge.url,
      transport,
      args: ["--udp", `auto=127.0.0.1:${targetPort}`],
    }),
  )
  await agent.attached()
  const port = await portOf(agent, "udp")
  const owned = stack.move()
  return { edge, agent, port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
