// The situations of `proxy-in doctor` of `--tcp` and `--udp`, at the edge and where they lead. Each asks for one port.
import type { AgentFindingCode } from "../../packages/proxy-in/src/doctor/findings.ts"
import { parseTcpArgument, parseUdpArgument, portMappings } from "../../packages/proxy-in/src/ports.ts"
import type { DoctorOptions } from "../../packages/proxy-in/src/doctor/doctor.ts"
import { behind, listener, nowhere, stuckPort, type Situation } from "./doctor-places.ts"
import { udpSocket } from "./udp.ts"
import { closedPort } from "./upstream.ts"

export const portSituations = {
  ports_allowed: () => Promise.resolve(tcp("no-such-server.invalid:22")),
  ports_refused: () =>
    Promise.resolve({ ports: portMappings([parseTcpArgument("22=no-such-server.invalid:22")]) }),
  ports_unknown: behind(
    {
      instead: ({ url }, outgoing) => {
        if (url?.endsWith("/attach") !== true) return false
        const welcome = { session: "a-session-of-this-test", protocol: 1, resumeSeconds: 30, pollSeconds: 25 }
        outgoing.writeHead(200, { "Restante-Version": "1", "Content-Type": "application/json" })
        outgoing.end(JSON.stringify(welcome))
        return true
      },
    },
    tcp("no-such-server.invalid:22"),
  ),
  tcp_port_connects: async ({ stack }) =>
    tcp(`127.0.0.1:${await listener(stack, (socket) => socket.resume())}`),
  tcp_port_name: () => Promise.resolve(tcp("no-such-server.invalid:22")),
  tcp_port_refused: async () => tcp(`127.0.0.1:${await closedPort()}`),
  tcp_port_socket: () => Promise.resolve(tcp("unix:/no/such/place/app.sock")),
  tcp_port_unreachable: () => Promise.resolve(tcp(`${nowhere}:22`)),
  tcp_port_timeout: async ({ stack }) => tcp(`127.0.0.1:${await stuckPort(stack)}`),
  udp_port_answers: async ({ stack }) => {
    const server = await udpSocket((datagram, from, socket) => socket.send(datagram, from.port, from.address))
    return udp(`127.0.0.1:${stack.use(server).port}`)
  },
  udp_port_silent: async ({ stack }) => udp(`127.0.0.1:${stack.use(await udpSocket()).port}`),
  udp_port_name: () => Promise.resolve(udp("no-such-server.invalid:53")),
  udp_port_refused: async () => udp(`127.0.0.1:${await closedUdpPort()}`),
  udp_port_unreachable: () => Promise.resolve(udp(`${nowhere}:53`)),
} satisfies Partial<Record<AgentFindingCode, Situation>>

/** `--tcp auto=TARGET`. */
function tcp(target: string): Partial<DoctorOptions> {
  return { ports: portMappings([parseTcpArgument(`auto=${target}`)]) }
}

function udp(target: string): Partial<DoctorOptions> {
  return { ports: portMappings([parseUdpArgument(`auto=${target}`)]) }
}

async function closedUdpPort(): Promise<number> {
  const socket = await udpSocket()
  await socket[Symbol.asyncDispose]()
  return socket.port
}
