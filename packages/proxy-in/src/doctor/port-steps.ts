// The steps that look where `--tcp` and `--udp` lead, one for each: a connection to the private server, or one empty datagram.
import { createSocket, type Socket } from "node:dgram"
import { lookup } from "node:dns/promises"
import { once } from "node:events"
import { systemCode, type Report, type Step } from "@restante/protocol"
import { LinkError } from "../attach/link-error.ts"
import { portAddress, targetText, type PortMapping, type PortTarget } from "../ports.ts"
import { dial } from "../upstream/dial.ts"
import type { AgentFindingCode } from "./findings.ts"
import { Turns } from "./turns.ts"

type AgentReport = Report<AgentFindingCode>

/** They do not wait for each other, but are not all under way at once. */
export function portSteps(
  ports: readonly PortMapping[],
  patienceMs: number,
): readonly Step<AgentFindingCode>[] {
  const turns = new Turns(portsAtATime)
  return ports.map(({ kind, name, target }) => ({
    name: `--${kind} ${name}`,
    needs: [],
    run: () =>
      turns.take(() => (kind === "tcp" ? tcpPortStep(target, patienceMs) : udpPortStep(target, patienceMs))),
  }))
}

const portsAtATime = 16
/** A neighbour that does not exist is known as such after 3 s: the system asks three times for its address. */
const silenceMs = 3500

async function tcpPortStep(target: PortTarget, patienceMs: number): Promise<AgentReport> {
  const begunAt = performance.now()
  const socket = dial(portAddress(target), true, () => true)
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(patienceMs) })
    return { code: "tcp_port_connects", detail: tookText(target, begunAt) }
  } catch (reason) {
    const { code } = LinkError.from(reason)
    if (code === "timeout") return { code: "tcp_port_timeout", detail: targetText(target) }
    const detail = failureText(target, reason)
    if (target.kind === "unix") return { code: "tcp_port_socket", detail }
    if (code === "name_not_found") return { code: "tcp_port_name", detail }
    return { code: code === "refused" ? "tcp_port_refused" : "tcp_port_unreachable", detail }
  } finally {
    socket.destroy()
  }
}

async function udpPortStep(target: PortTarget, patienceMs: number): Promise<AgentReport> {
  // `--udp` takes no other.
  if (target.kind === "unix") throw new TypeError("a unix socket for UDP")
  const begunAt = performance.now()
  let socket: Socket | undefined
  try {
    const { address, family } = await lookup(target.host, { order: "ipv4first" })
    socket = createSocket(family === 6 ? "udp6" : "udp4")
    await Promise.race([
      once(socket, "message", { signal: AbortSignal.timeout(Math.min(silenceMs, patienceMs)) }),
      // What the system says of the datagram it may say when asked to send one, or later.
      sentTo(socket, target.port, address),
    ])
    return { code: "udp_port_answers", detail: tookText(target, begunAt) }
  } catch (reason) {
    const { code } = LinkError.from(reason)
    if (code === "timeout") return { code: "udp_port_silent", detail: targetText(target) }
    const detail = failureText(target, reason)
    if (code === "name_not_found") return { code: "udp_port_name", detail }
    return { code: code === "refused" ? "udp_port_refused" : "udp_port_unreachable", detail }
  } finally {
    socket?.close()
  }
}

/** Connects, and sends one empty datagram. Never resolves: only an answer ends the wait well. */
function sentTo(socket: Socket, port: number, address: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    socket.on("error", reject)
    socket.once("connect", () => socket.send("", (error) => error !== null && reject(error)))
    socket.connect(port, address)
  })
}

function tookText(target: PortTarget, begunAt: number): string {
  return `${targetText(target)}: ${(performance.now() - begunAt).toFixed(1)} ms`
}

function failureText(target: PortTarget, reason: unknown): string {
  return `${targetText(target)}: ${systemCode(reason) ?? LinkError.from(reason).detail}`
}
