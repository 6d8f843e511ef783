// The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2): tells a TCP server who its client really is, before the
// client's first byte.
import type { PortEnd, PortHead } from "@restante/protocol"
import { isIPv4, isIPv6, SocketAddress } from "node:net"

/** Source is the client, destination the edge's port that it met. LOCAL, which says nothing, where the two are of different families. */
export function proxyHeader({ client, edge }: Pick<PortHead, "client" | "edge">): Buffer {
  const both = [client, edge] as const
  if (both.every(({ address }) => isIPv4(address)))
    return header(proxyCommand, tcpOverIpv4, addresses(both, ipv4Bytes))
  if (both.every(({ address }) => isIPv6(address)))
    return header(proxyCommand, tcpOverIpv6, addresses(both, ipv6Bytes))
  return header(localCommand, unspecified, [])
}

const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
const localCommand = 0x20
const proxyCommand = 0x21
const unspecified = 0x00
const tcpOverIpv4 = 0x11
const tcpOverIpv6 = 0x21

function header(command: number, family: number, block: readonly number[]): Buffer {
  return Buffer.from([...signature, command, family, block.length >> 8, block.length & 0xff, ...block])
}

function addresses(
  [client, edge]: readonly [PortEnd, PortEnd],
  bytesOf: (address: string) => number[],
): number[] {
  return [...bytesOf(client.address), ...bytesOf(edge.address), ...u16(client.port), ...u16(edge.port)]
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff]
}

function ipv4Bytes(address: string): number[] {
  return address.split(".").map(Number)
}

/** RFC 4291 section 2.2, all its forms: the system's own reader has made them one already. */
function ipv6Bytes(address: string): number[] {
  const canonical = new SocketAddress({ address, family: "ipv6" }).address
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(canonical)
  const text = dotted === null ? canonical : `${dotted[1]}${asGroups(ipv4Bytes(dotted[2] ?? ""))}`
  const [left = "", right] = text.split("::")
  const head = groupsOf(left)
  const tail = groupsOf(right ?? "")
  const zeros = Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0)
  return [...head, ...zeros, ...tail].flatMap(u16)
}

function asGroups([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16))
}
